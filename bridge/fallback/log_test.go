package fallback

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge"
)

func appendAll(t *testing.T, l *Log, stream string, from, to int) {
	t.Helper()
	for n := from; n <= to; n++ {
		if err := l.Append(t.Context(), 1, named(stream, n)); err != nil {
			t.Fatal(err)
		}
	}
}

// forwarding forwards until the returned function is called.
func forwarding(t *testing.T, l *Log) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- l.Forward(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// TestThere: while the intake log acknowledges, nothing touches the disk.
func TestThere(t *testing.T) {
	i := new(intake)
	l, q := begin(t, i, memory())
	defer closed(t, q)
	appendAll(t, l, "a", 1, 3)
	if l.Total() != 0 || q.Bytes() != 0 || len(i.all()) != 3 {
		t.Errorf("%d in the queue, %v in the log", l.Total(), i.all())
	}
}

// TestAway: each input is answered within the budget, only the first waits for it, and all reach the log in order.
func TestAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &intake{away: true}
		l, q := begin(t, i, memory())
		defer closed(t, q)
		started := time.Now()
		appendAll(t, l, "a", 1, 5)
		if took := time.Since(started); took != budget {
			t.Errorf("took %v, want the budget once: %v", took, budget)
		}
		stop := forwarding(t, l)
		defer stop()
		time.Sleep(time.Minute)
		if len(i.all()) != 0 || l.Total() != 5 {
			t.Errorf("%v in the log, %d in the queue", i.all(), l.Total())
		}
		i.set(func(i *intake) { i.away = false })
		time.Sleep(forwardTimeout + maxPause)
		if got := fmt.Sprint(i.all()); got != "[a1 a2 a3 a4 a5]" || l.Total() != 0 || q.Bytes() != 0 {
			t.Errorf("%s in the log, %d in the queue", got, l.Total())
		}
		appendAll(t, l, "a", 6, 6)
		if q.Bytes() != 0 {
			t.Error("went through the queue, which was empty")
		}
	})
}

// TestSlow: an intake log that takes longer than the budget may have an input twice, and loses none.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &intake{slow: budget + time.Millisecond}
		l, q := begin(t, i, memory())
		defer closed(t, q)
		appendAll(t, l, "a", 1, 2)
		stop := forwarding(t, l)
		defer stop()
		time.Sleep(time.Minute)
		if got := fmt.Sprint(i.all()); got != "[a1 a1 a2]" || l.Total() != 0 {
			t.Errorf("%s in the log, %d in the queue", got, l.Total())
		}
	})
}

// TestNothingPasses: while inputs of a partition wait, those that come later wait behind them, though the log is there.
func TestNothingPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &intake{away: true}
		l, q := begin(t, i, memory())
		defer closed(t, q)
		appendAll(t, l, "a", 1, 1)
		i.set(func(i *intake) { i.away = false })
		appendAll(t, l, "a", 2, 2)
		if err := l.Append(t.Context(), 2, named("b", 1)); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(i.all()); got != "[b1]" {
			t.Errorf("%s in the log before what waited", got)
		}
		stop := forwarding(t, l)
		defer stop()
		synctest.Wait()
		if got := fmt.Sprint(i.firsts("a")); got != "[a1 a2]" {
			t.Error(got)
		}
	})
}

// TestRestart: what the last run has queued is forwarded, and nothing passes it.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, fs := &intake{away: true}, memory()
		l, q := begin(t, i, fs)
		appendAll(t, l, "a", 1, 2)
		closed(t, q)
		i.set(func(i *intake) { i.away = false })
		l, q = begin(t, i, fs)
		defer closed(t, q)
		appendAll(t, l, "a", 3, 3)
		if l.Waiting(1) != 3 || len(i.all()) != 0 {
			t.Errorf("%d in the queue, %v in the log", l.Waiting(1), i.all())
		}
		stop := forwarding(t, l)
		defer stop()
		synctest.Wait()
		if got := fmt.Sprint(i.all()); got != "[a1 a2 a3]" {
			t.Error(got)
		}
	})
}

// TestRejected: what the log will never take is the answer at once, and in the queue it holds up its own lane alone.
func TestRejected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := func(name string) bool { return name == "b1" }
		i := &intake{refused: first}
		l, q := begin(t, i, memory())
		defer closed(t, q)
		if err := l.Append(t.Context(), 1, named("b", 1)); !bridge.IsRejected(err) || l.Total() != 0 {
			t.Errorf("got %v, %d in the queue", err, l.Total())
		}
		i.set(func(i *intake) { i.away, i.refused = true, nil })
		appendAll(t, l, "b", 1, readAtOnce+1)
		appendAll(t, l, "a", 1, 10)
		i.set(func(i *intake) { i.away, i.refused = false, first })
		stop := forwarding(t, l)
		defer stop()
		time.Sleep(time.Minute)
		if a, b := i.firsts("a"), i.firsts("b"); len(a) != 10 || len(b) != 0 || l.Total() != readAtOnce+1 {
			t.Errorf("%d of a and %d of b in the log, %d in the queue", len(a), len(b), l.Total())
		}
		i.set(func(i *intake) { i.refused = nil })
		time.Sleep(time.Minute)
		if b := i.firsts("b"); l.Total() != 0 || len(b) != readAtOnce+1 || b[0] != "b1" || b[1] != "b2" {
			t.Errorf("%d in the queue, the log has %v", l.Total(), b)
		}
	})
}

// TestFull: what finds room nowhere is an error, so that the provider hears of it.
func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, q := begin(t, &intake{away: true}, memory())
		defer closed(t, q)
		var err error
		for n := 1; err == nil; n++ {
			err = l.Append(t.Context(), 1, named("a", n))
		}
		if before := l.Total(); !errors.Is(err, bridge.ErrFull) || l.Append(t.Context(), 1, named("a", 0)) == nil ||
			l.Total() != before {
			t.Errorf("got %v, and then %d in the queue instead of %d", err, l.Total(), before)
		}
	})
}

// TestOutages appends to eight lanes while the intake log comes and goes: it has all, each lane in its order.
func TestOutages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := new(intake)
		l, q := begin(t, i, memory())
		defer closed(t, q)
		stop := forwarding(t, l)
		defer stop()
		const each = 200
		var all sync.WaitGroup
		for lane := range 8 {
			random := rand.New(rand.NewPCG(1, uint64(lane)))
			all.Go(func() {
				for n := range each {
					time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
					if err := l.Append(t.Context(), lane%4, named(string("abcdefgh"[lane]), n+1)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		random := rand.New(rand.NewPCG(2, 2))
		for range 20 {
			i.set(func(i *intake) { i.away, i.slow = random.IntN(2) == 0, time.Duration(random.IntN(3))*budget/2 })
			time.Sleep(time.Duration(random.IntN(3000)) * time.Millisecond)
		}
		i.set(func(i *intake) { i.away, i.slow = false, 0 })
		all.Wait()
		time.Sleep(time.Minute)
		for _, lane := range "abcdefgh" {
			firsts := i.firsts(string(lane))
			for n, text := range firsts {
				if text != fmt.Sprintf("%c%d", lane, n+1) {
					t.Fatalf("%s is in the log where %c%d should be", text, lane, n+1)
				}
			}
			if len(firsts) != each {
				t.Errorf("the log has %d of %c, want %d", len(firsts), lane, each)
			}
		}
	})
}
