package dispatch

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"livebridge/bridge"
)

func TestTrimOnlyAfterCheckpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &checkpointer{}
		begun, proceed := make(chan struct{}), make(chan error)
		c.checkpoint = func(context.Context) error { begun <- struct{}{}; return <-proceed }
		rig := run(t, c, Options{Checkpoint: time.Second})
		rig.outbox.add(events(5, 1)...)
		synctest.Wait()
		rig.outbox.look(func() {
			if len(rig.outbox.acked) != 5 || len(rig.outbox.trimmed) != 0 {
				t.Fatalf("acknowledged %d, trimmed %d, before any checkpoint", len(rig.outbox.acked), len(rig.outbox.trimmed))
			}
		})
		<-begun
		rig.outbox.add(&bridge.Event{Lane: lane(7), Sequence: 1}) // acknowledged while the checkpoint runs: not covered by it
		synctest.Wait()
		rig.outbox.look(func() {
			if len(rig.outbox.trimmed) != 0 {
				t.Error("trimmed before the checkpoint ended")
			}
		})
		proceed <- nil
		synctest.Wait()
		rig.outbox.look(func() {
			if len(rig.outbox.trimmed) != 5 {
				t.Errorf("trimmed %d after the checkpoint, want 5", len(rig.outbox.trimmed))
			}
		})
		go func() { <-begun; proceed <- nil }()
		rig.end()
		if len(rig.outbox.trimmed) != 6 {
			t.Errorf("trimmed %d at the end, want 6", len(rig.outbox.trimmed))
		}
	})
}

func TestCheckpointFailing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &checkpointer{}
		broken := errors.New("no space left")
		c.checkpoint = func(context.Context) error { return broken }
		rig := run(t, c, Options{Checkpoint: time.Second})
		rig.outbox.add(events(5, 1)...)
		time.Sleep(10*time.Second + time.Millisecond)
		rig.outbox.look(func() {
			if len(rig.outbox.failures) != 10 || len(rig.outbox.trimmed) != 0 {
				t.Errorf("%d failed checkpoints in 10 s, %d trimmed", len(rig.outbox.failures), len(rig.outbox.trimmed))
			}
			broken = nil
		})
		time.Sleep(time.Second)
		rig.outbox.look(func() {
			if len(rig.outbox.trimmed) != 5 {
				t.Errorf("trimmed %d after it works again, want 5", len(rig.outbox.trimmed))
			}
		})
		rig.end()
		if n := rig.logs.FilterMessageSnippet("cannot be made durable").Len(); n != 1 {
			t.Errorf("the failure was logged %d times, want once", n)
		}
		if n := rig.logs.FilterMessageSnippet("durable at the broker again").Len(); n != 1 {
			t.Errorf("its end was logged %d times, want once", n)
		}
	})
}

func TestTrimWithoutCheckpointer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rig := run(t, &fakePublisher{}, Options{Trim: 50 * time.Millisecond})
		rig.outbox.add(events(5, 1)...)
		time.Sleep(51 * time.Millisecond)
		rig.outbox.look(func() {
			if rig.outbox.trims != 1 || len(rig.outbox.trimmed) != 5 {
				t.Errorf("after 50 ms: %d trims, %d events trimmed", rig.outbox.trims, len(rig.outbox.trimmed))
			}
		})
		rig.end()
	})
}

func TestShutdownWaitsForWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{hold: true}
		rig := run(t, p, Options{UnderWay: 3})
		rig.outbox.add(events(5, 2)...)
		synctest.Wait()
		rig.stop()
		synctest.Wait()
		select {
		case <-rig.ended:
			t.Fatal("ended with events under way")
		default:
		}
		p.release()
		rig.end()
		if p.tries != 3 || len(rig.outbox.trimmed) != 3 || rig.outbox.left() != 7 {
			t.Errorf("%d tries, %d trimmed, %d left; want 3, 3, 7", p.tries, len(rig.outbox.trimmed), rig.outbox.left())
		}
		for l, lane := range rig.outbox.lanes {
			if lane.underWay != nil {
				t.Errorf("%v was taken and not given back", l)
			}
		}
	})
}

func TestShutdownGraceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{hold: true}
		rig := run(t, p, Options{})
		rig.outbox.add(events(2, 1)...)
		synctest.Wait()
		rig.stop()
		synctest.Wait()
		rig.expire()
		<-rig.ended
		p.release() // late answers do no harm
		if rig.outbox.left() != 0 || len(rig.outbox.misuse) > 0 {
			t.Error("late answers were not settled", rig.outbox.misuse)
		}
	})
}

func TestShutdownInsideAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{answer: func(*bridge.Event) error { return errAway }}
		rig := run(t, p, Options{})
		rig.outbox.add(events(500, 1)...)
		time.Sleep(10 * time.Second)
		rig.end()
		if rig.outbox.left() != 500 {
			t.Errorf("%d events are left, want 500", rig.outbox.left())
		}
	})
}

func TestOutageIsLoggedOnceAndSlowsTriesDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{}
		away, most := true, int(time.Minute/outageProbe)+2*outageFailures
		p.answer = func(*bridge.Event) error {
			if away && p.tries <= most { // one that never slows down is not waited for
				return errAway
			}
			return nil
		}
		rig := run(t, p, Options{})
		rig.outbox.add(events(10_000, 1)...)
		time.Sleep(time.Minute)
		p.look(func() {
			if away = false; p.tries > most {
				t.Fatalf("more than %d tries in a minute without a broker", most)
			}
		})
		time.Sleep(10 * time.Second)
		if left := rig.outbox.left(); left != 0 {
			t.Errorf("%d events are left 10 s after the broker is back", left)
		}
		rig.end()
		if n := rig.logs.FilterMessageSnippet("does not take events").Len(); n != 1 {
			t.Errorf("the outage was logged %d times", n)
		}
		back := rig.logs.FilterMessageSnippet("takes events again").All()
		if len(back) != 1 {
			t.Fatalf("its end was logged %d times", len(back))
		}
		if took, _ := back[0].ContextMap()["after"].(time.Duration); took < time.Minute || took > 61*time.Second {
			t.Errorf("the outage is said to have lasted %v", took)
		}
	})
}

func TestOutageOfOneLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{answer: func(*bridge.Event) error { return errAway }}
		rig := run(t, p, Options{})
		rig.outbox.add(events(1, 1)...)
		time.Sleep(30 * time.Second)
		if n := rig.logs.FilterMessageSnippet("does not take events").Len(); n != 1 {
			t.Errorf("a broker that takes nothing was told of %d times", n)
		}
		rig.end()
	})
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{}
		failed := false
		p.answer = func(e *bridge.Event) error {
			switch {
			case e.Lane == lane(1):
				return errLarge
			case e.Lane == lane(2) && !failed:
				failed = true
				return errAway
			}
			return nil
		}
		rig := run(t, p, Options{})
		rig.outbox.add(events(3, 1)...)
		rig.drain(time.Minute)
		for name, want := range map[string]float64{
			"livebridge_events_published_total stream": 2, "livebridge_events_published_total record": 0,
			"livebridge_publish_failures_total rejected": 1, "livebridge_publish_failures_total unavailable": 1,
			"livebridge_publish_seconds": 4,
		} {
			if got, found := gathered(t, rig.registry)[name]; !found || got != want {
				t.Errorf("%s is %v (%v), want %v", name, got, found, want)
			}
		}
		if _, err := New(rig.outbox, p, Options{}, zap.NewNop(), rig.registry); err == nil {
			t.Error("metrics were registered twice without an error")
		}
	})
}

// gathered returns counters by name and label, and the number of observations of histograms by name.
func gathered(t *testing.T, r *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if h := m.GetHistogram(); h != nil {
				out[f.GetName()] = float64(h.GetSampleCount())
				continue
			}
			out[f.GetName()+" "+m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
		}
	}
	return out
}

