package producer

import (
	"io"

	"github.com/segmentio/kafka-go/protocol"

	"livebridge/bridge"
)

// Headers of a record. Those of binary mode are the CloudEvents Kafka binding's: "ce_" and the attribute's name, in
// plain UTF-8; datacontenttype is the content-type.
const (
	headerContentType = "content-type"
	headerPrefix      = "ce_"
)

// Record is an event in flight.
type Record struct {
	Event *bridge.Event // not to be changed until Done is called
	Key   []byte
	Done  func(error) // called once, by any goroutine; must not block. Nil: already called
}

// eventKey identifies an event that is published again.
type eventKey struct {
	lane     bridge.Lane
	sequence uint64
}

func eventKeyOf(e *bridge.Event) eventKey { return eventKey{e.Lane, e.Sequence} }

// overhead is about how many bytes the attributes of an event add to its data and three times its key.
const overhead = 512

// traceOverhead is how many bytes a traceparent adds, and a tracestate beside its value.
const traceOverhead = 96

// weight is the approximate size of the record.
func (r *Record) weight() int {
	n := len(r.Event.Data) + 3*len(r.Key) + overhead
	if t := r.Event.Trace; t != nil {
		n += traceOverhead + len(t.State)
	}
	return n
}

// recordReader passes records to the library's encoder. It reuses its memory: the encoder copies a record before it
// reads the next.
type recordReader struct {
	binary  bool
	records []Record
	value   []byte
	headers []protocol.Header
	text    []byte // values of the headers
	current protocol.Record
}

// ReadRecord implements protocol.RecordReader.
func (r *recordReader) ReadRecord() (*protocol.Record, error) {
	if len(r.records) == 0 {
		return nil, io.EOF
	}
	next := &r.records[0]
	r.records = r.records[1:]
	value := next.Event.Data
	if r.binary {
		r.attributes(next.Event)
	} else {
		r.text = append(r.text[:0], bridge.ContentTypeStructured...)
		r.headers = append(r.headers[:0], protocol.Header{Key: headerContentType, Value: r.text})
		r.value = next.Event.AppendStructured(r.value[:0])
		value = r.value
	}
	r.trace(next.Event.Trace)
	r.current = protocol.Record{Key: protocol.NewBytes(next.Key), Value: protocol.NewBytes(value), Headers: r.headers}
	return &r.current, nil
}

// trace adds the headers of W3C Trace Context; they are not of CloudEvents, and so without its prefix. A batch that is
// sent again has the same ones.
func (r *recordReader) trace(t *bridge.Trace) {
	if t == nil {
		return
	}
	r.headers = append(r.headers, protocol.Header{Key: bridge.HeaderTraceParent, Value: []byte(t.Parent())})
	if t.State != "" {
		r.headers = append(r.headers, protocol.Header{Key: bridge.HeaderTraceState, Value: []byte(t.State)})
	}
}

// attributes puts the event's attributes in the headers.
func (r *recordReader) attributes(e *bridge.Event) {
	r.text = r.text[:0]
	r.headers = append(r.headers[:0], protocol.Header{Key: headerContentType, Value: []byte(bridge.ContentTypeData)})
	for name, value := range e.Attributes() {
		if name == "datacontenttype" {
			continue
		}
		begin := len(r.text)
		r.text = append(r.text, value...)
		header := protocol.Header{Key: headerPrefix + name, Value: r.text[begin:len(r.text):len(r.text)]}
		r.headers = append(r.headers, header)
	}
}
