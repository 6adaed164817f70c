package journal

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
	"livebridge/bridge/record"
)

// operation is what a command does.
type operation byte

const (
	opInspect   operation = iota // counts what only the writer knows
	opRelease                    // takes entries off a review queue and replays them
	opPurge                      // takes entries off a review queue
	opExpandAll                  // writes all event batches row by row, so that opReplay finds their events
	opReplay                     // replays a page of the outbox
	operations                   // how many there are
)

// command is what an operator asks the writer for, as a value: it can be written to a log and carried out elsewhere.
type command struct {
	op      operation
	queue   bridge.ReviewQueue // of opRelease and opPurge
	numbers []uint64           // likewise
	replay  bridge.ReplayQuery // of opReplay
}

// result is what a command has come to.
type result struct {
	outcomes []bridge.Outcome    // of opRelease and opPurge, in the order of the numbers
	replay   bridge.ReplayResult // of opReplay
	commit   uint64              // of opExpandAll: the last commit before it
	stats    bridge.JournalStats // of opInspect
}

// execute carries a command out. Its error fails the journal: what an operator may get wrong is part of the result.
func (c *commit) execute(cmd *command) (r result, err error) {
	switch cmd.op {
	case opInspect:
		c.count(&r.stats)
	case opRelease, opPurge:
		r.outcomes, err = c.clear(cmd)
	case opExpandAll:
		r.commit = c.j.meta.commit
		err = c.expandAll()
	case opReplay:
		r.replay, err = c.replayOutbox(cmd.replay)
	default:
		err = fmt.Errorf("unknown operation %d", cmd.op)
	}
	return r, err
}

// append appends the command's byte form; numbers are varints, texts carry their length:
//
//	operation(1) queue { number }* (their count before) kind lane cursor upto
func (cmd *command) append(dst []byte) []byte {
	dst = record.AppendText(append(dst, byte(cmd.op)), cmd.queue)
	dst = binary.AppendUvarint(dst, uint64(len(cmd.numbers)))
	for _, n := range cmd.numbers {
		dst = binary.AppendUvarint(dst, n)
	}
	q := &cmd.replay
	dst = record.AppendText(record.AppendText(record.AppendText(dst, q.Kind), q.Lane), q.Cursor)
	return binary.AppendUvarint(dst, q.UpTo)
}

// readCommand reads what append has written.
func readCommand(value []byte) (*command, error) {
	r := record.NewReader(value, nil)
	cmd := &command{op: operation(r.Byte()), queue: bridge.ReviewQueue(r.Text())}
	for n := r.Uvarint(); n > 0 && r.Err() == nil; n-- {
		cmd.numbers = append(cmd.numbers, r.Uvarint())
	}
	cmd.replay = bridge.ReplayQuery{Kind: r.Text(), Lane: r.Text(), Cursor: r.Clone(), UpTo: r.Uvarint()}
	if r.Err() != nil {
		return nil, fmt.Errorf("command: %w", r.Err())
	}
	if cmd.op >= operations {
		return nil, fmt.Errorf("command: unknown operation %d", cmd.op)
	}
	return cmd, nil
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
	r, err := c.execute(&cmd)
	if err == nil && !c.empty() {
		if err = c.seal(); err == nil {
			err = j.db.Apply(c.batch, pebble.Sync)
		}
	}
	if err != nil {
		j.fail(err)
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
