package store

import (
	"bytes"
	"context"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// OpenSessions returns the lanes of a domain, of all when it is empty, whose last event in order is a PUBLISH.
func (s *Store) OpenSessions(ctx context.Context, domain string) (open []bridge.OpenSession, err error) {
	first := append([]byte{tableLane}, byte(bridge.KindStream))
	if domain != "" {
		first = append(bridge.AppendEscaped(first, domain, bridge.KeepDot), '/')
	}
	err = s.eachFrom(first, func(key, value []byte) (bool, error) {
		if !bytes.HasPrefix(key, first) || ctx.Err() != nil {
			return false, ctx.Err()
		}
		var l processor.LaneState
		if err := l.ReadRecord(value, processor.Moment{}); err != nil || l.State.Last.Phase != bridge.PhasePublish {
			return true, err
		}
		name, err := laneOf(key)
		open = append(open, bridge.OpenSession{Domain: name.Domain, App: name.App, Stream: name.Stream,
			Session: l.State.Last.Session})
		return true, err
	})
	return open, err
}
