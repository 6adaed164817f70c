package journal

import (
	"bytes"
	"fmt"
	"strings"

	"livebridge/bridge"
)

// Replay implements bridge.JournalAdmin.
func (j *Journal) Replay(q bridge.ReplayQuery) (bridge.ReplayResult, error) {
	prefix, err := outboxPrefix(q.Kind, q.Lane)
	if err != nil {
		return bridge.ReplayResult{}, err
	}
	r := bridge.ReplayResult{UpTo: q.UpTo}
	if q.Cursor == nil {
		err := j.command(func(c *commit) error {
			r.UpTo = c.j.meta.commit // what comes with this commit or after it may be in an event batch again
			return c.expandAll()
		})
		if err != nil {
			return bridge.ReplayResult{}, err
		}
	}
	err = j.command(func(c *commit) error { return c.replayOutbox(prefix, q.Cursor, &r) })
	return r, err
}

// replayOutbox replays a page of what was emitted up to the commit r.UpTo. What this commit emits is not in the store yet.
func (c *commit) replayOutbox(prefix, cursor []byte, r *bridge.ReplayResult) error {
	var events []*bridge.Event
	first := prefix
	if bytes.HasPrefix(cursor, prefix) {
		first = cursor
	}
	looked := 0
	err := eachFrom(c.j.db, first, func(key, value []byte) (bool, error) {
		if !bytes.HasPrefix(key, prefix) {
			return false, nil
		}
		if looked++; looked > bridge.PageMax {
			r.Cursor = bytes.Clone(key)
			return false, nil
		}
		commit, e, err := readPending(value)
		if err == nil && commit <= r.UpTo && !e.Marks.Has(bridge.MarkReplayed) {
			events = append(events, e)
		}
		return true, err
	})
	for i := 0; err == nil && i < len(events); i++ {
		var emitted *bridge.Emission
		if emitted, err = c.replay(events[i]); err == nil {
			r.Emitted = append(r.Emitted, *emitted)
		}
		r.Replayed++
	}
	return err
}

// outboxPrefix returns what the outbox keys of a lane begin with, or those of all lanes when no lane is named.
func outboxPrefix(kind, subject string) ([]byte, error) {
	if kind == "" && subject == "" {
		return []byte{tableOutbox}, nil
	}
	for _, k := range bridge.Kinds() {
		if k.String() == kind && strings.Count(subject, "/") == 2 {
			return append(append([]byte{tableOutbox, byte(k)}, subject...), laneEnd), nil
		}
	}
	return nil, fmt.Errorf("%s:%s names no lane; write one such as stream:push.example.com/live/room1", kind, subject)
}
