package processor

import (
	"testing"
	"time"
)

func TestRestoredHoldIsBetweenNothingAndTheWhole(t *testing.T) {
	now := Moment{At: 60e9, Wall: time.Date(2026, 1, 1, 0, 1, 0, 0, time.UTC)}
	for _, c := range []struct{ wall, want time.Duration }{
		{-time.Hour, 0}, {0, 0}, {4 * time.Second, 4 * time.Second}, {10 * time.Second, 10 * time.Second},
		{time.Hour, 10 * time.Second}, {-200 * 365 * 24 * time.Hour, 0}, {200 * 365 * 24 * time.Hour, 10 * time.Second},
	} {
		got := now.Until(now.bound(now.DeadlineOf(now.Wall.Add(c.wall).UnixNano()), 10*time.Second))
		if got != c.want {
			t.Errorf("a hold that ends at %v on the wall clock has %v left, want %v", c.wall, got, c.want)
		}
	}
}

// TestDeadlineOnTheWallClock: a deadline that is written on the wall clock is the same when it is read at that moment,
// and later by as much as that clock was set back.
func TestDeadlineOnTheWallClock(t *testing.T) {
	now := Moment{At: 60e9, Wall: time.Unix(1e9, 0)}
	written := now.WallOf(65e9)
	if got := now.DeadlineOf(written); got != 65e9 {
		t.Errorf("at once it is %v", got)
	}
	back := Moment{At: 60e9, Wall: now.Wall.Add(-time.Second)}
	if got := back.DeadlineOf(written); got != 66e9 {
		t.Errorf("set back it is %v", got)
	}
}
