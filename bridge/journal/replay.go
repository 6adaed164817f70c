package journal

import (
	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/store"
)

// Replay implements bridge.JournalAdmin.
func (j *Journal) Replay(q bridge.ReplayQuery) (bridge.ReplayResult, error) {
	if q.History != nil {
		return j.replayHistory(q)
	}
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

// replayHistory replays a page of the history.
func (j *Journal) replayHistory(q bridge.ReplayQuery) (bridge.ReplayResult, error) {
	if err := store.CheckFilter(*q.History); err != nil {
		return bridge.ReplayResult{}, err
	}
	if err := j.capacity.checkReplay(); err != nil {
		return bridge.ReplayResult{}, err
	}
	r, err := j.do(command{op: opReplay, replay: q})
	return r.replay, err
}

// replayPage replays a page of the history, or of what was emitted up to the commit q.UpTo. What this commit emits is
// not in the store yet.
func (j *Journal) replayPage(c *commit, q bridge.ReplayQuery) (r bridge.ReplayResult, err error) {
	var events []*bridge.Event
	if q.History != nil {
		events, r.Cursor, err = j.historyEvents(q)
	} else {
		events, r.Cursor, err = j.store.OutboxPage(q)
	}
	if err != nil {
		return r, err
	}
	before := len(c.effects.Replayed)
	err = j.apply(c, processor.Input{Action: processor.Replay, Events: events})
	r.Replayed = len(events)
	r.Emitted = append(r.Emitted, c.effects.Replayed[before:]...)
	return r, err
}

// historyEvents returns the events of a page of the history that are to be replayed.
func (j *Journal) historyEvents(q bridge.ReplayQuery) (events []*bridge.Event, cursor []byte, err error) {
	found, cursor, err := j.store.HistoryPage(bridge.HistoryQuery{
		EventFilter: *q.History, Replayable: true, Cursor: q.Cursor})
	for i := range found {
		events = append(events, found[i].Event)
	}
	return events, cursor, err
}
