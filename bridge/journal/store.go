package journal

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/wal"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/outbox"
	"livebridge/bridge/record"
)

// formatVersion is the version of the keys and values in doc.go. A journal of another version is not opened.
const formatVersion = "livebridge-journal 3"

// ErrInUse says that another process has the journal open.
var ErrInUse = errors.New("in use by another process")

// open locks the directory, opens the store and loads what is kept in memory.
func (j *Journal) open() error {
	dir, fs := j.opts.Dir, j.opts.FS
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create DATA_DIR %s: %w", dir, err)
	}
	var err error
	if j.lock, err = pebble.LockDirectory(dir, fs); err != nil {
		return lockError(dir, err)
	}
	j.capacity = newCapacity(&j.opts)
	if err = j.capacity.checkVolume(); err == nil || j.mode != online {
		err = j.isolate(j.openStore)
	}
	if err != nil {
		return errors.Join(err, j.lock.Close())
	}
	return nil
}

func (j *Journal) openStore() (err error) {
	j.db, err = pebble.Open(j.opts.Dir, j.storeOptions())
	if pebble.IsCorruptionError(err) {
		return fmt.Errorf("open the journal in %s: its files are damaged: %w; "+
			"restore DATA_DIR, or move it away to begin anew without what it holds", j.opts.Dir, err)
	}
	if err != nil {
		return fmt.Errorf("open the journal in %s: %w", j.opts.Dir, err)
	}
	if err := j.load(); err != nil {
		return errors.Join(fmt.Errorf("load the journal in %s: %w", j.opts.Dir, err), j.db.Close())
	}
	return nil
}

// isolate calls f in a goroutine of its own, which the store may end (see storeLog.Fatalf) or never let come back, and
// returns f's error, or then the failure.
func (j *Journal) isolate(f func() error) error {
	ended := make(chan error, 1)
	go func() {
		defer close(ended)
		defer j.failOnPanic()
		ended <- f()
	}()
	select {
	case err, returned := <-ended:
		if returned {
			return err
		}
	case <-j.failed:
	}
	return fmt.Errorf("the journal in %s: %w", j.opts.Dir, j.Err())
}

func lockError(dir string, err error) error {
	if os.IsPermission(err) {
		return fmt.Errorf("open the journal in %s: %w", dir, err)
	}
	return fmt.Errorf("DATA_DIR %s is %w (%w): stop that one or set another DATA_DIR", dir, ErrInUse, err)
}

