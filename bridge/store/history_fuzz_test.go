package store

import (
	"fmt"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/outbox"
	"livebridge/bridge/processor"
)

// FuzzReadKept: what can be read of an entry of the history is written again as it was understood, and nothing makes it
// panic.
func FuzzReadKept(f *testing.F) {
	f.Add(appendKept(nil, &outbox.Published{Event: &bridge.Event{Type: "a", Sequence: 3, Data: []byte("{}")}, At: 7,
		Where: bridge.Position{Topic: "live", Subject: "s", Partition: -1, Offset: 9}}))
	f.Fuzz(func(t *testing.T, value []byte) {
		p, err := readKept(value, nil)
		if err != nil {
			return
		}
		again, err := readKept(appendKept(nil, &p), nil)
		if err != nil || again.At != p.At || again.Where != p.Where || fmt.Sprint(again.Event) != fmt.Sprint(p.Event) {
			t.Errorf("%+v became %+v, %v", p, again, err)
		}
	})
}

// FuzzReadSegment is the same for a segment's record.
func FuzzReadSegment(f *testing.F) {
	f.Add((&segment{usage: processor.Usage{Entries: 1, Bytes: 2}, from: 3, until: -4}).append(nil))
	f.Fuzz(func(t *testing.T, value []byte) {
		key := numberKey(nil, tableSegment, 5)
		s, err := readSegment(key, value)
		if err != nil {
			return
		}
		if again, err := readSegment(key, s.append(nil)); err != nil || again != s {
			t.Errorf("%+v became %+v, %v", s, again, err)
		}
	})
}
