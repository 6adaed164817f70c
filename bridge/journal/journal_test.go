package journal

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"livebridge/bridge"
)

func TestPublishAndDone(t *testing.T) {
	o := memory()
	j := open(t, o)
	now := bridge.MillisOf(time.Now())
	add(t, j, push("a", now, bridge.PhaseDone), push("a", now, bridge.PhasePublish), push("a", now, bridge.PhasePublish))
	got := drain(t, j, 2)
	if want := []string{"a 1 publish ", "a 2 publish_done "}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := j.Trim(t.Context(), durable); err != nil {
		t.Error(err)
	}
	closeJournal(t, j)
	j = open(t, o)
	defer closeJournal(t, j)
	add(t, j, push("a", now+1, bridge.PhasePublish))
	if got := drain(t, j, 1); got[0] != "a 3 publish " {
		t.Errorf("after a restart: %q", got)
	}
}

func BenchmarkAppend(b *testing.B) {
	o := DefaultOptions(b.TempDir())
	j := open(b, o)
	defer closeJournal(b, j)
	now := bridge.MillisOf(time.Now())
	go func() {
		for {
			events, err := j.Next(b.Context())
			if err != nil {
				return
			}
			for _, e := range events {
				j.Settle(e, bridge.Settlement{})
			}
			j.Trim(b.Context(), durable)
		}
	}()
	arrivals := make([]*bridge.Arrival, b.N)
	for i := range arrivals {
		arrivals[i] = push(fmt.Sprint("room", i%2000), now-bridge.Millis(b.N-i/4000), bridge.PhasePublish+bridge.Phase(i/2000%2))
	}
	b.ResetTimer()
	var wg sync.WaitGroup
	for w := range 64 {
		wg.Go(func() {
			for i := w; i < b.N; i += 64 {
				add(b, j, arrivals[i])
			}
		})
	}
	wg.Wait()
}
