package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// maxAnswer is larger than any answer of a broker.
const maxAnswer = 256 << 20

// errNotKafka is an answer that is not Kafka's protocol.
var errNotKafka = errors.New("not a Kafka broker")

// errExpectsTLS is a TLS alert in answer to a request without TLS. It is the library's own error.
var errExpectsTLS = fmt.Errorf("%w: broker appears to be expecting TLS", io.ErrUnexpectedEOF)

// framedConn is a connection that checks the length of each answer. The library trusts every length: a negative one,
// from another service at the address, would crash the program, and the first letters of an HTTP answer would allocate
// gigabytes.
type framedConn struct {
	net.Conn
	head      [4]byte // the length of an answer
	headRead  int     // bytes of head
	remaining int     // bytes of the answer that are still to be read
}

// Read implements net.Conn.
func (f *framedConn) Read(b []byte) (int, error) {
	n, err := f.Conn.Read(b)
	if wrong := f.track(b[:n]); wrong != nil {
		return 0, wrong
	}
	return n, err
}

// track follows the frames in what was read.
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

// notKafka returns the error for an impossible length. A TLS alert has its own.
func (f *framedConn) notKafka() error {
	const alert, versions = 0x15, 0x03
	if f.head[0] == alert && f.head[1] == versions {
		return errExpectsTLS
	}
	return fmt.Errorf("%w: its answer begins with %q", errNotKafka, f.head[:])
}
