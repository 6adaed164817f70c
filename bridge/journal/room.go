package journal

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"livebridge/bridge"
)

// look is how often the free space of the disk is read.
const look = 500 * time.Millisecond

// room tells whether there is room for more. Publishing goes on when there is none, so that there will be some.
type room struct {
	opts  *Options
	bytes atomic.Uint64 // taken by outbox, held, quarantine and dead letters
	free  atomic.Uint64 // on the disk
}

func newRoom(opts *Options) *room {
	r := &room{opts: opts}
	r.measure()
	return r
}

// check returns nil or an error that wraps bridge.ErrFull.
func (r *room) check() error {
	if taken := r.bytes.Load(); taken >= r.opts.MaxBytes {
		return fmt.Errorf("%w: %d bytes wait in it, JOURNAL_MAX_BYTES is %d", bridge.ErrFull, taken, r.opts.MaxBytes)
	}
	if r.diskFull() {
		return fmt.Errorf("%w: the disk has %d bytes free, MIN_FREE_BYTES is %d", bridge.ErrFull, r.free.Load(), r.opts.MinFreeBytes)
	}
	return nil
}

func (r *room) diskFull() bool { return r.free.Load() < r.opts.MinFreeBytes }

func (r *room) used(bytes uint64) { r.bytes.Store(bytes) }

// measure reads the free space. Where it cannot be read the disk counts as full; one that has no such number is endless.
func (r *room) measure() {
	usage, err := r.opts.FS.GetDiskUsage(r.opts.Dir)
	switch {
	case errors.Is(err, vfs.ErrUnsupported):
		usage.AvailBytes = math.MaxUint64
	case err != nil:
		usage.AvailBytes = 0
	}
	r.free.Store(usage.AvailBytes)
}

// watch measures until the journal closes.
func (r *room) watch(closing <-chan struct{}) {
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.measure()
		case <-closing:
			return
		}
	}
}
