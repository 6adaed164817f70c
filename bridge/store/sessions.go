package store

import (
	"bytes"
	"context"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// OpenSessions returns the lanes of a domain, of all when it is empty, whose last event in order is a PUBLISH.
func (s *Store) OpenSessions(ctx context.Context, domain string) (open []bridge.OpenSession, err error) {
	first := streamsPrefix(domain)
	err = s.eachFrom(first, func(key, value []byte) (bool, error) {
		if !bytes.HasPrefix(key, first) || ctx.Err() != nil {
			return false, ctx.Err()
		}
		var l processor.LaneState
		if err := l.ReadRecord(value, processor.Moment{}); err != nil || l.State.Last.Phase != bridge.PhasePublish {
			return true, err
		}
		name, err := laneOfKey(key)
		open = append(open, bridge.OpenSession{Domain: name.Domain, App: name.App, Stream: name.Stream,
			Session: l.State.Last.Session})
		return true, err
	})
	return open, err
}

// UnendedLanes looks at the sessions of the next lanes, of so many, going round for ever, and returns the lanes in
// which the end of one has been missing for so long.
func (s *Store) UnendedLanes(now processor.Moment, most int, after time.Duration) (unended []bridge.Lane, err error) {
	err = s.sweep(tableSessions, &s.sessionsCursor, most, func(key, value []byte) error {
		var l processor.LaneState
		l.Sessions, _, err = processor.ReadSessions(value)
		if err != nil || !l.Unended(now.Millis(), bridge.Millis(after.Milliseconds())) {
			return err
		}
		name, err := laneOfKey(key)
		unended = append(unended, name)
		return err
	})
	return unended, err
}

// addSessions writes the sessions of a lane beside its state.
func (b *Batch) addSessions(l *processor.LaneState) error {
	if len(l.Sessions) == 0 {
		return nil
	}
	b.value = l.AppendSessions(b.value[:0])
	var key [128]byte
	return b.batch.Set(sessionsKey(key[:0], l.Name), b.value, nil)
}

// forgetSessions removes the sessions of a lane that is forgotten, whoever has written them.
func (b *Batch) forgetSessions(name bridge.Lane) error {
	if name.Kind != bridge.KindStream {
		return nil
	}
	return b.batch.Delete(sessionsKey(nil, name), nil)
}
