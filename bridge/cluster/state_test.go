package cluster

import (
	"fmt"
	"reflect"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/store"
)

// restored returns a cache of what was committed.
func (w *world) restored() *store.Cache {
	c, err := store.OpenCache(store.CacheOptions{Dir: "state", FS: vfs.NewMem(), OpenFiles: 64, Now: w.wall, Log: zap.NewNop()})
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
		if err != nil || !reflect.DeepEqual(got.State, expected.State) || got.Touched != expected.Touched {
			return fmt.Sprintf("lane %s: %+v, want %+v (%v)", e.Lane, got, expected, err)
		}
	}
	for _, q := range []bridge.ReviewQueue{bridge.QuarantineQueue, bridge.DeadLetterQueue} {
		_ = q
	}
	return ""
}

var _ = time.Second
