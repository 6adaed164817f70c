package journal

import (
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
)

// command has the writer carry out what an operator asks for and returns nil when it is on disk. An error of do fails the
// journal: what an operator may get wrong is told by what do leaves behind. There is no room to be checked: operators
// make some.
func (j *Journal) command(do func(*commit) error) error {
	if j.mode != online {
		return j.runOffline(do)
	}
	if j.Err() != nil {
		return bridge.ErrFailed
	}
	r := &request{command: do, done: make(chan error, 1)}
	j.queue.put(r)
	_, err := j.await(r)
	return err
}

// runOffline carries a command out where there is no writer.
func (j *Journal) runOffline(do func(*commit) error) error {
	j.access.mu.Lock()
	defer j.access.mu.Unlock()
	c := j.newCommit(nil)
	err := do(c)
	if err == nil && !c.empty() {
		if err = c.seal(); err == nil {
			err = j.db.Apply(c.batch, pebble.Sync)
		}
	}
	if err != nil {
		j.fail(err)
		return err
	}
	j.afterApply(c)
	return c.batch.Close()
}

// access lets operators read the store for as long as it is open.
type access struct {
	mu    sync.RWMutex
	ended bool
}

func (a *access) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
}

// read calls f while the store is open.
func (j *Journal) read(f func() error) error {
	j.access.mu.RLock()
	defer j.access.mu.RUnlock()
	if j.access.ended {
		return bridge.ErrStopping
	}
	return f()
}
