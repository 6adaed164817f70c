package dispatch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
)

// box is an Outbox of some lanes in memory.
type box struct {
	mu      sync.Mutex
	lanes   map[bridge.Lane][]*bridge.Event
	busy    map[bridge.Lane]bool
	until   map[bridge.Lane]time.Time
	dead    []*bridge.Event
	acked   []*bridge.Event
	trimmed int
	changed chan struct{}
}

func newBox(lanes, events int) *box {
	b := &box{lanes: map[bridge.Lane][]*bridge.Event{}, busy: map[bridge.Lane]bool{}, until: map[bridge.Lane]time.Time{},
		changed: make(chan struct{}, 1)}
	for i := range lanes {
		l := bridge.Lane{Kind: bridge.KindStream, Stream: fmt.Sprint("s", i)}
		for n := range events {
			b.lanes[l] = append(b.lanes[l], &bridge.Event{Lane: l, Sequence: uint64(n + 1)})
		}
	}
	return b
}

func (b *box) Next(ctx context.Context) ([]*bridge.Event, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if events := b.ready(); len(events) > 0 {
			return events, nil
		}
		select {
		case <-ctx.Done():
		case <-b.changed:
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (b *box) ready() (events []*bridge.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for l, waiting := range b.lanes {
		if len(waiting) > 0 && !b.busy[l] && !b.until[l].After(time.Now()) {
			b.busy[l] = true
			events = append(events, waiting[0])
		}
	}
	return events
}

func (b *box) Settle(e *bridge.Event, s bridge.Settlement) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy[e.Lane] = false
	switch {
	case s.Retry > 0:
		b.until[e.Lane] = time.Now().Add(s.Retry)
	case s.Dead != "":
		b.dead = append(b.dead, e)
		b.lanes[e.Lane] = b.lanes[e.Lane][1:]
	default:
		b.acked = append(b.acked, e)
		b.lanes[e.Lane] = b.lanes[e.Lane][1:]
	}
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

func (b *box) Trim(ctx context.Context, durable func(context.Context) error) error {
	b.mu.Lock()
	n := len(b.acked)
	b.mu.Unlock()
	if err := durable(ctx); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trimmed = n
	return nil
}

func (b *box) left() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, events := range b.lanes {
		n += len(events)
	}
	return n
}

// broker is a Publisher whose answers a test decides.
type broker struct {
	mu       sync.Mutex
	answer   func(e *bridge.Event) error
	delay    func() time.Duration
	got      []*bridge.Event
	tries    int
	underWay map[bridge.Lane]int
	t        *testing.T
}

func (b *broker) Publish(e *bridge.Event, done func(error)) {
	b.mu.Lock()
	b.tries++
	if b.underWay[e.Lane]++; b.underWay[e.Lane] > 1 {
		b.t.Errorf("two events of lane %v are under way", e.Lane)
	}
	b.mu.Unlock()
	time.AfterFunc(b.delay(), func() {
		b.mu.Lock()
		err := b.answer(e)
		if err == nil {
			b.got = append(b.got, e)
		}
		b.underWay[e.Lane]--
		b.mu.Unlock()
		done(err)
	})
}

func (b *broker) Close(context.Context) error { return nil }

// durableBroker is a broker that needs checkpoints.
type durableBroker struct {
	*broker
	checkpoint func() error
}

func (b *durableBroker) Checkpoint(context.Context) error { return b.checkpoint() }

func newBroker(t *testing.T, answer func(*bridge.Event) error) *broker {
	return &broker{t: t, answer: answer, underWay: map[bridge.Lane]int{}, delay: func() time.Duration { return time.Millisecond }}
}

// run dispatches until the box is empty or the virtual time is over.
func run(t *testing.T, b *box, p bridge.Publisher, log *zap.Logger, most time.Duration) {
	t.Helper()
	d, err := New(b, p, DefaultOptions(), log, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); d.Run(ctx, t.Context()) }()
	for end := time.Now().Add(most); b.left() > 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	<-ended
}

func inOrder(t *testing.T, events []*bridge.Event) {
	t.Helper()
	last := map[bridge.Lane]uint64{}
	for _, e := range events {
		if e.Sequence != last[e.Lane]+1 {
			t.Fatalf("lane %v: %d after %d", e.Lane, e.Sequence, last[e.Lane])
		}
		last[e.Lane] = e.Sequence
	}
}

func TestOrderUnderFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(1, 2))
		b := newBox(40, 25)
		p := newBroker(t, func(*bridge.Event) error {
			if rnd.IntN(3) == 0 {
				return bridge.Unavailable("not now")
			}
			return nil
		})
		p.delay = func() time.Duration { return time.Duration(rnd.IntN(30)) * time.Millisecond }
		run(t, b, p, zap.NewNop(), time.Hour)
		if len(p.got) != 40*25 {
			t.Errorf("%d events came out", len(p.got))
		}
		inOrder(t, p.got)
	})
}

func TestRejectedGoesToTheDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(2, 3)
		p := newBroker(t, func(e *bridge.Event) error {
			if e.Sequence == 2 {
				return bridge.Rejected("too large")
			}
			return nil
		})
		run(t, b, p, zap.NewNop(), time.Hour)
		if len(b.dead) != 2 || len(p.got) != 4 {
			t.Errorf("%d dead, %d published", len(b.dead), len(p.got))
		}
	})
}

func TestStuckLaneStarvesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(10, 50)
		stuck := bridge.Lane{Kind: bridge.KindStream, Stream: "s0"}
		p := newBroker(t, func(e *bridge.Event) error {
			if e.Lane == stuck {
				return bridge.Unavailable("this partition has no leader")
			}
			return nil
		})
		run(t, b, p, zap.NewNop(), 5*time.Second)
		if len(p.got) != 9*50 || b.left() != 50 {
			t.Errorf("%d published, %d left", len(p.got), b.left())
		}
	})
}

func TestOutageIsSaidOnceAndSlowsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		b := newBox(2000, 1)
		back := time.Now().Add(time.Minute)
		p := newBroker(t, func(*bridge.Event) error {
			if time.Now().Before(back) {
				return bridge.Unavailable("away")
			}
			return nil
		})
		run(t, b, p, zap.New(core), time.Hour)
		if len(p.got) != 2000 {
			t.Errorf("%d events came out", len(p.got))
		}
		if n := logs.Len(); n != 2 {
			t.Errorf("%d lines were logged: %v", n, logs.All())
		}
		if most := 2000 + outageAfter + int(time.Minute/outageProbe) + 4096; p.tries > most {
			t.Errorf("%d tries in a minute without a broker", p.tries)
		}
		if late := time.Since(back); late > 10*time.Second {
			t.Errorf("it took %v after the broker was back", late)
		}
	})
}

func TestTrimOnlyAfterTheCheckpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(1, 3)
		broken := true
		p := &durableBroker{newBroker(t, func(*bridge.Event) error { return nil }), func() error {
			if broken {
				return errors.New("disk")
			}
			return nil
		}}
		d, err := New(b, p, DefaultOptions(), zap.NewNop(), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); d.Run(ctx, t.Context()) }()
		time.Sleep(10 * time.Second)
		if b.trimmed != 0 || len(p.got) != 3 {
			t.Errorf("%d trimmed without a checkpoint, %d published", b.trimmed, len(p.got))
		}
		broken = false
		cancel()
		<-ended
		if b.trimmed != 3 {
			t.Errorf("%d trimmed at the end", b.trimmed)
		}
	})
}

func TestRunEndsThoughTheBrokerNeverAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(3, 1)
		p := newBroker(t, func(*bridge.Event) error { return nil })
		p.delay = func() time.Duration { return 24 * time.Hour }
		d, err := New(b, p, DefaultOptions(), zap.NewNop(), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		stop, expire := context.WithTimeout(t.Context(), 3*time.Second)
		defer expire()
		begun := time.Now()
		d.Run(ctx, stop)
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("Run took %v", took)
		}
		time.Sleep(48 * time.Hour) // lets the broker's timers end
	})
}

func TestBackoff(t *testing.T) {
	b := newBackoff(50*time.Millisecond, 5*time.Second)
	l := bridge.Lane{Stream: "a"}
	whole := 50 * time.Millisecond
	for range 40 {
		if got := b.next(l); got < whole/2 || got > whole {
			t.Errorf("waits %v, the whole is %v", got, whole)
		}
		whole = min(2*whole, 5*time.Second)
	}
	b.forget(l)
	if got := b.next(l); got > 50*time.Millisecond {
		t.Errorf("after a success it waits %v", got)
	}
	for i := range 2 * backoffLanes {
		b.next(bridge.Lane{Stream: fmt.Sprint(i)})
	}
	if len(b.failures) > backoffLanes {
		t.Errorf("%d lanes are remembered", len(b.failures))
	}
}
