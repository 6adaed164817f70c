package journal

import (
	"bytes"
	"fmt"
	"strings"

	"livebridge/bridge"
)

// Replay implements bridge.JournalAdmin.
func (j *Journal) Replay(q bridge.ReplayQuery) (bridge.ReplayResult, error) {
	if _, err := outboxPrefix(q.Kind, q.Lane); err != nil {
		return bridge.ReplayResult{}, err
	}
	if q.Cursor == nil {
		expanded, err := j.do(command{op: opExpandAll})
		if err != nil {
			return bridge.ReplayResult{}, err
		}
		q.UpTo = expanded.commit // what comes with that commit or after it may be in an event batch again
	}
	r, err := j.do(command{op: opReplay, replay: q})
	r.replay.UpTo = q.UpTo
	return r.replay, err
}

// replayOutbox replays a page of what was emitted up to the commit q.UpTo. What this commit emits is not in the store
// yet.
func (c *commit) replayOutbox(q bridge.ReplayQuery) (r bridge.ReplayResult, err error) {
	events, cursor, err := c.j.replayPage(q)
	if err != nil {
		return r, err
	}
	r.Cursor, r.Replayed = cursor, len(events)
	for _, e := range events {
		emitted, err := c.replay(e)
		if err != nil {
			return r, err
		}
		r.Emitted = append(r.Emitted, *emitted)
	}
	return r, nil
}

// replayPage reads the events of a page that are to be replayed, and where the next one begins; nil: nowhere.
func (j *Journal) replayPage(q bridge.ReplayQuery) (events []*bridge.Event, cursor []byte, err error) {
	prefix, err := outboxPrefix(q.Kind, q.Lane)
	if err != nil {
		return nil, nil, err
	}
	first := prefix
	if bytes.HasPrefix(q.Cursor, prefix) {
		first = q.Cursor
	}
	seen := 0
	err = eachFrom(j.db, first, func(key, value []byte) (bool, error) {
		if !bytes.HasPrefix(key, prefix) {
			return false, nil
		}
		if seen++; seen > bridge.PageMax {
			cursor = bytes.Clone(key)
			return false, nil
		}
		commit, e, err := readPending(value, nil)
		if err == nil && commit <= q.UpTo && !e.Marks.Has(bridge.MarkReplayed) {
			events = append(events, e)
		}
		return true, err
	})
	return events, cursor, err
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
