package store

import (
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/record"
)

// laneRow is what the row of a lane has, each part in its own form.
type laneRow struct {
	lane     []byte
	sessions []byte // nil: none
	held     []byte
}

// appendLaneRow appends the beginning of a lane's row: what it holds follows.
func appendLaneRow(dst []byte, l *processor.LaneState, lane []byte) []byte {
	if len(l.Sessions) == 0 {
		return record.AppendText(append(dst, rowVersion), lane)
	}
	dst = record.AppendText(append(dst, rowVersionSessions), lane)
	return record.AppendText(dst, l.AppendSessions(nil))
}

// readLaneRow takes a lane's row apart. It keeps parts of value.
func readLaneRow(value []byte) (row laneRow, err error) {
	if len(value) == 0 || value[0] != rowVersion && value[0] != rowVersionSessions {
		return row, errRowVersion
	}
	r := record.NewReader(value[1:], nil)
	row.lane = r.Bytes()
	if value[0] == rowVersionSessions {
		row.sessions = r.Bytes()
	}
	row.held = r.Rest()
	return row, r.Err()
}

// state returns the state of the lane in the row.
func (row *laneRow) state() (l processor.LaneState, err error) {
	err = l.ReadRecord(row.lane, processor.Moment{})
	return l, err
}

// sessionsKeyOf is where a cache keeps the sessions of a lane.
func sessionsKeyOf(lane []byte) []byte { return append([]byte{tableSessions}, lane...) }

func (a *applier) setLane(key, value []byte) error {
	row, err := readLaneRow(value)
	if err != nil {
		return err
	}
	if _, err := laneOfKey(key); err != nil {
		return errRowKey
	}
	l, err := row.state()
	if err != nil {
		return err
	}
	if err := a.batch.Set(key, row.lane, nil); err != nil {
		return err
	}
	if err := a.setSessions(key, row.sessions); err != nil || len(l.State.Held) == 0 {
		return err
	}
	if _, err := readHeld(row.held); err != nil {
		return err
	}
	return a.batch.Set(heldKeyOf(key[1:]), row.held, nil)
}

// setSessions keeps the sessions of a lane beside it. Where sessions are followed, those of before go.
func (a *applier) setSessions(key, sessions []byte) error {
	switch {
	case sessions != nil:
		if _, _, err := processor.ReadSessions(sessions); err != nil {
			return err
		}
		return a.batch.Set(sessionsKeyOf(key[1:]), sessions, nil)
	case a.c.opts.SessionEvents && bridge.Kind(key[1]) == bridge.KindStream:
		return a.batch.Delete(sessionsKeyOf(key[1:]), nil)
	}
	return nil
}

// UnendedLanes looks at the sessions of the next lanes, of so many, going round for ever, and returns the lanes in
// which the end of one has been missing for so long.
func (c *Cache) UnendedLanes(now processor.Moment, most int, after time.Duration) ([]bridge.Lane, error) {
	return c.s.UnendedLanes(now, most, after)
}
