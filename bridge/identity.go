package bridge

import "crypto/sha256"

// Identity is what an event's ID follows from where that depends on the time of the commit: the body does not identify
// the occurrence and carries no signature time, or its session lies so far ahead that the clock decides whether it
// orders the event.
type Identity struct {
	Session       Millis // 0: none
	Ordered       ID     // the ID when Session orders the event (see Sequenced); unused without a session
	Discriminated ID     // the ID otherwise; zero: it follows from Data and the time of the commit
	Data          []byte // the body's members as canonical JSON, before redaction
}

// ID returns the ID of an event of the kind that is committed at an instant. Where it follows from that instant, it is
// the first half of the SHA-256 over
//
//	{"data":{…},"kind":"stream","recordedtime":"2020-04-27T02:22:14.000Z"}
func (i *Identity) ID(k Kind, recorded Millis) ID {
	switch {
	case Sequenced(i.Session, recorded):
		return i.Ordered
	case i.Discriminated != ID{}:
		return i.Discriminated
	}
	b := append([]byte(`{"data":`), i.Data...)
	b = append(append(b, `,"kind":"`...), k.String()...)
	b = append(recorded.Append(append(b, `","recordedtime":"`...)), `"}`...)
	sum := sha256.Sum256(b)
	return ID(sum[:len(ID{})])
}
