package journal

import (
	"encoding/binary"
	"errors"
)

// errShort: a value ends before its members do. Pebble checks every byte by checksum, so this is a fault of the
// program or a store that something else wrote.
var errShort = errors.New("value is shorter than its format")

func appendText[T ~string | ~[]byte](dst []byte, text T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// reader takes the members of a value in their order. After the first short one all others are zero and err is set.
type reader struct {
	rest   []byte
	err    error
	shared texts
}

// texts are those that many events have in common.
type texts map[string]string

// of returns the text that was there before, or else keeps this one. A nil map keeps nothing.
func (t texts) of(text []byte) string {
	known, found := t[string(text)]
	if !found {
		known = string(text)
		if t != nil {
			t[known] = known
		}
	}
	return known
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.rest, r.err = nil, errShort
		return make([]byte, max(0, min(n, 16)))
	}
	part := r.rest[:n]
	r.rest = r.rest[n:]
	return part
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.rest, r.err = nil, errShort
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.rest, r.err = nil, errShort
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// bytes returns a part of the value, valid as long as the value is.
func (r *reader) bytes() []byte { return r.take(int(min(r.uvarint(), uint64(len(r.rest)+1)))) }

// clone is bytes for what outlives the value; nil when there are none.
func (r *reader) clone() []byte { return append([]byte(nil), r.bytes()...) }

func (r *reader) text() string { return r.shared.of(r.bytes()) }

func (r *reader) byte() byte { return r.take(1)[0] }

func (r *reader) bytes16() [16]byte { return [16]byte(r.take(16)) }
