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
	recorded      bridge.Millis
}

// occurrence is what an id is computed over.
type occurrence struct {
	kind bridge.Kind
	data []byte // the event's data before redaction
}

// id returns the first half of the SHA-256 over the occurrence in canonical JSON, which it writes to buffer:
//
//	{"auth_timestamp":"1587954140","data":{…},"kind":"rtc-record","rand":"…","recordedtime":"…","timestamp":"…"}
//
// data and kind are always present; the others are strings, omitted when empty.
func (o occurrence) id(buffer []byte, d discriminator) (bridge.ID, []byte) {
	b := appendDiscriminator(append(buffer[:0], '{'), "auth_timestamp", d.authTimestamp)
	b = appendMember(b, "data", o.data)
	b = appendDiscriminator(b, "kind", o.kind.String())
	b = appendDiscriminator(b, "rand", d.nonce.Rand)
	if d.recorded != 0 {
		b = append(d.recorded.Append(append(appendName(b, "recordedtime"), '"')), '"')
	}
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

// identify returns the event's id or, where it depends on the time of the commit, the function that computes it.
func (c *Callback) identify(nonce Nonce, now bridge.Millis) (id bridge.ID, later func(bridge.Millis) bridge.ID) {
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

// identifyLater copies what the function needs, since that is called after Release.
func (c *Callback) identifyLater(d discriminator) func(bridge.Millis) bridge.ID {
	o, session := occurrence{c.Kind, slices.Clone(c.data)}, c.session
	return func(recorded bridge.Millis) bridge.ID {
		d := d
		switch {
		case bridge.Sequenced(session, recorded):
			d = discriminator{}
		case d == discriminator{}:
			d.recorded = recorded
		}
		id, _ := o.id(nil, d)
		return id
	}
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