func BenchmarkDispatch(b *testing.B) {
	out := &ring{lanes: make(chan *bridge.Event, 1000)}
	for i := range cap(out.lanes) {
		out.lanes <- &bridge.Event{Lane: lane(i)}
	}
	ctx, cancel := context.WithCancel(context.Background())
	out.left, out.cancel = b.N, cancel
	d, err := New(out, &fakeInstant{}, Options{}, zap.NewNop(), prometheus.NewRegistry())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	d.Run(ctx, ctx)
}

// ring is an outbox whose lanes never run dry.
type ring struct {
	lanes  chan *bridge.Event
	left   int
	cancel context.CancelFunc
	batch  []*bridge.Event
}

func (r *ring) Next(ctx context.Context) ([]*bridge.Event, error) {
	if r.left <= 0 {
		r.cancel()
		return nil, ctx.Err()
	}
	r.batch = r.batch[:0]
	for range min(256, len(r.lanes)) {
		r.batch = append(r.batch, <-r.lanes)
	}
	r.left -= len(r.batch)
	return r.batch, nil
}

func (r *ring) Settle(e *bridge.Event, _ bridge.Settlement) { r.lanes <- e }

func (*ring) Trim(context.Context, func(context.Context) error) error { return nil }

// fakeInstant acknowledges at once.
type fakeInstant struct{}

func (fakeInstant) Publish(_ *bridge.Event, done func(error)) { done(nil) }
func (fakeInstant) Close(context.Context) error               { return nil }

// notices makes n quarantine notices of one kind.
func notices(n int) []*bridge.Event {
	var out []*bridge.Event
	for i := range n {
		out = append(out, &bridge.Event{Lane: bridge.Lane{Kind: bridge.KindRecord}, Sequence: uint64(i + 1), Reason: bridge.ReasonTampered})
	}
	return out
}

// TestQuarantineInTrouble: notices that cannot be published are no outage of the broker, and no event waits behind them.
func TestQuarantineInTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{}
		p.answer = func(e *bridge.Event) error {
			if e.Quarantined() {
				return errAway
			}
			return nil
		}
		rig := run(t, p, Options{})
		rig.outbox.add(notices(3)...)
		for range 30 { // a quiet night: nothing but notices for a while, then an event
			time.Sleep(30 * time.Second)
			rig.outbox.add(&bridge.Event{Lane: lane(0), Sequence: 1})
			synctest.Wait()
			if left := rig.outbox.left(); left != 3 {
				t.Fatalf("%d events are left, want the 3 notices", left)
			}
		}
		p.look(func() { p.answer = nil })
		time.Sleep(10 * time.Second)
		rig.end()
		if n := rig.logs.FilterMessageSnippet("does not take events").Len(); n != 0 {
			t.Error("the quarantine's trouble was taken for an outage")
		}
		for _, said := range []string{"quarantine notices cannot be published", "quarantine notices are published again"} {
			if n := rig.logs.FilterMessageSnippet(said).Len(); n != 1 {
				t.Errorf("%q was logged %d times", said, n)
			}
		}
	})
}

// TestEventsInTrouble: a notice that is published is no end of the events' outage.
func TestEventsInTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePublisher{}
		p.answer = func(e *bridge.Event) error {
			if e.Quarantined() {
				return nil
			}
			return errAway
		}
		rig := run(t, p, Options{})
		rig.outbox.add(events(100, 1)...)
		time.Sleep(10 * time.Second)
		rig.outbox.add(notices(5)...)
		time.Sleep(10 * time.Second)
		if left := rig.outbox.left(); left != 100 {
			t.Errorf("%d events are left, want all but the notices", left)
		}
		rig.end()
		if n := rig.logs.FilterMessageSnippet("takes events again").Len(); n != 0 {
			t.Error("the outage was declared over by a notice")
		}
	})
}
