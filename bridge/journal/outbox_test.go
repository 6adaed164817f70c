package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"livebridge/bridge"
	"livebridge/bridge/outbox"
)

// many returns n callbacks of each of several streams, the streams taking turns.
func many(streams, n int) []*bridge.Arrival {
	now := bridge.MillisOf(time.Now())
	var out []*bridge.Arrival
	for i := range n {
		for s := range streams {
			out = append(out, push(fmt.Sprintf("s%03d", s), now+bridge.Millis(i/2), bridge.PhasePublish+bridge.Phase(i%2)))
		}
	}
	return out
}

// inOrder fails unless every lane's sequences rise by one from first.
func inOrder(t testing.TB, events []string, first int) {
	t.Helper()
	next := make(map[string]int)
	for _, e := range events {
		var stream string
		var sequence int
		if _, err := fmt.Sscanf(e, "%s %d", &stream, &sequence); err != nil {
			t.Fatal(err)
		}
		if want := next[stream] + first; sequence != want {
			t.Fatalf("stream %s: sequence %d after %d events", stream, sequence, next[stream])
		}
		next[stream]++
	}
}

func TestTrimKeepsWhatIsNotDurable(t *testing.T) {
	o := memory()
	j := open(t, o)
	add(t, j, many(1, 2)...)
	first := drain(t, j, 2)
	broken := errors.New("disk of the broker")
	if err := j.outbox.Trim(t.Context(), func(context.Context) error { return broken }); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	closeJournal(t, j)
	j = open(t, o)
	defer closeJournal(t, j)
	if again := drain(t, j, 2); !slices.Equal(again, first) {
		t.Errorf("after the restart %q, before %q", again, first)
	}
}

func TestDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		o.DeadLettersMax = 1
		j := open(t, o)
		add(t, j, many(2, 2)...)
		events, err := j.outbox.Next(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			j.outbox.Settle(e, bridge.Settlement{DeadLetter: "too large"})
		}
		if got := drain(t, j, 1); !strings.Contains(got[0], " 2 ") {
			t.Errorf("the lane of the dead letter goes on with %q", got)
		}
		begun := time.Now()
		got := drain(t, j, 2)
		inOrder(t, got, 1)
		if waited := time.Since(begun); waited != outbox.DeadLetterRetry {
			t.Errorf("with full dead letters its lane waited %v", waited)
		}
		if err := j.outbox.Trim(t.Context(), durable); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		closeJournal(t, j)
		j = open(t, o)
		defer closeJournal(t, j)
		if j.processor.Counters().DeadLetters.Entries != 1 || j.outbox.Pending() != 0 {
			t.Errorf("%d dead letters, %d pending", j.processor.Counters().DeadLetters.Entries, j.outbox.Pending())
		}
	})
}

// TestOutboxUnderAnyOrder draws callbacks, outcomes, trims, restarts and a memory of any size: every lane comes out in
// its sequence, nothing is missing, and nothing acknowledged and trimmed comes again.
func TestOutboxUnderAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o := memory()
		o.OutboxMemory = rapid.IntRange(1, 40).Draw(rt, "memory")
		steps := rapid.SliceOfN(rapid.IntRange(0, 20), 1, 60).Draw(rt, "steps")
		synctest.Test(t, func(t *testing.T) {
			r := &outboxRun{t: t, o: o, j: open(t, o), next: map[string]int{}, sent: map[string]int{}}
			for i, step := range steps {
				r.step(step, i)
			}
			r.finish()
		})
	})
}

type outboxRun struct {
	t     *testing.T
	o     Options
	j     *Journal
	sent  map[string]int // callbacks by stream
	next  map[string]int // the last sequence acknowledged by stream
	taken []*bridge.Event
}

func (r *outboxRun) step(step, i int) {
	switch {
	case step < 8:
		for k := range step * 3 {
			stream := fmt.Sprint("s", (i+k*step)%7)
			n := r.sent[stream]
			add(r.t, r.j, push(stream, bridge.Millis(1e12+n/2), bridge.PhasePublish+bridge.Phase(n%2)))
			r.sent[stream]++
		}
	case step < 17:
		r.settle(step, i)
	case step < 19:
		if err := r.j.outbox.Trim(r.t.Context(), durable); err != nil {
			r.t.Fatal(err)
		}
		synctest.Wait()
	default:
		r.restart()
	}
}

// settle takes what is there and acknowledges most of it.
func (r *outboxRun) settle(step, i int) {
	synctest.Wait()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Millisecond)
	defer cancel()
	events, _ := r.j.outbox.Next(ctx)
	for k, e := range append(r.taken, events...) {
		if (k+i)%5 == 0 {
			r.j.outbox.Settle(e, bridge.Settlement{Retry: time.Duration(step) * 10 * time.Millisecond})
			continue
		}
		r.acknowledge(e)
	}
	r.taken = nil
}

func (r *outboxRun) acknowledge(e *bridge.Event) {
	stream, n := e.Lane.Stream, int(ordinal(e.Sequence))
	if last := r.next[stream]; n != last+1 {
		r.t.Fatalf("stream %s: sequence %d after %d", stream, n, last)
	}
	r.next[stream] = n
	r.j.outbox.Settle(e, bridge.Settlement{})
}

// restart trims first, so that what was acknowledged must not come again.
func (r *outboxRun) restart() {
	if err := r.j.outbox.Trim(r.t.Context(), durable); err != nil {
		r.t.Fatal(err)
	}
	synctest.Wait()
	closeJournal(r.t, r.j)
	r.j = open(r.t, r.o)
}

func (r *outboxRun) finish() {
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Hour)
	defer cancel()
	for r.j.outbox.Pending() > 0 {
		events, err := r.j.outbox.Next(ctx)
		if err != nil {
			r.t.Fatalf("%d events are pending and none comes: %v", r.j.outbox.Pending(), err)
		}
		for _, e := range events {
			r.acknowledge(e)
		}
	}
	for stream, n := range r.sent {
		if r.next[stream] != n {
			r.t.Errorf("stream %s: %d of %d came out", stream, r.next[stream], n)
		}
	}
	closeJournal(r.t, r.j)
}
