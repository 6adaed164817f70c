package store

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"livebridge/bridge"
)

// OutboxPage reads the events of a page that are to be replayed, and where the next one begins; nil: nowhere. It finds
// those that lie under their lanes.
func (s *Store) OutboxPage(q bridge.ReplayQuery) (events []*bridge.Event, cursor []byte, err error) {
	prefix, err := outboxPrefix(q.Kind, q.Lane)
	if err != nil {
		return nil, nil, err
	}
	first := prefix
	if bytes.HasPrefix(q.Cursor, prefix) {
		first = q.Cursor
	}
	seen := 0
	err = s.eachFrom(first, func(key, value []byte) (bool, error) {
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

// CheckLane returns an error when kind and subject name no lane. Both empty name all lanes.
func CheckLane(kind, subject string) error {
	_, err := outboxPrefix(kind, subject)
	return err
}

// LaneOf returns the lane that kind and subject name.
func LaneOf(kind, subject string) (bridge.Lane, error) {
	prefix, err := outboxPrefix(kind, subject)
	if err != nil {
		return bridge.Lane{}, err
	}
	if len(prefix) < 2 {
		return bridge.Lane{}, errors.New("emission without kind or lane")
	}
	return laneOfKey(prefix[:len(prefix)-1])
}

// outboxPrefix returns what the outbox keys of a lane begin with, or those of all lanes when no lane is named.
func outboxPrefix(kind, subject string) ([]byte, error) {
	if kind == "" && subject == "" {
		return []byte{tableOutbox}, nil
	}
	for _, k := range bridge.EventKinds() {
		if k.String() == kind && strings.Count(subject, "/") == 2 {
			return append(append([]byte{tableOutbox, byte(k)}, subject...), laneEnd), nil
		}
	}
	return nil, fmt.Errorf("%s:%s names no lane; write one such as stream:push.example.com/live/room1", kind, subject)
}
