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

func appendAll(t *testing.T, j *Journal, stream string, from, to int) {
	t.Helper()
	for n := from; n <= to; n++ {
		if err := j.Append(t.Context(), named(stream, n)); err != nil {
			t.Fatal(err)
		}
	}
}

// forwarding forwards until the returned function is called.
func forwarding(t *testing.T, j *Journal) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- j.Forward(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// TestThere: while the intake acknowledges, nothing touches the disk.
func TestThere(t *testing.T) {
	i := new(intake)
	j, q := begin(t, i, memory())
	defer closed(t, q)
	appendAll(t, j, "a", 1, 3)
	if j.Total() != 0 || q.Bytes() != 0 || len(i.all()) != 3 {
		t.Errorf("%d in the queue, %v in the intake", j.Total(), i.all())
	}
}

// TestAway: each input is answered within the budget, only the first waits for it, and all reach the intake in order.
func TestAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &intake{away: true}
		j, q := begin(t, i, memory())
		defer closed(t, q)
		started := time.Now()
		appendAll(t, j, "a", 1, 5)
		if took := time.Since(started); took != budget {
			t.Errorf("took %v, want the budget once: %v", took, budget)
		}
		stop := forwarding(t, j)
		defer stop()
		time.Sleep(time.Minute)
		if len(i.all()) != 0 || j.Total() != 5 {
			t.Errorf("%v in the intake, %d in the queue", i.all(), j.Total())
		}
		i.set(func(i *intake) { i.away = false })
		time.Sleep(forwardTimeout + maxPause)
		if got := fmt.Sprint(i.all()); got != "[a1 a2 a3 a4 a5]" || j.Total() != 0 || q.Bytes() != 0 {
			t.Errorf("%s in the intake, %d in the queue", got, j.Total())
		}
		appendAll(t, j, "a", 6, 6)
		if q.Bytes() != 0 {
			t.Error("went through the queue, which was empty")
		}
	})
}

// TestSlow: an intake that takes longer than the budget may have an input twice, and loses none.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &intake{slow: budget + time.Millisecond}
		j, q := begin(t, i, memory())
		defer closed(t, q)
		appendAll(t, j, "a", 1, 2)
		stop := forwarding(t, j)
		defer stop()
		time.Sleep(time.Minute)
		if got := fmt.Sprint(i.all()); got != "[a1 a1 a2]" || j.Total() != 0 {
			t.Errorf("%s in the intake, %d in the queue", got, j.Total())
		}
	})
}

// TestNothingPasses: while callbacks of a stream wait, those that come later wait behind them, though the intake is
// there.
func TestNothingPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &intake{away: true}
		j, q := begin(t, i, memory())
		defer closed(t, q)
		appendAll(t, j, "a", 1, 1)
		i.set(func(i *intake) { i.away = false })
		appendAll(t, j, "a", 2, 2)
		if err := j.Append(t.Context(), named("b", 1)); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(i.all()); got != "[b1]" {
			t.Errorf("%s in the intake before what waited", got)
		}
		stop := forwarding(t, j)
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
		j, q := begin(t, i, fs)
		appendAll(t, j, "a", 1, 2)
		closed(t, q)
		i.set(func(i *intake) { i.away = false })
		j, q = begin(t, i, fs)
		defer closed(t, q)
		appendAll(t, j, "a", 3, 3)
		if j.Waiting(named("a", 1).Event.Lane) != 3 || len(i.all()) != 0 {
			t.Errorf("%d in the queue, %v in the intake", j.Waiting(named("a", 1).Event.Lane), i.all())
		}
		stop := forwarding(t, j)
		defer stop()
		synctest.Wait()
		if got := fmt.Sprint(i.all()); got != "[a1 a2 a3]" {
			t.Error(got)
		}
	})
}

// TestRejected: what the intake will never take is the answer at once, and in the queue it holds up its own lane alone.
func TestRejected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := func(name string) bool { return name == "b1" }
		i := &intake{refused: first}
		j, q := begin(t, i, memory())
		defer closed(t, q)
		if err := j.Append(t.Context(), named("b", 1)); !bridge.IsRejected(err) || j.Total() != 0 {
			t.Errorf("got %v, %d in the queue", err, j.Total())
		}
		i.set(func(i *intake) { i.away, i.refused = true, nil })
		appendAll(t, j, "b", 1, readAtOnce+1)
		appendAll(t, j, "a", 1, 10)
		i.set(func(i *intake) { i.away, i.refused = false, first })
		stop := forwarding(t, j)
		defer stop()
		time.Sleep(time.Minute)
		if a, b := i.firsts("a"), i.firsts("b"); len(a) != 10 || len(b) != 0 || j.Total() != readAtOnce+1 {
			t.Errorf("%d of a and %d of b in the intake, %d in the queue", len(a), len(b), j.Total())
		}
		i.set(func(i *intake) { i.refused = nil })
		time.Sleep(time.Minute)
		if b := i.firsts("b"); j.Total() != 0 || len(b) != readAtOnce+1 || b[0] != "b1" || b[1] != "b2" {
			t.Errorf("%d in the queue, the intake has %v", j.Total(), b)
		}
	})
}

// TestFull: what finds room nowhere is an error, so that the provider hears of it.
func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, q := begin(t, &intake{away: true}, memory())
		defer closed(t, q)
		var err error
		for n := 1; err == nil; n++ {
			err = j.Append(t.Context(), named("a", n))
		}
		if before := j.Total(); !errors.Is(err, bridge.ErrFull) || j.Append(t.Context(), named("a", 0)) == nil ||
			j.Total() != before {
			t.Errorf("got %v, and then %d in the queue instead of %d", err, j.Total(), before)
		}
	})
}

// TestOutages appends to eight lanes while the intake comes and goes: it has all, each lane in its order.
func TestOutages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := new(intake)
		j, q := begin(t, i, memory())
		defer closed(t, q)
		stop := forwarding(t, j)
		defer stop()
		const each = 200
		var all sync.WaitGroup
		for lane := range 8 {
			random := rand.New(rand.NewPCG(1, uint64(lane)))
			all.Go(func() {
				for n := range each {
					time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
					if err := j.Append(t.Context(), named(string("abcdefgh"[lane]), n+1)); err != nil {
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
					t.Fatalf("%s is in the intake where %c%d should be", text, lane, n+1)
				}
			}
			if len(firsts) != each {
				t.Errorf("the intake has %d of %c, want %d", len(firsts), lane, each)
			}
		}
	})
}
