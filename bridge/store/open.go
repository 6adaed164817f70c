package store

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/wal"
	"go.uber.org/zap"

	"livebridge/bridge/processor"
)

// Format is the version of the keys and values in doc.go. A journal of another version is not opened.
const Format = "livebridge-journal 3"

// ErrInUse says that another process has the journal open.
var ErrInUse = errors.New("in use by another process")

// Open opens the store and reads what the last run has left. Total is the size of the volume, 0 when it is not known.
func (s *Store) Open(total uint64) error {
	err := s.Isolate(func() error { return s.open(total) })
	s.opened = err == nil
	return err
}

func (s *Store) open(total uint64) (err error) {
	s.db, err = pebble.Open(s.opts.Dir, s.storeOptions(total))
	if pebble.IsCorruptionError(err) {
		return fmt.Errorf("open the journal in %s: its files are damaged: %w; "+
			"restore DATA_DIR, or move it away to begin anew without what it holds", s.opts.Dir, err)
	}
	if err != nil {
		return fmt.Errorf("open the journal in %s: %w", s.opts.Dir, err)
	}
	if err := s.load(); err != nil {
		return errors.Join(fmt.Errorf("load the journal in %s: %w", s.opts.Dir, err), s.db.Close())
	}
	return nil
}

func lockError(dir string, err error) error {
	if os.IsPermission(err) {
		return fmt.Errorf("open the journal in %s: %w", dir, err)
	}
	return fmt.Errorf("DATA_DIR %s is %w (%w): stop that one or set another DATA_DIR", dir, ErrInUse, err)
}

// storeOptions tunes Pebble for many small values that live for a second.
func (s *Store) storeOptions(total uint64) *pebble.Options {
	o := &pebble.Options{
		FS: s.opts.FS, Lock: s.lock, Logger: storeLog{s}, ReadOnly: s.opts.Access == ReadOnly,
		FormatMajorVersion:          pebble.FormatNewest,
		MemTableSize:                memTableSize(total, s.opts.MinFreeBytes),
		MemTableStopWritesThreshold: 8,
		L0CompactionThreshold:       12, // every file more is a block more for each lane that a backlog is read of
		L0StopWritesThreshold:       1000,
		CacheSize:                   40 << 20, // counts the memtables, often two: less leaves nothing for blocks
		WALBytesPerSync:             0,
		MaxOpenFiles:                s.opts.OpenFiles,
		EventListener:               &pebble.EventListener{BackgroundError: s.backgroundError, DataCorruption: s.corrupted},
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return o
}

// memTableSize fits the store's own files to the volume. Each memtable has a log, which is allocated whole and kept for
// the next use: ten of them on a small volume would leave no room free though nothing waits.
func memTableSize(total, minFree uint64) uint64 {
	const usual, least, share = 16 << 20, 1 << 20, 4 * 11 // a quarter of the room for ten logs of 110 % each
	if total <= minFree {
		return usual
	}
	return min(max((total-minFree)/share, least), usual)
}

// backgroundError hears of failed flushes and compactions. Pebble would try those again at once and for ever, on a disk
// that is full too; to the journal they are writes that have failed, and the goroutine does nothing more.
func (s *Store) backgroundError(err error) {
	s.Fail(fmt.Errorf("the store could not tidy up: %w", err))
	runtime.Goexit()
}

// corrupted hears of a file whose bytes do not check, whoever has read it. Pebble's own answer would be Fatalf, in the
// middle of what it is doing; here it goes on to return the error.
func (s *Store) corrupted(i pebble.DataCorruptionInfo) {
	s.Fail(fmt.Errorf("the journal's file %s is damaged: %w", i.Path, i.Details))
}

// load takes up what the last run has left.
func (s *Store) load() error {
	if err := s.checkVersion(); err != nil {
		return err
	}
	value, err := s.get([]byte{tableMeta})
	if err == nil {
		s.meta, err = readMeta(value)
	}
	if err != nil && !errors.Is(err, pebble.ErrNotFound) {
		return err
	}
	if err := errors.Join(s.recoverBatches(), s.loadHistory()); err != nil {
		return err
	}
	if err := errors.Join(s.checkMarker(), s.writeMarker()); err != nil || s.opts.Access != Service {
		return err
	}
	return s.openMarker()
}

// LoadFilters begins reading what the last run has seen, beside the work, once. Until it is read everything is looked
// for on disk, so it should begin with the first callback: until one comes nobody asks, and a backlog has the machine
// to itself.
func (s *Store) LoadFilters() {
	if s.loadStarted {
		return
	}
	s.loadStarted = true
	s.Go(func() {
		snapshot := s.db.NewSnapshot()
		err := errors.Join(
			s.identities.load(snapshot, s.closing), s.signatures.load(snapshot, s.closing), snapshot.Close())
		if err != nil {
			s.Fail(fmt.Errorf("read the identities that were seen: %w", err))
		}
	})
}

// FiltersLoaded reports whether what the last run has seen is known without reading the disk.
func (s *Store) FiltersLoaded() bool { return s.identities.loaded() && s.signatures.loaded() }

// checkVersion refuses a journal of another format and creates one where there is none.
func (s *Store) checkVersion() error {
	value, err := s.get([]byte{tableVersion})
	if errors.Is(err, pebble.ErrNotFound) {
		return s.create()
	}
	if err == nil && string(value) != Format {
		return fmt.Errorf("unsupported journal format %q (this version reads %q): "+
			"use the livebridge version that wrote it, or another DATA_DIR", value, Format)
	}
	return err
}

// create makes an empty store a journal. Version and floor go in one synced batch: a creation that was interrupted is
// one that has not begun.
func (s *Store) create() error {
	if s.opts.Access != Service {
		return fmt.Errorf("DATA_DIR %s %w: its creation was interrupted; start the service", s.opts.Dir, ErrNoJournal)
	}
	first := meta{counters: processor.Counters{Floor: processor.FirstFloor(s.opts.Created)}}
	batch := s.db.NewBatch()
	return errors.Join(
		batch.Set([]byte{tableVersion}, []byte(Format), nil),
		batch.Set([]byte{tableMeta}, first.append(nil), nil),
		batch.Commit(pebble.Sync))
}

// storeLog passes Pebble's words on. What Pebble calls fatal is a write or a check that failed: the journal fails with
// it, and the goroutine that found it does nothing more.
type storeLog struct{ s *Store }

// Infof is not passed on: it speaks of Pebble's own housekeeping. Where it says how far a log could be read, the rest
// is looked at.
func (l storeLog) Infof(_ string, args ...any) {
	for _, arg := range args {
		if end, ok := arg.(wal.Offset); ok {
			l.s.logTorn(end)
		}
	}
}

// Errorf passes an error on.
func (l storeLog) Errorf(format string, args ...any) {
	l.s.opts.Log.Warn("journal store", zap.String("message", fmt.Sprintf(format, args...)))
}

// Fatalf fails the journal and ends the goroutine.
func (l storeLog) Fatalf(format string, args ...any) {
	l.s.Fail(fmt.Errorf(format, args...))
	runtime.Goexit()
}

// ErrNoJournal says that there is no journal.
var ErrNoJournal = errors.New("holds no journal")

// Exists reports whether a directory holds a store, of any format.
func Exists(fs FS, dir string) (bool, error) {
	desc, err := pebble.Peek(dir, fs)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil && desc.Exists, err
}
