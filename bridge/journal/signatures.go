package journal

import (
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
	"livebridge/bridge/record"
)

// signaturePeriod is how coarsely signatures are sorted by the end of their validity, which they are dropped by.
const signaturePeriod = bridge.Millis(10 * time.Minute / time.Millisecond)

// signatureUse is what a signature was first seen over.
type signatureUse struct {
	signed [16]byte
	id     bridge.ID
}

// signatures remembers every good signature until it can no longer be taken.
type signatures struct {
	db      *pebble.DB
	filter  *existenceFilter
	dropped uint64 // periods below are gone
}

func periodOf(expires bridge.Millis) uint64 { return uint64(max(expires, 0) / signaturePeriod) }

// get returns what the signature was over. Those of the commit under way are not yet in the store.
func (s *signatures) get(sig bridge.Signature) (o signatureUse, found bool, err error) {
	if !s.filter.mayContain(periodOf(sig.Expires), sig.Sum) {
		return signatureUse{}, false, nil
	}
	var key [25]byte
	value, closer, err := s.db.Get(signatureKey(key[:0], periodOf(sig.Expires), sig.Sum))
	if errors.Is(err, pebble.ErrNotFound) {
		return signatureUse{}, false, nil
	}
	if err != nil {
		return signatureUse{}, false, err
	}
	r := record.NewReader(value, nil)
	o = signatureUse{signed: r.Bytes16(), id: r.Bytes16()}
	if err := closer.Close(); err != nil {
		return signatureUse{}, false, err
	}
	return o, true, r.Err()
}

func (s *signatures) add(w *pebble.Batch, sig bridge.Signature, o signatureUse) error {
	s.filter.add(periodOf(sig.Expires), sig.Sum)
	var key [25]byte
	var value [32]byte
	copy(value[copy(value[:], o.signed[:]):], o.id[:])
	return w.Set(signatureKey(key[:0], periodOf(sig.Expires), sig.Sum), value[:], nil)
}

// drop removes the signatures of all periods that have ended.
func (s *signatures) drop(w *pebble.Batch, now bridge.Millis) error {
	ended := periodOf(now)
	if ended <= s.dropped {
		return nil
	}
	s.dropped = ended
	s.filter.drop(ended)
	return w.DeleteRange(numberKey(nil, tableSignature, 0), numberKey(nil, tableSignature, ended), nil)
}

// tampered reports whether the arrival abuses the signature that o was first seen over: other signed fields, or, where
// the scheme is strict and reuse is not allowed, other members beside the signed ones.
func (o signatureUse) tampered(sig bridge.Signature, id bridge.ID, reuse bool) bool {
	return o.signed != sig.Signed || sig.Strict && !reuse && o.id != id
}
