package cluster

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/store"
)

// restored returns a cache of what was committed.
func (w *world) restored() *store.Cache {
	opts := store.CacheOptions{Dir: "state", FS: vfs.NewMem(), OpenFiles: 64, Now: w.wall,
		SessionEvents: w.limits.SessionEvents, Log: zap.NewNop()}
	c, err := store.OpenCache(opts)
	if err == nil {
		err = w.broker.Replica(nil).State(w.t.Context(), 0, 0, c.Apply)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// compareState returns how the state differs from the one of the reference.
func (w *world) compareState(want *reference) string {
	c := w.restored()
	defer func() {
		if err := c.Close(); err != nil {
			w.t.Error(err)
		}
	}()
	if got, expected := c.State().Counters, want.Memory.Counters; !reflect.DeepEqual(got, expected) {
		return fmt.Sprintf("counters %+v, want %+v", got, expected)
	}
	now := want.Now()
	for _, e := range want.committed {
		got, _, err := c.Lane(e.Lane, now)
		expected, _, _ := want.Lane(e.Lane, now)
		if err != nil || !reflect.DeepEqual(got.State, expected.State) || got.Touched != expected.Touched ||
			!slices.Equal(got.Sessions, expected.Sessions) {
			return fmt.Sprintf("lane %s: %+v, want %+v (%v)", e.Lane, got, expected, err)
		}
	}
	return w.compareQueues(want)
}

// compareQueues returns how the review queues differ from those of the reference.
func (w *world) compareQueues(want *reference) string {
	v := store.NewReview()
	if err := w.broker.Replica(nil).State(w.t.Context(), 0, 0, v.Apply); err != nil {
		w.t.Fatal(err)
	}
	places := map[bridge.ReviewQueue]processor.Place{
		bridge.QuarantineQueue: processor.PlaceQuarantine, bridge.DeadLetterQueue: processor.PlaceDeadLetters,
	}
	for q, place := range places {
		got, err := v.Entries(q, 0)
		var expected []processor.Entry
		for number := range want.Memory.Counters.Next {
			if e, found, _ := want.Entry(processor.EntryRef{Place: place, Number: number}); found {
				expected = append(expected, e)
			}
		}
		if err != nil || !reflect.DeepEqual(got, expected) {
			return fmt.Sprintf("%s: %+v, want %+v (%v)", q, got, expected, err)
		}
	}
	return ""
}