// storeOptions tunes Pebble for many small values that live for a second.
func (j *Journal) storeOptions() *pebble.Options {
	o := &pebble.Options{
		FS: j.opts.FS, Lock: j.lock, Logger: storeLog{j}, ReadOnly: j.mode == ReadOnly,
		FormatMajorVersion:          pebble.FormatNewest,
		MemTableSize:                memTableSize(j.capacity),
		MemTableStopWritesThreshold: 8,
		L0CompactionThreshold:       12, // every file more is a block more for each lane that a backlog is read of
		L0StopWritesThreshold:       1000,
		CacheSize:                   40 << 20, // counts the memtables, often two: less leaves nothing for blocks
		WALBytesPerSync:             0,
		MaxOpenFiles:                j.opts.OpenFiles,
		EventListener:               &pebble.EventListener{BackgroundError: j.backgroundError, DataCorruption: j.corrupted},
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return o
}

// memTableSize fits the store's own files to the volume. Each memtable has a log, which is allocated whole and kept for
// the next use: ten of them on a small volume would leave no room free though nothing waits.
func memTableSize(r *capacity) uint64 {
	const usual, least, share = 16 << 20, 1 << 20, 4 * 11 // a quarter of the room for ten logs of 110 % each
	if r.total == 0 || r.total <= r.opts.MinFreeBytes {
		return usual
	}
	return min(max((r.total-r.opts.MinFreeBytes)/share, least), usual)
}

// backgroundError hears of failed flushes and compactions. Pebble would try those again at once and for ever, on a disk
// that is full too; to the journal they are writes that have failed, and the goroutine does nothing more.
func (j *Journal) backgroundError(err error) {
	j.fail(fmt.Errorf("the store could not tidy up: %w", err))
	runtime.Goexit()
}

// corrupted hears of a file whose bytes do not check, whoever has read it. Pebble's own answer would be Fatalf, in the
// middle of what it is doing; here it goes on to return the error.
func (j *Journal) corrupted(i pebble.DataCorruptionInfo) {
	j.fail(fmt.Errorf("the journal's file %s is damaged: %w", i.Path, i.Details))
}

// load takes up what the last run has left.
func (j *Journal) load() error {
	if err := j.checkVersion(); err != nil {
		return err
	}
	value, err := j.get([]byte{tableMeta})
	if err == nil {
		j.meta, err = readMeta(value)
	}
	if err != nil && !errors.Is(err, pebble.ErrNotFound) {
		return err
	}
	j.meta.next = max(j.meta.next, 1) // what begins with 1 can be asked for from 0 on
	if err := j.recoverBatches(); err != nil {
		return err
	}
	j.dedupe = dedupeIndex{db: j.db, opts: &j.opts, meta: &j.meta, filter: newExistenceFilter(tableIdentity)}
	j.signatures = signatures{db: j.db, filter: newExistenceFilter(tableSignature)}
	j.outbox = outbox.New(outbox.Options{
		Backlog: backlog{j.db}, Limit: j.opts.OutboxMemory, Depth: int(j.meta.outbox.entries), Committed: j.meta.commit,
		WakeWriter: j.queue.wakeWriter, Background: j.inBackground, Fail: j.fail,
	})
	j.capacity.setUsed(j.bytes())
	if j.lanes, err = newLanes(j.db, &j.meta, &j.opts); err != nil {
		return err
	}
	if err := errors.Join(j.checkMarker(), j.quarantine.load(j.db), j.loadHolds()); err != nil {
		return err
	}
	return j.writeMarker()
}

// startLoading begins loading the filters with the first callback or command: until one comes nobody asks, and a
// backlog has the machine to itself.
func (j *Journal) startLoading() {
	if !j.loadStarted {
		j.loadStarted = true
		j.inBackground(j.loadFilters)
	}
}

// loadFilters takes in what the last run has seen, beside the work.
func (j *Journal) loadFilters() {
	snapshot := j.db.NewSnapshot()
	err := errors.Join(
		j.dedupe.filter.load(snapshot, j.closing), j.signatures.filter.load(snapshot, j.closing), snapshot.Close())
	if err != nil {
		j.fail(fmt.Errorf("read the identities that were seen: %w", err))
	}
}

// checkVersion refuses a journal of another format and creates one where there is none.
func (j *Journal) checkVersion() error {
	value, err := j.get([]byte{tableVersion})
	if errors.Is(err, pebble.ErrNotFound) {
		return j.create()
	}
	if err == nil && string(value) != formatVersion {
		return fmt.Errorf("unsupported journal format %q (this version reads %q): "+
			"use the livebridge version that wrote it, or another DATA_DIR", value, formatVersion)
	}
	return err
}

// create makes an empty store a journal. Version and floor go in one synced batch: a creation that was interrupted is
// one that has not begun.
func (j *Journal) create() error {
	if j.mode != online {
		return fmt.Errorf("DATA_DIR %s %w: its creation was interrupted; start the service", j.opts.Dir, ErrNoJournal)
	}
	first := meta{floor: initialFloor(j.clock.millis())}
	batch := j.db.NewBatch()
	return errors.Join(
		batch.Set([]byte{tableVersion}, []byte(formatVersion), nil),
		batch.Set([]byte{tableMeta}, first.append(nil), nil),
		batch.Commit(pebble.Sync))
}

// loadHolds brings the lanes that hold something into memory, with what is left of their holds.
func (j *Journal) loadHolds() error {
	loaded := make(map[bridge.Lane]bool)
	return each(j.db, tableHeld, func(_, value []byte) error {
		e, err := record.ReadEvent(value)
		if err != nil || loaded[e.Lane] {
			return err
		}
		loaded[e.Lane] = true
		l, err := j.lanes.get(e.Lane, j.clock)
		if err == nil {
			j.holds.update(l, 0)
		}
		return err
	})
}

// storeLog passes Pebble's words on. What Pebble calls fatal is a write or a check that failed: the journal fails with
// it, and the goroutine that found it does nothing more.
type storeLog struct{ j *Journal }

// Infof is not passed on: it speaks of Pebble's own housekeeping. Where it says how far a log could be read, the rest
// is looked at.
func (l storeLog) Infof(_ string, args ...any) {
	for _, arg := range args {
		if end, ok := arg.(wal.Offset); ok {
			l.j.logTorn(end)
		}
	}
}

// Errorf passes an error on.
func (l storeLog) Errorf(format string, args ...any) {
	l.j.opts.Log.Warn("journal store", zap.String("message", fmt.Sprintf(format, args...)))
}

// Fatalf fails the journal and ends the goroutine.
func (l storeLog) Fatalf(format string, args ...any) {
	l.j.fail(fmt.Errorf(format, args...))
	runtime.Goexit()
}
