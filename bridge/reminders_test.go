package bridge_test

import (
	"testing"
	"time"

	"livebridge/bridge"
)

// TestReminders plays an hour of a failure that comes four times a second in two kinds.
func TestReminders(t *testing.T) {
	var r bridge.Reminders
	if r.Recovered() {
		t.Error("recovery is logged before anything failed")
	}
	start := time.Unix(0, 0)
	logged, left := 0, 0
	for at := start; at.Before(start.Add(time.Hour)); at = at.Add(250 * time.Millisecond) {
		for _, kind := range []string{"refused", "reset"} {
			suppressed, due := r.Due(kind, at)
			if at.Equal(start) && (!due || suppressed != 0) {
				t.Errorf("the first report of %s: %v, %d left out", kind, due, suppressed)
			}
			if due {
				logged, left = logged+1, left+suppressed
			}
		}
	}
	if logged != 2*60 || left != 2*59*239 {
		t.Errorf("%d lines in an hour, which account for %d others", logged, left)
	}
	if !r.Recovered() || r.Recovered() {
		t.Error("recovery is not logged exactly once")
	}
}

// TestRemindersOfFlapping: what works for a moment between two failures fills no log either.
func TestRemindersOfFlapping(t *testing.T) {
	var r bridge.Reminders
	lines := 0
	for second := range 120 {
		if _, due := r.Due("refused", time.Unix(int64(second), 0)); due {
			lines++
		}
		if r.Recovered() {
			lines++
		}
	}
	if lines != 4 {
		t.Errorf("%d lines in two minutes", lines)
	}
}
