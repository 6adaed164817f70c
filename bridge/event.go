package bridge

import (
	"encoding/hex"
	"strings"
	"time"
)

// ID is an event's identity: the first 16 bytes of a SHA-256 over the occurrence. Redeliveries, even re-signed ones,
// have the same ID.
type ID [16]byte

// String returns the ID as 32 lower-case hex digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Phase is the start or the end of a push. Within one session PhasePublish sorts before PhaseDone.
type Phase uint8

// The phases of a stream's session; PhaseNone is of everything but a stream's PUBLISH and PUBLISH_DONE.
const (
	PhaseNone    Phase = 0
	PhasePublish Phase = 1
	PhaseDone    Phase = 2
)

// Millis is an instant in Unix milliseconds, the precision of all times that the provider sends; 0 means none.
type Millis int64

// MillisOf truncates t to milliseconds.
func MillisOf(t time.Time) Millis { return Millis(t.UnixMilli()) }

// Append appends the instant as RFC 3339 in UTC with three digits of milliseconds.
func (m Millis) Append(dst []byte) []byte {
	t := time.UnixMilli(int64(m)).UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(dst, "2006-01-02T15:04:05.000Z07:00")
	}
	hour, minute, second := t.Clock() // by hand: every event has two, and AppendFormat parses its layout each time
	dst = append(appendDigits(dst, uint64(year), 4), '-')
	dst = append(appendDigits(dst, uint64(month), 2), '-')
	dst = append(appendDigits(dst, uint64(day), 2), 'T')
	dst = append(appendDigits(dst, uint64(hour), 2), ':')
	dst = append(appendDigits(dst, uint64(minute), 2), ':')
	dst = append(appendDigits(dst, uint64(second), 2), '.')
	return append(appendDigits(dst, uint64(t.Nanosecond()/1e6), 3), 'Z')
}

// String returns the instant as RFC 3339 in UTC with three digits of milliseconds.
func (m Millis) String() string { return string(m.Append(nil)) }

// MaxSessionAhead is how far ahead of the clock a session may lie: publish_timestamp is not signed, and one in the far
// future would make every later event late.
const MaxSessionAhead = Millis(5 * time.Minute / time.Millisecond)

// Sequenced reports whether a session can order events at the instant now.
func Sequenced(session, now Millis) bool { return session != 0 && session <= now+MaxSessionAhead }

// Event is one occurrence, ready to be published. Package callback fills in what the provider sent; the journal fills
// in Recorded, Sequence and Marks in the commit that makes them durable. Nothing changes afterwards: an event that is
// published twice is identical to the byte.
type Event struct {
	ID       ID
	Type     string // CloudEvents type, such as com.huaweicloud.live.stream.publish
	Lane     Lane
	Session  Millis // the normalised publish_timestamp; 0: none
	Phase    Phase
	Occurred Millis // when it happened, from the body; 0: use Recorded
	Recorded Millis // the time of the commit of its arrival
	Sequence uint64 // position in what its lane emits, from 1
	Marks    Marks
	Scheme   Scheme
	Data     []byte // canonical JSON (RFC 8785), after redaction

	// Reason is set only for the notice of a quarantined callback. Such an event belongs to the quarantine lane of its
	// kind, and Subject holds the lane of the callback, if known.
	Reason  Reason
	Subject string

	// Trace is the span that publishing the event is under; nil: none, or not known any more. It takes no part in the
	// event's bytes.
	Trace *Trace `json:"-"`
}

// Quarantined reports whether the event is the notice of a quarantined callback.
func (e *Event) Quarantined() bool { return e.Reason != "" }

// Unknown reports whether the event's name is unknown to this version: such an event takes no part in its lane's order.
func (e *Event) Unknown() bool { return strings.HasSuffix(e.Type, TypeUnknownSuffix) }

// TypeUnknownSuffix ends the type of every event whose name is unknown.
const TypeUnknownSuffix = ".unknown"

// Reason is why a callback with a valid signature was not trusted.
type Reason string

// The reasons for quarantine.
const (
	ReasonExpired      Reason = "expired"       // valid, but past its expiry or too far ahead of it
	ReasonMalformed    Reason = "malformed"     // a SparkRTC body with a valid signature that cannot be decoded
	ReasonTampered     Reason = "tampered"      // a known signature with other members
	ReasonUnknownEvent Reason = "unknown_event" // an unknown event name, and DOMAINS is not set
)

// Reasons returns every reason for quarantine.
func Reasons() []Reason {
	return []Reason{ReasonExpired, ReasonMalformed, ReasonTampered, ReasonUnknownEvent}
}
