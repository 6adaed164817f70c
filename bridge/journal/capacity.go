package journal

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/store"
)

// measureInterval is how often the free space of the disk is read.
const measureInterval = 500 * time.Millisecond

// capacity tells whether there is room for more. Publishing goes on when there is none, so that there will be some.
type capacity struct {
	opts  *Options
	bytes atomic.Uint64 // taken by outbox, held, quarantine and dead letters
	free  atomic.Uint64 // on the disk
	total uint64        // of the volume; 0: not known

	yields atomic.Bool // the history has room to give, or its room is being given back
	giving int         // looks of the writer until what it has dropped counts as given back

	// Of watch. The first is zero while there is room.
	fullSince, reminded time.Time
}

func newCapacity(opts *Options) *capacity {
	r := &capacity{opts: opts}
	r.total = r.measure()
	return r
}

// advisedVolume is how much a volume should have beyond MIN_FREE_BYTES: a journal that has less is full after a
// short outage.
const advisedVolume = 256 << 20

// ErrVolumeTooSmall says that no callback could ever be taken.
var ErrVolumeTooSmall = errors.New("the volume of DATA_DIR is too small")

// checkVolume refuses a volume that can never have MIN_FREE_BYTES free, and warns of one that leaves the journal
// little.
func (r *capacity) checkVolume() error {
	if r.total == 0 {
		return nil
	}
	if r.total <= r.opts.MinFreeBytes {
		return fmt.Errorf("%w: its size is %[3]s and MIN_FREE_BYTES is %[2]s; lower MIN_FREE_BYTES or use a larger volume",
			ErrVolumeTooSmall, sizeText(r.opts.MinFreeBytes), sizeText(r.total))
	}
	if left := r.total - r.opts.MinFreeBytes; left < advisedVolume {
		r.opts.Log.Warn("volume of DATA_DIR leaves little space for the journal; lower MIN_FREE_BYTES or use a larger volume",
			zap.String("journal", sizeText(left)), zap.String("volume", sizeText(r.total)),
			zap.String("MIN_FREE_BYTES", sizeText(r.opts.MinFreeBytes)))
	}
	return nil
}

// sizeText writes a number of bytes for a person.
func sizeText(n uint64) string {
	for _, unit := range []struct {
		name  string
		bytes uint64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if n >= 10*unit.bytes || n > 0 && n%unit.bytes == 0 {
			return fmt.Sprintf("%d %s", n/unit.bytes, unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}

// check returns nil or an error that wraps bridge.ErrFull.
func (r *capacity) check() error {
	if taken := r.bytes.Load(); taken >= r.opts.MaxBytes {
		return fmt.Errorf("%w: it holds %s, JOURNAL_MAX_BYTES is %s",
			bridge.ErrFull, sizeText(taken), sizeText(r.opts.MaxBytes))
	}
	if r.diskFull() {
		return fmt.Errorf("%w: the disk has %s free, MIN_FREE_BYTES is %s",
			bridge.ErrFull, sizeText(r.free.Load()), sizeText(r.opts.MinFreeBytes))
	}
	return nil
}

// diskFull reports whether the disk has less than its reserve. Half of that is enough for as long as the history gives
// its room back: it is never the reason for refusing a callback.
func (r *capacity) diskFull() bool {
	free, least := r.free.Load(), r.opts.MinFreeBytes
	return free < least/2 || free < least && !r.yields.Load()
}

// checkReplay returns an error when replays of the history may take the room of callbacks.
func (r *capacity) checkReplay() error {
	if taken := r.bytes.Load(); taken > r.opts.MaxBytes/2 || r.wanted() > 0 {
		return fmt.Errorf("%w: %s wait and JOURNAL_MAX_BYTES is %s, %s are free and MIN_FREE_BYTES is %s; "+
			"replay the rest once the broker has taken them",
			ErrReplayStopped, sizeText(taken), sizeText(r.opts.MaxBytes), sizeText(r.free.Load()), sizeText(r.opts.MinFreeBytes))
	}
	return nil
}

// ErrReplayStopped says that the journal has no room for more replays of the history. Those of the pages before are in
// the outbox.
var ErrReplayStopped = errors.New("replay stopped, to leave room for callbacks")

// leastAhead is the least space that is free beyond the disk's reserve for the history to be kept.
const leastAhead = 16 << 20

// wanted returns how much more should be free for the history to be kept: everything once the disk's reserve is needed.
func (r *capacity) wanted() uint64 {
	free, least := r.free.Load(), r.opts.MinFreeBytes
	if free < least {
		return math.MaxUint64
	}
	ahead := max(least/8, leastAhead)
	return ahead - min(ahead, free-least)
}

// short reports whether deleted data should be given back to the disk at once.
func (r *capacity) short() bool { return r.diskFull() || r.yields.Load() && r.wanted() > 0 }

func (r *capacity) setUsed(bytes uint64) { r.bytes.Store(bytes) }

// measure reads the free space and returns the size of the volume. Where it cannot be read the disk counts as full; one
// that has no such number is endless.
func (r *capacity) measure() (total uint64) {
	free, total, err := store.Usage(r.opts.FS, r.opts.Dir)
	if err != nil {
		free = 0
	}
	r.free.Store(free)
	return total
}

// logChange logs when the journal has become full, once a minute while it is, and when it has room again. A journal
// that is full when it is opened has become so then.
func (r *capacity) logChange() {
	err, now := r.check(), time.Now()
	full := !r.fullSince.IsZero()
	since := zap.Stringer("since", now.Sub(r.fullSince).Round(time.Second))
	switch {
	case err != nil && !full:
		r.fullSince, r.reminded = now, now
		r.opts.Log.Warn("journal full; callbacks are answered 503 until publishing or purging frees space",
			append(r.fields(), zap.Error(err))...)
	case err != nil && now.Sub(r.reminded) >= bridge.ReminderInterval:
		r.reminded = now
		r.opts.Log.Warn("journal still full; callbacks are answered 503 until publishing or purging frees space",
			append(r.fields(), zap.Error(err), since)...)
	case err == nil && full:
		r.fullSince = time.Time{}
		r.opts.Log.Info("journal has space again; callbacks are accepted", append(r.fields(), since)...)
	}
}

// fields are what a log line says of the room.
func (r *capacity) fields() []zap.Field {
	free := "unknown"
	if n := r.free.Load(); n < math.MaxUint64 {
		free = sizeText(n)
	}
	return []zap.Field{
		zap.String("waiting", sizeText(r.bytes.Load())), zap.String("JOURNAL_MAX_BYTES", sizeText(r.opts.MaxBytes)),
		zap.String("free", free), zap.String("MIN_FREE_BYTES", sizeText(r.opts.MinFreeBytes)),
	}
}

// watch measures until the journal closes.
func (r *capacity) watch(closing <-chan struct{}) {
	ticker := time.NewTicker(measureInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.measure()
			r.logChange()
		case <-closing:
			return
		}
	}
}

// FreeBytes returns the free space of the volume that a directory is on, as the journal measures it.
func FreeBytes(dir string) (uint64, error) {
	free, _, err := store.Usage(store.Disk(), dir)
	return free, err
}
