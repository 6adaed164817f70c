package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// maxAnswer is more than any answer of a broker has.
const maxAnswer = 256 << 20

// errNotKafka is an answer that no broker gives.
var errNotKafka = errors.New("what answers is no Kafka broker")

// framedConn is a connection whose answers have a length that can be true. The library believes every length: a negative one,
// from whoever else listens at the address, would end the program, and the first letters of an HTTP server gigabytes.
type framedConn struct {
	net.Conn
	head      [4]byte // the length of an answer
	headRead  int     // bytes of head
	remaining int     // bytes that the answer still has
}

// Read implements net.Conn.
func (f *framedConn) Read(b []byte) (int, error) {
	n, err := f.Conn.Read(b)
	if wrong := f.track(b[:n]); wrong != nil {
		return 0, wrong
	}
	return n, err
}

// track goes from one answer to the next.
func (f *framedConn) track(b []byte) error {
	for len(b) > 0 {
		if f.remaining > 0 {
			n := min(f.remaining, len(b))
			f.remaining, b = f.remaining-n, b[n:]
			continue
		}
		n := copy(f.head[f.headRead:], b)
		f.headRead, b = f.headRead+n, b[n:]
		if f.headRead < len(f.head) {
			return nil
		}
		length := int32(binary.BigEndian.Uint32(f.head[:]))
		if length < 0 || length > maxAnswer {
			return f.notKafka()
		}
		f.headRead, f.remaining = 0, int(length)
	}
	return nil
}

// notKafka tells the alert of a server that expects TLS from other answers.
func (f *framedConn) notKafka() error {
	const alert, versions = 0x15, 0x03
	if f.head[0] == alert && f.head[1] == versions {
		return fmt.Errorf("%w: broker appears to be expecting TLS", io.ErrUnexpectedEOF) // as the library says it
	}
	return fmt.Errorf("%w: its answer begins with %q", errNotKafka, f.head[:])
}
