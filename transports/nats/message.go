package nats

import (
	"hash/fnv"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"

	"livebridge/bridge"
)

// Headers of a message. Those of binary mode are the CloudEvents NATS binding's: "ce-" and the attribute's name.
const (
	headerMsgID       = "Nats-Msg-Id"
	headerExpected    = "Nats-Expected-Stream" // the server refuses the message if another stream would store it
	headerContentType = "content-type"
	headerPrefix      = "ce-"
)

// maxPooledBody is the largest payload buffer that a message keeps for the next event.
const maxPooledBody = 64 << 10

// message is a message with pooled memory: the client copies it into its write buffer before it returns.
type message struct {
	msg  nats.Msg
	body []byte
}

// messagePool makes messages of one content mode.
type messagePool struct {
	opts *Options
	pool sync.Pool
}

func newMessagePool(o *Options) *messagePool {
	return &messagePool{opts: o, pool: sync.Pool{New: func() any { return newMessage() }}}
}

func newMessage() *message {
	return &message{msg: nats.Msg{Header: make(nats.Header)}, body: make([]byte, 0, 1024)}
}

// of returns the message of an event. It is valid until release.
func (s *messagePool) of(e *bridge.Event) *message {
	d := s.pool.Get().(*message)
	d.set(headerMsgID, e.DedupeID())
	d.set(headerExpected, s.opts.streamOf(e))
	d.event(s.opts, e)
	return d
}

// event makes it the message of an event.
func (d *message) event(o *Options, e *bridge.Event) {
	d.msg.Subject = o.subject(e)
	d.trace(e.Trace)
	if o.Binary {
		d.binary(e)
		return
	}
	d.set(headerContentType, bridge.ContentTypeStructured)
	d.body = e.AppendStructured(d.body[:0])
	d.msg.Data = d.body
}

// trace sets the headers of W3C Trace Context, or deletes those of the previous event. They are not of CloudEvents, and
// so without its prefix.
func (d *message) trace(t *bridge.Trace) {
	delete(d.msg.Header, bridge.HeaderTraceState)
	if t == nil {
		delete(d.msg.Header, bridge.HeaderTraceParent)
		return
	}
	d.set(bridge.HeaderTraceParent, t.Parent())
	if t.State != "" {
		d.set(bridge.HeaderTraceState, t.State)
	}
}

// binary puts the attributes in headers. It deletes those of the previous event, since not every event has all of them.
func (d *message) binary(e *bridge.Event) {
	for name := range d.msg.Header {
		if strings.HasPrefix(name, headerPrefix) {
			delete(d.msg.Header, name)
		}
	}
	d.set(headerContentType, bridge.ContentTypeData)
	for name, value := range e.Attributes() {
		d.set(headerPrefix+name, escapeHeader(value))
	}
	d.msg.Data = e.Data
}

func (d *message) set(name, value string) {
	if v := d.msg.Header[name]; len(v) == 1 {
		v[0] = value
		return
	}
	d.msg.Header[name] = []string{value}
}

func (s *messagePool) release(d *message) {
	d.msg.Data, d.msg.Reply = nil, ""
	if cap(d.body) <= maxPooledBody {
		s.pool.Put(d)
	}
}

// size returns the size of a message as the server counts it: headers as on the wire, and payload.
func (d *message) size() int64 {
	n := len("NATS/1.0\r\n\r\n") + len(d.msg.Data)
	for name, values := range d.msg.Header {
		for _, v := range values {
			n += len(name) + len(": \r\n") + len(v)
		}
	}
	return int64(n)
}

// escapeHeader percent-encodes a value as the NATS binding of CloudEvents requires: space, double quote, percent, and
// everything that is not printable ASCII.
func escapeHeader(value []byte) string {
	const hex = "0123456789ABCDEF"
	out := make([]byte, 0, len(value)+16)
	for _, c := range value {
		if c <= ' ' || c >= 0x7f || c == '"' || c == '%' {
			out = append(out, '%', hex[c>>4], hex[c&15])
		} else {
			out = append(out, c)
		}
	}
	return string(out)
}

// streamOf returns the name of the stream that must store an event.
func (o *Options) streamOf(e *bridge.Event) string {
	if e.Quarantined() {
		return QuarantineStream
	}
	return o.Stream
}

// subject returns the subject of an event. Each lane has its own.
func (o *Options) subject(e *bridge.Event) string {
	if e.Quarantined() {
		return o.Quarantine + "." + e.Lane.Kind.String()
	}
	s := append(make([]byte, 0, 128), o.SubjectPrefix...)
	if o.Partitions > 0 {
		s = strconv.AppendUint(append(s, '.'), uint64(o.partitionOf(e)), 10)
	}
	for _, part := range [...]string{e.Lane.Domain, e.Lane.App, e.Lane.Stream} {
		s = appendToken(append(s, '.'), part)
	}
	return string(append(append(s, '.'), e.Lane.Kind.String()...))
}

// partitionOf returns the partition of an event: all events of one stream are in the same, whatever their kind.
func (o *Options) partitionOf(e *bridge.Event) uint32 {
	h := fnv.New32a()
	_, _ = h.Write(e.AppendPartitionKey(make([]byte, 0, 128))) // never fails
	return h.Sum32() % uint32(o.Partitions)
}

// appendToken appends a part of a lane as one token. A token cannot be empty: %00, which no part encodes to, stands for
// an empty part.
func appendToken(dst []byte, part string) []byte {
	if part == "" {
		return append(dst, "%00"...)
	}
	return bridge.AppendEscaped(dst, part, bridge.EscapeDot)
}
