package journal

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
)

// bucketParts is how many parts the dedupe window, and its limit in identities, are cut into. An identity is remembered
// for the window and up to one part longer.
const bucketParts = 6

// dedupeIndex remembers the identities of everything that entered a lane; the quarantine knows its own.
type dedupeIndex struct {
	db     *pebble.DB
	opts   *Options
	meta   *meta
	filter *existenceFilter
}

// has reports whether the identity is in the store. Those of the commit under way are not yet.
func (s *dedupeIndex) has(id bridge.ID) (bool, error) {
	for i := len(s.meta.buckets) - 1; i >= 0; i-- {
		number := s.meta.buckets[i].number
		if !s.filter.mayContain(number, id) {
			continue
		}
		var key [25]byte
		found, err := exists(s.db, identityKey(key[:0], number, id))
		if found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// add writes the identity to the newest bucket.
func (s *dedupeIndex) add(w *pebble.Batch, id bridge.ID, now bridge.Millis) error {
	b := s.newest(now)
	b.count++
	b.last = max(b.last, now)
	s.filter.add(b.number, id)
	var key [25]byte
	return w.Set(identityKey(key[:0], b.number, id), nil, nil)
}

// newest returns the bucket that identities go into now, a new one when the last has had its time or its share.
func (s *dedupeIndex) newest(now bridge.Millis) *bucket {
	n := len(s.meta.buckets)
	if n > 0 {
		b := &s.meta.buckets[n-1]
		if now-b.first < s.window()/bucketParts && b.count < max(1, s.opts.DedupeMax/bucketParts) {
			return b
		}
	}
	number := uint64(1)
	if n > 0 {
		number = s.meta.buckets[n-1].number + 1
	}
	s.meta.buckets = append(s.meta.buckets, bucket{number: number, first: now, last: now})
	return &s.meta.buckets[n]
}

// drop removes the buckets whose time is over, and the oldest ones while there are too many identities. It returns how
// many identities went before their time.
func (s *dedupeIndex) drop(w *pebble.Batch, now bridge.Millis) (early uint64, err error) {
	for len(s.meta.buckets) > 0 {
		oldest := s.meta.buckets[0]
		expired := now-oldest.last > s.window()
		if !expired && (s.count() <= s.opts.DedupeMax || len(s.meta.buckets) == 1) {
			return early, nil
		}
		if !expired {
			early += oldest.count
		}
		lower, upper := numberKey(nil, tableIdentity, oldest.number), numberKey(nil, tableIdentity, oldest.number+1)
		if err := w.DeleteRange(lower, upper, nil); err != nil {
			return early, err
		}
		s.meta.buckets = append([]bucket(nil), s.meta.buckets[1:]...)
		s.filter.drop(oldest.number + 1)
	}
	return early, nil
}

func (s *dedupeIndex) count() (total uint64) {
	for _, b := range s.meta.buckets {
		total += b.count
	}
	return total
}

func (s *dedupeIndex) window() bridge.Millis {
	return bridge.Millis(s.opts.DedupeWindow.Milliseconds())
}

// exists reports whether the store has the key.
func exists(db *pebble.DB, key []byte) (bool, error) {
	_, closer, err := db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, closer.Close()
}
