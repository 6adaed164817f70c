package bridge

import (
	"encoding/hex"
	"strings"
	"time"
)

// ID is an event's identity: the first 16 bytes of a SHA-256 over what happened. The same happening has the same ID
// however often and however signed it is sent.
type ID [16]byte

// String returns the ID as 32 lower-case hex digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Phase tells the start of a push from its end. Within one session PhasePublish sorts before PhaseDone.
type Phase uint8

// The phases of a stream's session; PhaseNone is everything that is not a stream's PUBLISH or PUBLISH_DONE.
const (
	PhaseNone    Phase = 0
	PhasePublish Phase = 1
	PhaseDone    Phase = 2
)

// Millis is an instant in Unix milliseconds, the precision of everything the provider says; 0 means none.
type Millis int64

// MillisOf cuts t to milliseconds.
func MillisOf(t time.Time) Millis { return Millis(t.UnixMilli()) }

// Append appends the instant as RFC 3339 in UTC with three digits of milliseconds.
func (m Millis) Append(dst []byte) []byte {
	t := time.UnixMilli(int64(m)).UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(dst, "2006-01-02T15:04:05.000Z07:00")
	}
	hour, minute, second := t.Clock() // by hand: every event has two, and AppendFormat reads its layout every time
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

// MaxSessionAhead is how far ahead of our clock a session may lie: publish_timestamp is not signed, and one in the far
// future would make everything after it late.
const MaxSessionAhead = Millis(5 * time.Minute / time.Millisecond)

// Sequenced reports whether a session can order events at the instant now.
func Sequenced(session, now Millis) bool { return session != 0 && session <= now+MaxSessionAhead }

// Event is one happening, ready to be published. Package callback fills what the provider said; the journal fills
// Recorded, Sequence and Marks, in the commit that makes them durable, and nothing changes afterwards: an event that is
// published twice is the same to the byte.
type Event struct {
	ID       ID
	Type     string // CloudEvents type, such as com.huaweicloud.live.stream.publish
	Lane     Lane
	Session  Millis // the normalised publish_timestamp; 0: none
	Phase    Phase
	Occurred Millis // when it happened, from the body; 0: take Recorded
	Recorded Millis // the time of the commit of its arrival
	Sequence uint64 // position in what its lane emits, from 1
	Marks    Marks
	Scheme   Scheme
	Data     []byte // canonical JSON (RFC 8785), after redaction

	// Reason is empty but for the event that tells of a quarantined callback: then the event belongs to the lane of its
	// kind alone, and Subject holds the lane of the callback where that is known.
	Reason  Reason
	Subject string
}

// Quarantined reports whether the event tells of a callback that was put in quarantine.
func (e *Event) Quarantined() bool { return e.Reason != "" }

// Unknown reports whether the provider used an event word that this version does not know: such an event has no place in
// its lane's order.
func (e *Event) Unknown() bool { return strings.HasSuffix(e.Type, TypeUnknownSuffix) }

// TypeUnknownSuffix ends the type of every event whose word is not known.
const TypeUnknownSuffix = ".unknown"

// Reason is one word for why a well-signed callback was not believed.
type Reason string

// The reasons for quarantine.
const (
	ReasonExpired      Reason = "expired"       // signed well, but past its expiry or too far ahead of it
	ReasonMalformed    Reason = "malformed"     // a well-signed SparkRTC body that cannot be read
	ReasonTampered     Reason = "tampered"      // a signature seen before over other members
	ReasonUnknownEvent Reason = "unknown_event" // an event word that is not known, and no DOMAINS to trust it by
)
