package lease

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// memory is a bucket in memory.
type memory struct {
	mu       sync.Mutex
	made     time.Time
	sequence uint64
	entries  map[string]Entry
	written  map[string]time.Time
	watches  map[*watch]bool
	away     bool // no request is answered
	puts     int
	owners   map[string]string // of partitions, the last ones; forget keeps them
	moves    int               // that partitions have gone from one replica to another
}

// watch is one of a memory.
type watch struct {
	client *client
	queue  []Entry
	more   chan struct{}
}

func newMemory() *memory {
	return &memory{made: time.Now(), entries: make(map[string]Entry), written: make(map[string]time.Time),
		watches: make(map[*watch]bool), owners: make(map[string]string)}
}

// stay returns a function that fails the test if a partition has gone to another replica since.
func (m *memory) stay(t *testing.T) func() {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.moves
	return func() {
		t.Helper()
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.moves != before {
			t.Errorf("%d partitions have gone to another replica", m.moves-before)
		}
	}
}

// move notes who has a partition.
func (m *memory) move(e Entry) {
	if _, is := partitionOf(e.Key); !is || e.Holder == "" {
		return
	}
	if last := m.owners[e.Key]; last != "" && last != e.Holder {
		m.moves++
	}
	m.owners[e.Key] = e.Holder
}

// forget is another bucket in the place of this one: watches of this one tell nothing any more.
func (m *memory) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.made, m.sequence = time.Now(), 0
	clear(m.entries)
	clear(m.written)
	clear(m.watches)
}

func (m *memory) setAway(away bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.away = away
}

// client is one replica's way to a bucket.
type client struct {
	*memory
	away  bool          // by itself
	mute  string        // writes of keys that begin so are stored and not answered; "": none
	muted chan struct{} // told of the first such write
}

func (c *client) set(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

var errAway = errors.New("no answer")

// reach waits as a request without an answer does.
func (c *client) reach(ctx context.Context) error {
	c.mu.Lock()
	away := c.away || c.memory.away
	c.mu.Unlock()
	if away {
		<-ctx.Done()
		return errors.Join(errAway, ctx.Err())
	}
	return nil
}

func (c *client) Watch(ctx context.Context, patience time.Duration) (time.Time, <-chan Entry, error) {
	opening, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := c.reach(opening); err != nil {
		return time.Time{}, nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	w := &watch{client: c, more: make(chan struct{}, 1)}
	for _, key := range slices.Sorted(maps.Keys(c.entries)) {
		e := c.entries[key]
		e.Age = time.Since(c.written[key])
		w.queue = append(w.queue, e)
	}
	w.queue = append(w.queue, Entry{})
	w.more <- struct{}{}
	c.watches[w] = true
	out := make(chan Entry)
	go c.tell(ctx, w, out)
	return c.made, out, nil
}

func (c *client) tell(ctx context.Context, w *watch, out chan<- Entry) {
	defer close(out)
	for {
		select {
		case <-w.more:
		case <-ctx.Done():
			return
		}
		c.mu.Lock()
		queue := w.queue
		w.queue = nil
		c.mu.Unlock()
		for _, e := range queue {
			select {
			case out <- e:
			case <-ctx.Done():
				return
			}
		}
	}
}

func (c *client) Put(ctx context.Context, e Entry) (uint64, error) {
	if err := c.reach(ctx); err != nil {
		return 0, err
	}
	c.mu.Lock()
	mute := c.mute != "" && strings.HasPrefix(e.Key, c.mute)
	c.mu.Unlock()
	revision, err := c.store(e)
	if mute {
		select {
		case c.muted <- struct{}{}:
		default:
		}
		<-ctx.Done()
		return 0, errors.Join(errAway, ctx.Err())
	}
	return revision, err
}

func (c *client) store(e Entry) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.puts++
	if c.entries[e.Key].Revision != e.Revision {
		return 0, ErrConflict
	}
	c.sequence++
	c.move(e)
	e.Revision = c.sequence
	c.entries[e.Key], c.written[e.Key] = e, time.Now()
	for w := range c.watches {
		if w.client.away || c.memory.away {
			continue // what is written meanwhile is never told by this watch
		}
		w.queue = append(w.queue, e)
		select {
		case w.more <- struct{}{}:
		default:
		}
	}
	return e.Revision, nil
}

func (c *client) Get(ctx context.Context, key string) (Entry, error) {
	if err := c.reach(ctx); err != nil {
		return Entry{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, found := c.entries[key]; found {
		return e, nil
	}
	return Entry{Key: key}, nil
}
