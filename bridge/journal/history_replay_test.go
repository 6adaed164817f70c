package journal

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"livebridge/bridge"
)

// TestReplayHistory: every event that was published comes again once, however many pages it takes, and no replay does;
// replays leave room for callbacks.
func TestReplayHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 2*bridge.PageMax + 1
		o := keeping()
		j := open(t, o)
		defer closeJournal(t, j)
		for i := range n {
			add(t, j, push(fmt.Sprint("s", i%5), bridge.Millis(8e11+i), bridge.PhasePublish))
		}
		drain(t, j, n)
		trim(t, j)
		for range 2 {
			if got := replayed(t, j, &bridge.EventFilter{}); got != n {
				t.Fatalf("%d of %d are replayed", got, n)
			}
			for _, e := range drain(t, j, n) {
				if e[len(e)-len("replayed"):] != "replayed" {
					t.Fatalf("%q is no replay", e)
				}
			}
			trim(t, j)
		}
		if got := replayed(t, j, &bridge.EventFilter{Kind: "stream", Lane: "push.example.com/live/s1"}); got != n/5 {
			t.Errorf("%d of a lane are replayed", got)
		}
		if _, err := j.Replay(bridge.ReplayQuery{History: &bridge.EventFilter{ID: "x"}}); err == nil {
			t.Error("x is an id")
		}
		j.capacity.setUsed(o.MaxBytes/2 + 1)
		if _, err := j.Replay(bridge.ReplayQuery{History: &bridge.EventFilter{}}); !errors.Is(err, ErrReplayStopped) {
			t.Errorf("a journal that is half full: %v", err)
		}
	})
}

// replayed replays all pages and returns how many events they had.
func replayed(t *testing.T, j *Journal, f *bridge.EventFilter) (n int) {
	t.Helper()
	q := bridge.ReplayQuery{History: f}
	for {
		r, err := j.Replay(q)
		if err != nil || len(r.Emitted) != r.Replayed {
			t.Fatal(r, err)
		}
		n += r.Replayed
		if q.Cursor, q.UpTo = r.Cursor, r.UpTo; q.Cursor == nil {
			return n
		}
	}
}
