package record

import (
	"encoding/binary"
	"errors"
)

// errShort: a value ends before its members do. What keeps records checks their bytes, so this is a fault of the
// program or something else has written them.
var errShort = errors.New("value is shorter than its format")

// AppendText appends a text behind its length.
func AppendText[T ~string | ~[]byte](dst []byte, text T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// AppendBool appends 1 or 0.
func AppendBool(dst []byte, set bool) []byte {
	if set {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// Reader takes the members of a value in their order. After the first short one all others are zero and Err returns
// why.
type Reader struct {
	rest   []byte
	err    error
	shared Texts
}

// NewReader returns a reader of a value. Texts that shared has are not allocated again; nil shares none.
func NewReader(value []byte, shared Texts) Reader { return Reader{rest: value, shared: shared} }

// Texts are those that many records have in common.
type Texts map[string]string

// of returns the text that was there before, or else keeps this one. A nil map keeps nothing.
func (t Texts) of(text []byte) string {
	known, found := t[string(text)]
	if !found {
		known = string(text)
		if t != nil {
			t[known] = known
		}
	}
	return known
}

// Err returns an error when the value was shorter than what was taken from it.
func (r *Reader) Err() error { return r.err }

// More reports whether something is left to take.
func (r *Reader) More() bool { return len(r.rest) > 0 && r.err == nil }

// Rest returns what is left, valid as long as the value is.
func (r *Reader) Rest() []byte { return r.rest }

// Take returns the next n bytes, valid as long as the value is.
func (r *Reader) Take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.rest, r.err = nil, errShort
		return make([]byte, max(0, min(n, 16)))
	}
	part := r.rest[:n]
	r.rest = r.rest[n:]
	return part
}

// Uvarint takes an unsigned number.
func (r *Reader) Uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.rest, r.err = nil, errShort
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// Varint takes a signed number.
func (r *Reader) Varint() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.rest, r.err = nil, errShort
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// Bytes takes what AppendText has written, valid as long as the value is.
func (r *Reader) Bytes() []byte { return r.Take(int(min(r.Uvarint(), uint64(len(r.rest)+1)))) }

// Clone is Bytes for what outlives the value; nil when there are none.
func (r *Reader) Clone() []byte { return append([]byte(nil), r.Bytes()...) }

// Text takes what AppendText has written.
func (r *Reader) Text() string { return r.shared.of(r.Bytes()) }

// Byte takes one byte.
func (r *Reader) Byte() byte { return r.Take(1)[0] }

// Bool takes what AppendBool has written.
func (r *Reader) Bool() bool { return r.Byte() == 1 }

// Bytes16 takes 16 bytes.
func (r *Reader) Bytes16() [16]byte { return [16]byte(r.Take(16)) }
