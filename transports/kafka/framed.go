package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// longestAnswer is more than any answer of a broker has.
const longestAnswer = 256 << 20

// errNotKafka is an answer that no broker gives.
var errNotKafka = errors.New("what answers is no Kafka broker")

// framed is a connection whose answers have a length that can be true. The library believes every length: a negative one,
// from whoever else listens at the address, would end the program, and the first letters of an HTTP server gigabytes.
type framed struct {
	net.Conn
	head [4]byte // the length of an answer
	have int     // bytes of head
	left int     // bytes that the answer still has
}

// Read implements net.Conn.
func (f *framed) Read(b []byte) (int, error) {
	n, err := f.Conn.Read(b)
	if wrong := f.follow(b[:n]); wrong != nil {
		return 0, wrong
	}
	return n, err
}

// follow goes from one answer to the next.
func (f *framed) follow(b []byte) error {
	for len(b) > 0 {
		if f.left > 0 {
			n := min(f.left, len(b))
			f.left, b = f.left-n, b[n:]
			continue
		}
		n := copy(f.head[f.have:], b)
		f.have, b = f.have+n, b[n:]
		if f.have < len(f.head) {
			return nil
		}
		length := int32(binary.BigEndian.Uint32(f.head[:]))
		if length < 0 || length > longestAnswer {
			return f.notKafka()
		}
		f.have, f.left = 0, int(length)
	}
	return nil
}

// notKafka tells the alert of a server that expects TLS from other answers.
func (f *framed) notKafka() error {
	const alert, versions = 0x15, 0x03
	if f.head[0] == alert && f.head[1] == versions {
		return fmt.Errorf("%w: broker appears to be expecting TLS", io.ErrUnexpectedEOF) // as the library says it
	}
	return fmt.Errorf("%w: its answer begins with %q", errNotKafka, f.head[:])
}
