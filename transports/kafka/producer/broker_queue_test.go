package producer

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestSecondRequest: a second request goes out beside the first when much waits, or when the answer to the first takes
// long.
func TestSecondRequest(t *testing.T) {
	for _, c := range []struct {
		running, waiting int
		since            time.Duration
		want             bool
	}{
		{0, 1, 0, true},
		{1, secondRequestMin - 1, 0, false},
		{1, secondRequestMin, 0, true},
		{1, 1, usualLatency, true},
		{2, secondRequestMin, usualLatency, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := brokerQueue{requests: c.running, waiting: c.waiting, lastSent: time.Now()}
			time.Sleep(c.since)
			if got := l.wantsRequest(); got != c.want {
				t.Errorf("%d under way, %d wait, %v after the last: another %v", c.running, c.waiting, c.since, got)
			}
		})
	}
}
