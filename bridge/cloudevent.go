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

// TypeQuarantined is the type of the event that reports a quarantined callback.
const TypeQuarantined = "livebridge.callback.quarantined"

// appendSchemaURI appends the dataschema of a kind, or of quarantine notices for the name "quarantine".
func appendSchemaURI(dst []byte, name string) []byte {
	return append(append(append(dst, "urn:livebridge:schema:"...), name...), ":1"...)
}

// sequenceDigits is wide enough for every uint64, so that sequences sort as text.
const sequenceDigits = 20

// AppendID appends the CloudEvents id: the event's ID, followed by the reason for a quarantined callback.
func (e *Event) AppendID(dst []byte) []byte {
	dst = hex.AppendEncode(dst, e.ID[:])
	if e.Quarantined() {
		dst = append(append(dst, '-'), e.Reason...)
	}
	return dst
}

// DedupeID returns what a broker that drops duplicates should compare: the id, and for an operator's replay, which must
// be published again, its sequence too.
func (e *Event) DedupeID() string {
	id := e.AppendID(make([]byte, 0, 64))
	if e.Marks.Has(MarkReplayed) {
		id = strconv.AppendUint(append(id, '.'), e.Sequence, 10)
	}
	return string(id)
}

// PartitionKey returns the record key: domain/app/stream, or the kind for a quarantined callback, with the partition of
// many replicas behind it where there is one.
func (e *Event) PartitionKey() string { return string(e.AppendPartitionKey(make([]byte, 0, 128))) }

// AppendPartitionKey appends PartitionKey to dst.
func (e *Event) AppendPartitionKey(dst []byte) []byte {
	if e.Quarantined() {
		return e.appendQuarantine(dst)
	}
	return e.Lane.AppendSubject(dst)
}

// appendQuarantine appends the kind of a quarantined callback, and the partition that has quarantined it: the notices
// of each are a lane of their own.
func (e *Event) appendQuarantine(dst []byte) []byte {
	dst = append(dst, e.Lane.Kind.String()...)
	if e.Lane.Stream != "" {
		dst = append(append(dst, '/'), e.Lane.Stream...)
	}
	return dst
}

// appendSource appends the CloudEvents source: where the callback came from, or the quarantine that holds it.
func (e *Event) appendSource(dst []byte) []byte {
	l := e.Lane
	switch {
	case e.Quarantined():
		return e.appendQuarantine(append(dst, "/livebridge/quarantine/"...))
	case l.Kind == KindRTCRecord:
		return AppendEscaped(append(dst, "/huaweicloud/rtc/"...), l.Domain, KeepDot)
	default:
		dst = AppendEscaped(append(dst, "/huaweicloud/live/"...), l.Domain, KeepDot)
		return AppendEscaped(append(dst, '/'), l.App, KeepDot)
	}
}

// attribute is one of an event's CloudEvents attributes, in alphabetical order.
type attribute int

const (
	attrDataContentType attribute = iota
	attrDataSchema
	attrID
	attrMarks
	attrPartitionKey
	attrRecordedTime
	attrSequence
	attrSession
	attrSignature
	attrSource
	attrSpecVersion
	attrSubject
	attrTime
	attrType
	attributes // how many there are
)

func (attribute) names() [attributes]string {
	return [...]string{
		"datacontenttype", "dataschema", "id", "marks", "partitionkey", "recordedtime", "sequence", "session",
		"signature", "source", "specversion", "subject", "time", "type",
	}
}

// appendAttribute appends an attribute's value; nothing when the event has no such attribute.
func (e *Event) appendAttribute(dst []byte, a attribute) []byte {
	switch a {
	case attrDataContentType:
		return append(dst, ContentTypeData...)
	case attrDataSchema:
		return appendSchemaURI(dst, e.schemaName())
	case attrID:
		return e.AppendID(dst)
	case attrMarks:
		return append(dst, e.Marks.String()...)
	case attrPartitionKey:
		return e.AppendPartitionKey(dst)
	case attrRecordedTime:
		return e.Recorded.Append(dst)
	case attrSequence:
		return appendSequence(dst, e.Sequence)
	case attrSession:
		return e.appendSession(dst)
	case attrSignature:
		return append(dst, e.Scheme.String()...)
	case attrSource:
		return e.appendSource(dst)
	case attrSpecVersion:
		return append(dst, SpecVersion...)
	case attrSubject:
		return e.appendSubject(dst)
	case attrTime:
		return cmp.Or(e.Occurred, e.Recorded).Append(dst)
	case attrType:
		return append(dst, e.Type...)
	}
	return dst
}

// Attributes yields the event's CloudEvents attributes in alphabetical order, without data. Every name is lower-case
// ASCII; every value is printable ASCII without quotes and backslashes and so needs no escaping in JSON or in a header.
// A value is valid until the next iteration.
func (e *Event) Attributes() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		var value []byte
		for i, name := range attribute(0).names() {
			value = e.appendAttribute(value[:0], attribute(i))
			if len(value) > 0 && !yield(name, value) {
				return
			}
		}
	}
}

// AppendStructured appends the event as one structured-mode CloudEvent in canonical JSON (RFC 8785), whose member order
// is that of Attributes with data before it.
func (e *Event) AppendStructured(dst []byte) []byte {
	dst = append(append(dst, `{"data":`...), e.Data...)
	for i, name := range attribute(0).names() {
		before := len(dst)
		dst = append(append(append(dst, `,"`...), name...), `":"`...)
		value := len(dst)
		if dst = e.appendAttribute(dst, attribute(i)); len(dst) == value {
			dst = dst[:before]
			continue
		}
		dst = append(dst, '"')
	}
	return append(dst, '}')
}

func (e *Event) schemaName() string {
	if e.Quarantined() {
		return "quarantine"
	}
	return e.Lane.Kind.String()
}

func (e *Event) appendSession(dst []byte) []byte {
	if e.Session == 0 || e.Marks.Has(MarkUnsequenced) {
		return dst
	}
	return strconv.AppendInt(dst, int64(e.Session), 10)
}

func (e *Event) appendSubject(dst []byte) []byte {
	if e.Quarantined() {
		return append(dst, e.Subject...)
	}
	return e.Lane.AppendSubject(dst)
}

func appendSequence(dst []byte, n uint64) []byte { return appendDigits(dst, n, sequenceDigits) }

// appendDigits appends the last width decimal digits of n, at most 20.
func appendDigits(dst []byte, n uint64, width int) []byte {
	var digits [20]byte
	for i := width - 1; i >= 0; i-- {
		digits[i] = byte('0' + n%10)
		n /= 10
	}
	return append(dst, digits[:width]...)
}
