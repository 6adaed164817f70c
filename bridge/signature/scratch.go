package signature

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"livebridge/bridge"
)

// scratch is the memory for verifying one callback, reused for the next one.
type scratch struct {
	text     []byte // the signed text, as the provider joins it
	keyed    []byte // the same after the key, for schemes that sign both
	received []byte // the signature in the callback, decoded
	computed []byte // the signature made with a key
}

// decode decodes the signature's hex digits, of either case. It returns false if they are not of the scheme's length.
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

// join joins the parts as the provider does: without a separator.
func (w *scratch) join(parts ...string) {
	w.text = w.text[:0]
	for _, part := range parts {
		w.text = append(w.text, part...)
	}
}

// signatureID returns an identifier of the signature in w: it is the same for callbacks of one kind and scheme with the
// same signature.
func (w *scratch) signatureID(s bridge.Scheme, k bridge.Kind) [16]byte {
	w.text = append(append(w.text[:0], byte(s), byte(k)), w.received...)
	return digest(w.text)
}

// digestFields returns a digest of the parts that, unlike the provider's, differs when a boundary moves: each part is
// preceded by its length.
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
