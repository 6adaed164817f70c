package callback

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"livebridge/bridge"
)

// clockMargin is how much earlier than the commit, at most, the clock is asked whether a session lies too far ahead. For
// a session that is closer to the limit the commit decides.
const clockMargin = bridge.Millis(time.Minute / time.Millisecond)

// Nonce is what SparkRTC sends in headers to tell one callback from another; zero for Live.
type Nonce struct {
	Rand      string // X-Rtc-Rand
	Timestamp string // X-Rtc-Timestamp
}

// discriminator is what tells a happening from another with an equal body. It is zero where the body does that.
type discriminator struct {
	authTimestamp string
	nonce         Nonce
}

// occurrence is what an id is taken over.
type occurrence struct {
	kind bridge.Kind
	data []byte // the event's data before the policy
}

// id returns the first half of the SHA-256 over the happening in canonical JSON, which is made in buffer:
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

// Malformed makes the event of a SparkRTC body that Decode refused though it was signed well: it is for the quarantine.
// It has neither lane nor data. Its id is taken over the body and the two headers:
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
