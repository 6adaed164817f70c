package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// cacheFormat is the version of what a cache has on disk. One of another version is thrown away.
const cacheFormat = "livebridge-cache 1"

// cacheMaxAge is how old a cache may be. What was removed from the state meanwhile is not told for ever: Kafka forgets
// removals a day after they are compacted, by default.
const cacheMaxAge = 12 * time.Hour

// tablePosition is where a cache keeps how far it has come; behind it lies when that was.
const tablePosition = 'x'

// CacheOptions is what a cache needs to know.
type CacheOptions struct {
	Dir       string // created 0700 if absent, and emptied where it holds no cache that can be used
	FS        FS
	OpenFiles int
	// SessionEvents has lanes come back with their sessions.
	SessionEvents bool
	Now           func() time.Time // the wall clock
	Log           *zap.Logger
}

// Cache is the state of a partition as the broker has committed it, in a store that may be lost at any time: nothing is
// synced, and what is on disk is one that the state had before. It is the View that the owner of the partition decides
// on. One goroutine uses it.
type Cache struct {
	s        *Store
	opts     CacheOptions
	state    State
	position uint64 // in the state's own count: what Apply has applied ends there
	names    unfilled
}

// OpenCache opens the cache in a directory, or begins an empty one where there is none, where it is too old, or where
// it cannot be read. It returns an error that wraps ErrInUse when another process has it open.
func OpenCache(opts CacheOptions) (*Cache, error) {
	c := &Cache{opts: opts}
	err := c.open()
	if err == nil || errors.Is(err, ErrInUse) {
		return c, err
	}
	opts.Log.Info("cache of the partition begins anew", zap.String("dir", opts.Dir), zap.String("why", err.Error()))
	return c, c.Reset()
}

// Reset throws away what the cache has.
func (c *Cache) Reset() error {
	err := c.Close()
	if err == nil {
		err = c.opts.FS.RemoveAll(c.opts.Dir)
	}
	if err == nil {
		err = c.open()
	}
	if err != nil {
		return fmt.Errorf("begin the cache in %s anew: %w", c.opts.Dir, err)
	}
	return nil
}

func (c *Cache) open() error {
	c.state, c.position, c.names = State{}, 0, make(unfilled)
	s, err := Lock(Options{Dir: c.opts.Dir, FS: c.opts.FS, OpenFiles: c.opts.OpenFiles,
		SessionEvents: c.opts.SessionEvents, Log: zap.NewNop()})
	if err != nil {
		return err
	}
	if err := s.Isolate(s.openCache); err != nil {
		return errors.Join(err, s.lock.Close())
	}
	c.s = s
	return s.Isolate(c.load)
}

// openCache opens the store without a log: what is written lies on disk with the next table.
func (s *Store) openCache() (err error) {
	o := s.storeOptions(0)
	o.DisableWAL = true
	o.CacheSize = 8 << 20
	s.db, err = pebble.Open(s.opts.Dir, o)
	return err
}

// load reads how far the cache has come.
func (c *Cache) load() error {
	version, err := c.s.get([]byte{tableVersion})
	if errors.Is(err, pebble.ErrNotFound) {
		c.s.identities.beginEmpty()
		c.s.signatures.beginEmpty()
		return c.s.db.Set([]byte{tableVersion}, []byte(cacheFormat), pebble.NoSync)
	}
	if err != nil || string(version) != cacheFormat {
		return errors.Join(err, fmt.Errorf("it has the format %q", version))
	}
	return c.loadPosition()
}

func (c *Cache) loadPosition() error {
	position, err := c.s.get([]byte{tablePosition})
	if errors.Is(err, pebble.ErrNotFound) || err == nil && len(position) != 16 {
		return errors.New("it has no position")
	}
	if err != nil {
		return err
	}
	written := time.UnixMilli(int64(binary.BigEndian.Uint64(position[8:])))
	if age := c.opts.Now().Sub(written); age < 0 || age > cacheMaxAge {
		return fmt.Errorf("it was written at %s", written.UTC().Format(time.RFC3339))
	}
	value, err := c.s.get([]byte{tableMeta})
	if err == nil {
		c.state, err = readState(value)
	}
	c.position = binary.BigEndian.Uint64(position)
	c.s.LoadFilters()
	return err
}

// Position is where the rows that the cache does not have begin, in the state's own count. The cache of a state of
// which nothing is known is at 0.
func (c *Cache) Position() uint64 { return c.position }

// State is what the partition knows of itself.
func (c *Cache) State() *State { return &c.state }

// Close writes what is in memory to disk and closes the cache. Nothing is lost with what is not written.
func (c *Cache) Close() error {
	if c.s == nil {
		return nil
	}
	s := c.s
	c.s = nil
	s.Interrupt()
	s.background.Wait()
	if s.Err() != nil {
		return s.lock.Close() // of what has failed nothing more is written; the next one begins anew
	}
	flushAndClose := func() error { return errors.Join(s.db.Flush(), s.db.Close()) }
	return errors.Join(s.Isolate(flushAndClose), s.lock.Close())
}

// Lane implements processor.View.
func (c *Cache) Lane(name bridge.Lane, now processor.Moment) (processor.LaneState, bool, error) {
	return c.s.Lane(name, now)
}

// Name implements processor.View. Identities lie under the part of their bucket.
func (c *Cache) Name(n processor.Name) (processor.SignatureUse, bool, error) {
	if n.Signature && c.state.alive(tableSignature, n.Part) {
		return c.s.Name(n)
	}
	if n.Signature {
		return processor.SignatureUse{}, false, nil
	}
	i := slices.IndexFunc(c.state.Counters.Buckets, func(b processor.Bucket) bool { return b.Number == n.Part })
	if i < 0 {
		return processor.SignatureUse{}, false, nil
	}
	n.Part = partOf(&c.state.Counters.Buckets[i])
	return c.s.Name(n)
}

// Entry implements processor.View.
func (c *Cache) Entry(of processor.EntryRef) (e processor.Entry, found bool, err error) {
	if of.Place != processor.PlaceHeld {
		return c.s.Entry(of)
	}
	events, err := c.heldOf(of.Lane)
	for _, kept := range events {
		if kept.event.Session == of.Session && kept.event.Phase == of.Phase {
			return processor.Entry{Event: kept.event, Bytes: len(kept.record)}, true, err
		}
	}
	return e, false, err
}

// IdleLanes looks at the next lanes, so many of them, going round for ever, and returns those that were idle for long
// enough to be forgotten.
func (c *Cache) IdleLanes(now processor.Moment, most int) ([]bridge.Lane, error) {
	return c.s.IdleLanes(now, most, func(bridge.Lane) bool { return false })
}

// Kept returns what the processor keeps in memory.
func (c *Cache) Kept() (k processor.Kept, err error) {
	err = errors.Join(
		c.s.each(tableQuarantineIndex, func(key, value []byte) error {
			r, err := readQuarantineRecord(key, value)
			k.Quarantine = append(k.Quarantine, r)
			return err
		}),
		c.s.each(tableHeld, func(key, _ []byte) error {
			lane, err := laneOfKey(key[:len(key)-1])
			k.Holding = append(k.Holding, lane)
			return err
		}))
	return k, err
}
