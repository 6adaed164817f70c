package signature

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"livebridge/bridge"
)

// scratch is the memory that judging one callback takes, kept for the next one.
type scratch struct {
	text     []byte // the signed text, as the provider joins it
	keyed    []byte // the same behind the key, where the scheme wants that
	received []byte // the signature in the callback, decoded
	computed []byte // the signature that a key makes
}

// decode reads the signature's hex digits, of either case. It reports false when they are not what the scheme
// makes.
func (w *scratch) decode(s bridge.Scheme, sign string) bool {
	size := sha256.Size
	if s == bridge.SchemeMD5 {
		size = 16
	}
	if len(sign) != hex.EncodedLen(size) {
		return false
	}
	w.received = append(w.received[:0], sign...)
	n, err := hex.Decode(w.received, w.received)
	w.received = w.received[:n]
	return err == nil
}

// join writes the parts as the provider signs them: side by side.
func (w *scratch) join(parts ...string) {
	w.text = w.text[:0]
	for _, part := range parts {
		w.text = append(w.text, part...)
	}
}

// signatureID returns the name of the signature in w: two callbacks have the same one when they carry the same
// signature under the same scheme and kind.
func (w *scratch) signatureID(s bridge.Scheme, k bridge.Kind) [16]byte {
	w.text = append(append(w.text[:0], byte(s), byte(k)), w.received...)
	return digest(w.text)
}

// digestFields returns a digest of the parts that, unlike the provider's joining, differs when a boundary has moved:
// each part stands behind its length.
func (w *scratch) digestFields(parts ...string) [16]byte {
	w.text = w.text[:0]
	for _, part := range parts {
		w.text = binary.AppendUvarint(w.text, uint64(len(part)))
		w.text = append(w.text, part...)
	}
	return digest(w.text)
}

func digest(b []byte) [16]byte {
	full := sha256.Sum256(b)
	return [16]byte(full[:16])
}
