package store

import (
	"fmt"
	"strings"

	"livebridge/bridge"
)

// setLane notes whether a session of the lane is open: whether its last event in order is a PUBLISH.
func (v *Review) setLane(row bridge.Row) error {
	if len(row.Key) < 2 {
		return errRowKey
	}
	if row.Value == nil || bridge.Kind(row.Key[1]) != bridge.KindStream {
		delete(v.open, string(row.Key))
		return nil
	}
	value, err := readLaneRow(row.Value)
	if err != nil {
		return err
	}
	l, err := value.state()
	if err != nil {
		return err
	}
	if l.State.Last.Phase != bridge.PhasePublish {
		delete(v.open, string(row.Key))
		return nil
	}
	v.open[string(row.Key)] = l.State.Last.Session
	return nil
}

// OpenSessions returns the sessions of a domain that are open, of all when it is empty, in no particular order.
func (v *Review) OpenSessions(domain string) (open []bridge.OpenSession, err error) {
	first := string(streamsPrefix(domain))
	for key, session := range v.open {
		if !strings.HasPrefix(key, first) {
			continue
		}
		name, err := laneOfKey([]byte(key))
		if err != nil {
			return nil, fmt.Errorf("lane %q of the state: %w", key, err)
		}
		open = append(open, bridge.OpenSession{Domain: name.Domain, App: name.App, Stream: name.Stream, Session: session})
	}
	return open, nil
}
