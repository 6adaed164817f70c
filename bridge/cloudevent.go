package bridge

import (
	"cmp"
	"encoding/hex"
	"iter"
	"strconv"
)

// Media types and names of CloudEvents 1.0 (https://github.com/cloudevents/spec).
const (
	SpecVersion           = "1.0"
	ContentTypeStructured = "application/cloudevents+json"
	ContentTypeData       = "application/json"
)

// TypeQuarantined is the type of the event that tells of a quarantined callback.
const TypeQuarantined = "livebridge.callback.quarantined"

// SchemaURI returns the dataschema of a kind's data, or of the quarantine's with the word "quarantine".
func SchemaURI(word string) string { return "urn:livebridge:schema:" + word + ":1" }

// sequenceDigits is wide enough for every uint64, so that sequences sort as text.
const sequenceDigits = 20

// AppendID appends the CloudEvents id: the event's ID, and the reason behind it for a quarantined callback.
func (e *Event) AppendID(dst []byte) []byte {
	dst = hex.AppendEncode(dst, e.ID[:])
	if e.Quarantined() {
		dst = append(append(dst, '-'), e.Reason...)
	}
	return dst
}

// DedupeID returns what a broker that drops repeats should compare: the id, and for an operator's replay, which is
// meant to come out again, its sequence too.
func (e *Event) DedupeID() string {
	id := e.AppendID(make([]byte, 0, 64))
	if e.Marks.Has(MarkReplayed) {
		id = strconv.AppendUint(append(id, '.'), e.Sequence, 10)
	}
	return string(id)
}

// PartitionKey returns the record key: domain/app/stream, or the kind for a quarantined callback.
func (e *Event) PartitionKey() string {
	if e.Quarantined() {
		return e.Lane.Kind.String()
	}
	return e.Lane.Subject()
}

// AppendSource appends the CloudEvents source: where the callback came from, or the quarantine that it lies in.
func (e *Event) AppendSource(dst []byte) []byte {
	l := e.Lane
	switch {
	case e.Quarantined():
		return append(append(dst, "/livebridge/quarantine/"...), l.Kind.String()...)
	case l.Kind == KindRTCRecord:
		return AppendEscaped(append(dst, "/huaweicloud/rtc/"...), l.Domain, KeepDot)
	default:
		dst = AppendEscaped(append(dst, "/huaweicloud/live/"...), l.Domain, KeepDot)
		return AppendEscaped(append(dst, '/'), l.App, KeepDot)
	}
}

// Attributes yields the event's CloudEvents attributes in alphabetical order, without data. Every name is lower-case
// ASCII; every value is printable ASCII without quotes and backslashes and so needs no escaping in JSON or in a header.
// A value is valid until the next one is asked for.
func (e *Event) Attributes() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		b := make([]byte, 0, 256)
		text := func(name, value string) bool { return value == "" || yield(name, append(b, value...)) }
		_ = text("datacontenttype", ContentTypeData) &&
			text("dataschema", e.schema()) &&
			yield("id", e.AppendID(b)) &&
			text("marks", e.Marks.String()) &&
			text("partitionkey", e.PartitionKey()) &&
			yield("recordedtime", e.Recorded.Append(b)) &&
			yield("sequence", appendSequence(b, e.Sequence)) &&
			text("session", e.session()) &&
			text("signature", e.Scheme.String()) &&
			yield("source", e.AppendSource(b)) &&
			text("specversion", SpecVersion) &&
			text("subject", e.subject()) &&
			yield("time", cmp.Or(e.Occurred, e.Recorded).Append(b)) &&
			text("type", e.Type)
	}
}

// AppendStructured appends the event as one structured-mode CloudEvent in canonical JSON (RFC 8785), whose member order
// is that of Attributes with data before it.
func (e *Event) AppendStructured(dst []byte) []byte {
	dst = append(append(dst, `{"data":`...), e.Data...)
	for name, value := range e.Attributes() {
		dst = append(append(append(dst, `,"`...), name...), `":"`...)
		dst = append(append(dst, value...), '"')
	}
	return append(dst, '}')
}

func (e *Event) schema() string {
	if e.Quarantined() {
		return SchemaURI("quarantine")
	}
	return SchemaURI(e.Lane.Kind.String())
}

func (e *Event) session() string {
	if e.Session == 0 || e.Marks.Has(MarkUnsequenced) {
		return ""
	}
	return strconv.FormatInt(int64(e.Session), 10)
}

func (e *Event) subject() string {
	if e.Quarantined() {
		return e.Subject
	}
	return e.Lane.Subject()
}

func appendSequence(dst []byte, n uint64) []byte {
	digits := strconv.AppendUint(make([]byte, 0, sequenceDigits), n, 10)
	for range sequenceDigits - len(digits) {
		dst = append(dst, '0')
	}
	return append(dst, digits...)
}
