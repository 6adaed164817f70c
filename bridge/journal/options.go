package journal

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/store"
)

// Options is everything that can be set about a journal. Start from DefaultOptions.
type Options struct {
	// where
	Dir string   // created 0700 if absent
	FS  store.FS // the disk; tests put one in memory

	// OpenFiles is how many files the journal keeps open. It has up to ReservedFiles more for a moment.
	OpenFiles int

	// Wall is the wall clock, which may jump: events are stamped with it, and no hold is measured on it.
	Wall func() time.Time

	// order
	Limits  processor.Limits
	HeldMax int // events held in all lanes

	// memory of what was seen
	DedupeWindow   time.Duration
	DedupeMax      uint64 // identities; beyond, the oldest part is forgotten early
	LanesCached    int    // lanes kept in memory; the rest is read again when needed
	SignatureReuse bool   // take another event under a stream status signature that was seen before

	// room
	MaxBytes       uint64 // what outbox, held, quarantine and dead letters may take together
	MinFreeBytes   uint64 // what stays free on the disk
	QuarantineMax  int    // entries
	DeadLettersMax int    // entries
	OutboxMemory   int    // events of the outbox kept in memory; the rest is read from disk

	QuarantineMaxAge time.Duration // an entry that is older goes; 0: none does

	// the history
	Keep      time.Duration // how long published events are kept; 0: not at all
	KeepBytes uint64        // what they may take, beside MaxBytes

	// what the quarantine says to the outside
	PublishQuarantine bool

	Log        *zap.Logger
	Registerer prometheus.Registerer
}

// Open files of a journal. Tables that are read are kept open, MinOpenFiles to MaxOpenFiles of them; besides there are
// logs, manifest and locks, and what an iterator or a compaction has open of tables that are not kept.
const (
	MinOpenFiles  = 64
	MaxOpenFiles  = 1000
	ReservedFiles = 64
)

// DefaultOptions returns the product's defaults for a journal in dir.
func DefaultOptions(dir string) Options {
	return Options{
		Dir: dir,
		FS:  store.Disk(),

		OpenFiles: MaxOpenFiles,

		Wall: time.Now,

		Limits:  processor.Limits{HoldDone: 10 * time.Second, HoldNext: 3 * time.Second, PerLane: 16},
		HeldMax: 10_000,

		DedupeWindow: 24 * time.Hour,
		DedupeMax:    20_000_000,
		LanesCached:  200_000,

		MaxBytes:       8 << 30,
		MinFreeBytes:   512 << 20,
		QuarantineMax:  10_000,
		DeadLettersMax: 10_000,
		OutboxMemory:   65_536,

		QuarantineMaxAge: 30 * 24 * time.Hour,

		KeepBytes: 1 << 30,

		PublishQuarantine: true,

		Log:        zap.NewNop(),
		Registerer: prometheus.NewRegistry(),
	}
}

// processorOptions are what the processor decides by.
func (o *Options) processorOptions() processor.Options {
	return processor.Options{
		Limits: o.Limits, HeldMax: o.HeldMax,
		DedupeWindow: o.DedupeWindow, DedupeMax: o.DedupeMax, LanesCached: o.LanesCached, SignatureReuse: o.SignatureReuse,
		QuarantineMax: o.QuarantineMax, QuarantineMaxAge: o.QuarantineMaxAge, DeadLettersMax: o.DeadLettersMax,
		PublishQuarantine: o.PublishQuarantine,
	}
}

// storeOptions are those of the store.
func (o *Options) storeOptions(m Mode, created bridge.Millis) store.Options {
	return store.Options{
		Dir: o.Dir, FS: o.FS, Access: m, OpenFiles: o.OpenFiles, MinFreeBytes: o.MinFreeBytes, Created: created, Log: o.Log,
		Keep: o.Keep, KeepBytes: o.KeepBytes,
	}
}
