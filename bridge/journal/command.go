package journal

import (
	"fmt"
	"sync"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// operation is what a command does.
type operation byte

const (
	opInspect   operation = iota // counts what only the writer knows
	opRelease                    // takes entries off a review queue and replays them
	opPurge                      // takes entries off a review queue
	opExpandAll                  // writes all event batches row by row, so that opReplay finds their events
	opReplay                     // replays a page of the outbox, or of the history
	opRemember                   // takes in what partitions remember
)

// command is what an operator asks the writer for. What the processor decides of it is an Input, which can be written
// to a log and applied elsewhere.
type command struct {
	op      operation
	queue   bridge.ReviewQueue // of opRelease and opPurge
	numbers []uint64           // likewise
	replay  bridge.ReplayQuery // of opReplay
	memory  *processor.Memory  // of opRemember
}

// result is what a command has come to.
type result struct {
	outcomes []bridge.Outcome    // of opRelease and opPurge, in the order of the numbers
	replay   bridge.ReplayResult // of opReplay
	commit   uint64              // of opExpandAll: the last commit before it
	stats    bridge.JournalStats // of opInspect
}

// execute carries a command out. Its error fails the journal: what an operator may get wrong is part of the result.
func (j *Journal) execute(c *commit, cmd *command) (r result, err error) {
	switch cmd.op {
	case opInspect:
		j.count(&r.stats)
	case opRelease:
		r.outcomes, err = j.clear(c, processor.Release, cmd)
	case opPurge:
		r.outcomes, err = j.clear(c, processor.Purge, cmd)
	case opExpandAll:
		r.commit = j.store.Committed()
		err = c.batch.ExpandAll()
	case opReplay:
		r.replay, err = j.replayPage(c, cmd.replay)
	case opRemember:
		err = j.apply(c, processor.Input{Action: processor.Remember, Memory: cmd.memory})
	default:
		err = fmt.Errorf("unknown operation %d", cmd.op)
	}
	return r, err
}

// clear takes the entries that a command names off their queue.
func (j *Journal) clear(c *commit, a processor.Action, cmd *command) ([]bridge.Outcome, error) {
	before := len(c.effects.Outcomes)
	err := j.apply(c, processor.Input{Action: a, Queue: cmd.queue, Numbers: cmd.numbers})
	return append(make([]bridge.Outcome, 0, len(cmd.numbers)), c.effects.Outcomes[before:]...), err
}

// do has the writer carry out a command and returns its result when it is on disk. The capacity is not checked:
// operators make some.
func (j *Journal) do(cmd command) (result, error) {
	if j.mode != online {
		return j.doOffline(cmd)
	}
	if j.Err() != nil {
		return result{}, bridge.ErrFailed
	}
	r := &request{command: &cmd, done: make(chan error, 1)}
	j.queue.put(r)
	if answered, err := j.await(r); !answered || err != nil {
		return result{}, err
	}
	return r.result, nil
}

// doOffline carries a command out where there is no writer.
func (j *Journal) doOffline(cmd command) (result, error) {
	j.access.mu.Lock()
	defer j.access.mu.Unlock()
	c := j.newCommit(nil)
	r, err := j.execute(c, &cmd)
	if err == nil && !c.empty() {
		if err = j.seal(c); err == nil {
			err = c.batch.ApplySync()
		}
	}
	if err != nil {
		j.store.Fail(err)
		return result{}, err
	}
	j.afterApply(c)
	return r, c.batch.Close()
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
