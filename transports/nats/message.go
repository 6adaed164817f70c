package nats

import (
	"github.com/nats-io/nats.go"

	"livebridge/bridge"
)

// Headers of a message. Those of binary mode are the CloudEvents NATS binding's: "ce-" and the attribute's name.
const (
	headerMsgID       = "Nats-Msg-Id"
	headerContentType = "content-type"
	headerPrefix      = "ce-"
)

// message makes the message of an event.
func (o *Options) message(e *bridge.Event) *nats.Msg {
	m := &nats.Msg{Subject: o.subject(e), Header: nats.Header{headerMsgID: {e.DedupeID()}}}
	if !o.Binary {
		m.Header[headerContentType] = []string{bridge.ContentTypeStructured}
		m.Data = e.AppendStructured(make([]byte, 0, len(e.Data)+768))
		return m
	}
	m.Header[headerContentType] = []string{bridge.ContentTypeData}
	for name, value := range e.Attributes() {
		m.Header[headerPrefix+name] = []string{escapeHeader(value)}
	}
	m.Data = e.Data
	return m
}

// escapeHeader percent-encodes a value as the NATS binding of CloudEvents asks: space, double quote, percent, and all
// that is not printable ASCII. Attributes hold only the percent of these.
func escapeHeader(value []byte) string {
	out := make([]byte, 0, len(value))
	for _, c := range value {
		if c == '%' {
			out = append(out, "%25"...)
			continue
		}
		out = append(out, c)
	}
	return string(out)
}

// subject returns where an event goes: one lane is one subject.
func (o *Options) subject(e *bridge.Event) string {
	if e.Quarantined() {
		return o.Quarantine + "." + e.Lane.Kind.String()
	}
	s := append(make([]byte, 0, 128), o.SubjectPrefix...)
	for _, part := range [...]string{e.Lane.Domain, e.Lane.App, e.Lane.Stream} {
		s = appendToken(append(s, '.'), part)
	}
	return string(append(append(s, '.'), e.Lane.Kind.String()...))
}

// appendToken appends a part of a lane as one token. A token cannot be empty: %00 stands for that, which no part gives.
func appendToken(dst []byte, part string) []byte {
	if part == "" {
		return append(dst, "%00"...)
	}
	return bridge.AppendEscaped(dst, part, bridge.EscapeDot)
}

// size returns how much the server counts of a message: headers as on the wire, and payload.
func size(m *nats.Msg) int64 {
	n := len("NATS/1.0\r\n\r\n") + len(m.Data)
	for name, values := range m.Header {
		for _, v := range values {
			n += len(name) + len(": \r\n") + len(v)
		}
	}
	return int64(n)
}
