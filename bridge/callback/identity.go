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

// witness is what tells a happening from another with an equal body. It is zero where the body does that.
type witness struct {
	authTimestamp string
	nonce         Nonce
	recorded      bridge.Millis
}

// happening is what an id is taken over.
type happening struct {
	kind bridge.Kind
	data []byte // the event's data before the policy
}

// id returns the first half of the SHA-256 over the happening in canonical JSON, which is made in buffer:
//
//	{"auth_timestamp":"1587954140","data":{…},"kind":"rtc-record","rand":"…","recordedtime":"…","timestamp":"…"}
//
// data and kind are always there, the others are strings and there when they are not empty.
func (h happening) id(buffer []byte, w witness) (bridge.ID, []byte) {
	b := appendWitness(append(buffer[:0], '{'), "auth_timestamp", w.authTimestamp)
	b = appendMember(b, "data", h.data)
	b = appendWitness(b, "kind", h.kind.String())
	b = appendWitness(b, "rand", w.nonce.Rand)
	if w.recorded != 0 {
		b = append(w.recorded.Append(append(appendName(b, "recordedtime"), '"')), '"')
	}
	b = append(appendWitness(b, "timestamp", w.nonce.Timestamp), '}')
	return digest(b), b
}

func appendWitness(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return appendQuoted(appendName(dst, name), value)
}

func digest(image []byte) bridge.ID {
	sum := sha256.Sum256(image)
	return bridge.ID(sum[:len(bridge.ID{})])
}

// identify returns the event's id, or the function that makes it from the time of the commit where it depends on that.
func (c *Callback) identify(nonce Nonce, now bridge.Millis) (id bridge.ID, later func(bridge.Millis) bridge.ID) {
	h, w := happening{c.Kind, c.data}, c.witness(nonce)
	switch {
	case c.word.names || bridge.Sequenced(c.session, now-clockMargin):
		w = witness{}
	case c.session != 0 || w == witness{}:
		return bridge.ID{}, c.identifyLater(w)
	}
	id, c.image = h.id(c.image, w)
	return id, nil
}

// identifyLater copies what it needs, for it is called after Release.
func (c *Callback) identifyLater(w witness) func(bridge.Millis) bridge.ID {
	h, session := happening{c.Kind, slices.Clone(c.data)}, c.session
	return func(recorded bridge.Millis) bridge.ID {
		w := w
		switch {
		case bridge.Sequenced(session, recorded):
			w = witness{}
		case w == witness{}:
			w.recorded = recorded
		}
		id, _ := h.id(nil, w)
		return id
	}
}

func (c *Callback) witness(nonce Nonce) witness {
	if c.Kind == bridge.KindRTCRecord {
		return witness{nonce: nonce}
	}
	return witness{authTimestamp: c.AuthTimestamp}
}

// Malformed makes the event of a SparkRTC body that Decode refused though it was signed well: it is for the quarantine.
// It has neither lane nor data. Its id is taken over the body and the two headers:
//
//	{"body":"<SHA-256 in hex>","kind":"rtc-record","rand":"…","timestamp":"…"}
func Malformed(raw []byte, nonce Nonce) bridge.Event {
	sum := sha256.Sum256(raw)
	b := appendWitness([]byte{'{'}, "body", hex.EncodeToString(sum[:]))
	b = appendWitness(b, "kind", bridge.KindRTCRecord.String())
	b = appendWitness(b, "rand", nonce.Rand)
	b = append(appendWitness(b, "timestamp", nonce.Timestamp), '}')
	return bridge.Event{
		ID:     digest(b),
		Type:   bridge.TypeQuarantined,
		Lane:   bridge.Lane{Kind: bridge.KindRTCRecord},
		Reason: bridge.ReasonMalformed,
	}
}
