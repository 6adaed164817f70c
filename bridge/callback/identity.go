package callback

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"livebridge/bridge"
)

// clockMargin is the most time between reading the clock here and the commit. For a session closer than this to the
// limit on how far ahead it may lie, the commit decides.
const clockMargin = bridge.Millis(time.Minute / time.Millisecond)

// Nonce is what distinguishes SparkRTC callbacks, sent in headers; zero for Live.
type Nonce struct {
	Rand      string // X-Rtc-Rand
	Timestamp string // X-Rtc-Timestamp
}

// discriminator distinguishes occurrences whose bodies are equal. It is zero where the body identifies the occurrence.
type discriminator struct {
	authTimestamp string
	nonce         Nonce
}

// occurrence is what an id is computed over.
type occurrence struct {
	kind bridge.Kind
	data []byte // the event's data before redaction
}

// id returns the first half of the SHA-256 over the occurrence in canonical JSON, which it writes to buffer:
//
//	{"auth_timestamp":"1587954140","data":{…},"kind":"rtc-record","rand":"…","timestamp":"…"}
//
// data and kind are always there, the others are strings and there when they are not empty. bridge.Identity takes it
// over the time of the commit as well.
func (o occurrence) id(buffer []byte, d discriminator) (bridge.ID, []byte) {
	b := appendDiscriminator(append(buffer[:0], '{'), "auth_timestamp", d.authTimestamp)
	b = appendMember(b, "data", o.data)
	b = appendDiscriminator(b, "kind", o.kind.String())
	b = appendDiscriminator(b, "rand", d.nonce.Rand)
	b = append(appendDiscriminator(b, "timestamp", d.nonce.Timestamp), '}')
	return digest(b), b
}

func appendDiscriminator(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return appendQuoted(appendName(dst, name), value)
}

func digest(preimage []byte) bridge.ID {
	sum := sha256.Sum256(preimage)
	return bridge.ID(sum[:len(bridge.ID{})])
}

// identify returns the event's id, or what it follows from where it depends on the time of the commit.
func (c *Callback) identify(nonce Nonce, now bridge.Millis) (id bridge.ID, later *bridge.Identity) {
	o, d := occurrence{c.Kind, c.data}, c.discriminator(nonce)
	switch {
	case c.event.selfIdentifying || bridge.Sequenced(c.session, now-clockMargin):
		d = discriminator{}
	case c.session != 0 || d == discriminator{}:
		return bridge.ID{}, c.identifyLater(d)
	}
	id, c.preimage = o.id(c.preimage, d)
	return id, nil
}

// identifyLater computes every id that does not need the time of the commit.
func (c *Callback) identifyLater(d discriminator) *bridge.Identity {
	o, i := occurrence{c.Kind, c.data}, &bridge.Identity{Session: c.session}
	if c.session != 0 {
		i.Ordered, c.preimage = o.id(c.preimage, discriminator{})
	}
	if d != (discriminator{}) {
		i.Discriminated, c.preimage = o.id(c.preimage, d)
	} else {
		i.Data = slices.Clone(c.data) // it is used after Release
	}
	return i
}

func (c *Callback) discriminator(nonce Nonce) discriminator {
	if c.Kind == bridge.KindRTCRecord {
		return discriminator{nonce: nonce}
	}
	return discriminator{authTimestamp: c.AuthTimestamp}
}

// Malformed makes the event of a SparkRTC body that has a valid signature and cannot be decoded: it goes to the
// quarantine and has neither lane nor data. Its id is computed over the body and the two headers:
//
//	{"body":"<SHA-256 in hex>","kind":"rtc-record","rand":"…","timestamp":"…"}
func Malformed(raw []byte, nonce Nonce) bridge.Event {
	sum := sha256.Sum256(raw)
	b := appendDiscriminator([]byte{'{'}, "body", hex.EncodeToString(sum[:]))
	b = appendDiscriminator(b, "kind", bridge.KindRTCRecord.String())
	b = appendDiscriminator(b, "rand", nonce.Rand)
	b = append(appendDiscriminator(b, "timestamp", nonce.Timestamp), '}')
	return bridge.Event{
		ID:     digest(b),
		Type:   bridge.TypeQuarantined,
		Lane:   bridge.Lane{Kind: bridge.KindRTCRecord},
		Reason: bridge.ReasonMalformed,
	}
}
