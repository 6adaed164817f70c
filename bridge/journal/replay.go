package journal

import (
	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/store"
)

// Replay implements bridge.JournalAdmin.
func (j *Journal) Replay(q bridge.ReplayQuery) (bridge.ReplayResult, error) {
	if err := store.CheckLane(q.Kind, q.Lane); err != nil {
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
func (j *Journal) replayOutbox(c *commit, q bridge.ReplayQuery) (r bridge.ReplayResult, err error) {
	events, cursor, err := j.store.OutboxPage(q)
	if err != nil {
		return r, err
	}
	before := len(c.effects.Replayed)
	err = j.apply(c, processor.Input{Action: processor.Replay, Events: events})
	r.Emitted = append(r.Emitted, c.effects.Replayed[before:]...)
	r.Cursor, r.Replayed = cursor, len(r.Emitted)
	r.Filtered = len(events) - r.Replayed
	return r, err
}
