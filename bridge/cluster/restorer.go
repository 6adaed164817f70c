package cluster

import (
	"livebridge/bridge"
	"livebridge/bridge/store"
)

// restoreBytes is how much is restored at once: a cache takes many rows faster than few.
const restoreBytes = 4 << 20

// restorer gathers rows of a state on their way into the cache.
type restorer struct {
	cache    *store.Cache
	restored func(rows int)
	rows     []bridge.Row
	bytes    []byte // of the rows, which are not ours
	next     uint64
}

// put takes rows that were committed.
func (r *restorer) put(rows []bridge.Row, next uint64) error {
	for _, row := range rows {
		r.rows = append(r.rows, bridge.Row{Key: r.keep(row.Key), Value: r.keep(row.Value)})
	}
	r.next = next
	if len(r.bytes) < restoreBytes {
		return nil
	}
	return r.flush()
}

// keep copies bytes; nil stays nil.
func (r *restorer) keep(b []byte) []byte {
	if b == nil {
		return nil
	}
	from := len(r.bytes)
	r.bytes = append(r.bytes, b...)
	return r.bytes[from:len(r.bytes):len(r.bytes)]
}

// flush takes what was gathered into the cache.
func (r *restorer) flush() error {
	if r.next == 0 {
		return nil
	}
	if err := r.cache.Apply(r.rows, r.next); err != nil {
		return err
	}
	r.restored(len(r.rows))
	r.rows, r.bytes, r.next = r.rows[:0], r.bytes[:0], 0
	return nil
}
