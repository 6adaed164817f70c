package transporttest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"livebridge/bridge"
)

// Consume calls f for every message on the topic of events, for all or only those from now on, until ctx ends or f
// returns an error, and returns that. It must keep what RunConsumer checks.
type Consume func(ctx context.Context, all bool, f func(Record) error) error

// RunConsumer runs the contract of a consumer: it reads every message of the events' topic as it is, once each, in the
// order of each key, and no notice; it calls f one message at a time and never after an error; it fails at once where
// there is no broker, and outlives one that restarts.
func RunConsumer(t *testing.T, h Harness) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Harness)
	}{
		{"all", consumeAll},
		{"new ones only", consumeNew},
		{"binary content", consumeBinary},
		{"foreign messages", consumeForeign},
		{"an error ends it", consumeUntilError},
		{"a cancelled context ends it", consumeUntilCancelled},
		{"no broker", consumeWithoutBroker},
		{"broker restarted", consumeThroughRestart},
	} {
		t.Run("consume "+c.name, func(t *testing.T) { c.test(t, h) })
	}
}

// consuming is a consumer that runs in the background.
type consuming struct {
	records chan Record
	ended   chan error
	stop    context.CancelFunc
}

// startConsuming runs a consumer until the test ends. All that it may consume must fit its channel.
func startConsuming(t *testing.T, topic *Topic, all bool) *consuming {
	ctx, cancel := context.WithCancel(context.Background())
	c := &consuming{make(chan Record, 10_000), make(chan error, 1), cancel}
	var running atomic.Int32
	go func() {
		c.ended <- topic.Consume(ctx, all, func(r Record) error {
			if running.Add(1) > 1 {
				t.Error("two messages at the same time")
			}
			defer running.Add(-1)
			c.records <- r
			return nil
		})
	}()
	t.Cleanup(cancel)
	return c
}

// next returns the next record.
func (c *consuming) next(t *testing.T, within time.Duration) Record {
	t.Helper()
	select {
	case r := <-c.records:
		return r
	case err := <-c.ended:
		t.Fatalf("the consumer has ended: %v", err)
	case <-time.After(within):
		t.Fatalf("nothing is consumed within %v", within)
	}
	panic("not reached")
}

func (c *consuming) take(t *testing.T, n int, within time.Duration) (out []Record) {
	t.Helper()
	for range n {
		out = append(out, c.next(t, within))
	}
	return out
}

// cancel ends the consumer, which must say so.
func (c *consuming) cancel(t *testing.T) {
	t.Helper()
	c.stop()
	if err := Receive(t, c.ended); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled consumer returns %v", err)
	}
}

func consumeAll(t *testing.T, h Harness) {
	topic, a := h.Open(t, false), &answers{}
	before := events(40, 1, 5)
	a.deliver(t, topic.Publisher, append(before, notice(bridge.KindStream, 1)))
	c := startConsuming(t, topic, true)
	got := c.take(t, len(before), answerTimeout)
	a.deliver(t, topic.Publisher, append(events(40, 6, 5), notice(bridge.KindStream, 2)))
	got = append(got, c.take(t, len(before), answerTimeout)...)
	c.cancel(t)
	checkOnce(t, got, events(40, 1, 10))
	checkAsStored(t, got, topic.Events(t))
}

// checkOnce checks that the records are the events, each once, in the order of its lane.
func checkOnce(t *testing.T, got []Record, want []*bridge.Event) {
	t.Helper()
	checkLanes(t, got, want)
	if len(got) != len(want) {
		t.Errorf("%d records of %d events were consumed", len(got), len(want))
	}
}

// checkAsStored checks that each record was handed out as it lies on the topic.
func checkAsStored(t *testing.T, got, stored []Record) {
	t.Helper()
	lie := byKey(stored)
	for _, r := range got {
		want := only(t, lie, r.Key)
		if string(r.Payload) != string(want.Payload) || !maps.Equal(r.Headers, want.Headers) {
			t.Errorf("under %s came %q %s, but there lies %q %s", r.Key, r.Headers, r.Payload, want.Headers, want.Payload)
		}
	}
}

// consumeNew publishes events until the consumer has begun: none from before it may come.
func consumeNew(t *testing.T, h Harness) {
	topic, a := h.Open(t, false), &answers{}
	before := events(20, 1, 3)
	a.deliver(t, topic.Publisher, before)
	c := startConsuming(t, topic, false)
	var got Record
	for sequence, begun := uint64(4), false; !begun; sequence++ {
		a.deliver(t, topic.Publisher, events(1, sequence, 1))
		select {
		case got = <-c.records:
			begun = true
		case err := <-c.ended:
			t.Fatalf("the consumer has ended: %v", err)
		case <-time.After(10 * retryPause): // it has not begun yet
		}
	}
	if slices.ContainsFunc(before,
		func(e *bridge.Event) bool { return string(e.AppendStructured(nil)) == string(got.Payload) }) {
		t.Errorf("an event from before: %s", got.Payload)
	}
}

func consumeBinary(t *testing.T, h Harness) {
	topic, a := h.Open(t, true), &answers{}
	want := samples()
	for _, e := range want { // one after the other: lanes may share a key
		a.deliver(t, topic.Publisher, []*bridge.Event{e})
	}
	c := startConsuming(t, topic, true)
	checkAsStored(t, c.take(t, len(want), answerTimeout), topic.Events(t))
}

// consumeForeign: whatever others have put on the topic is handed out too, and what follows it.
func consumeForeign(t *testing.T, h Harness) {
	topic, a := h.Open(t, false), &answers{}
	a.deliver(t, topic.Publisher, events(1, 1, 1))
	c := startConsuming(t, topic, true)
	c.next(t, answerTimeout)
	for _, payload := range []string{"", "{", "not an event", "\x00\xff", `{"specversion":"1.0"}`} {
		topic.Foreign(t, h.Key(event(lane(0), 1)), []byte(payload))
		if r := c.next(t, answerTimeout); string(r.Payload) != payload {
			t.Errorf("%q came as %q", payload, r.Payload)
		}
	}
	a.deliver(t, topic.Publisher, events(1, 2, 1))
	if want := event(lane(0), 2).AppendStructured(nil); string(c.next(t, answerTimeout).Payload) != string(want) {
		t.Error("another event follows")
	}
}

// consumeUntilError: the error of f is what Consume returns, and the last call of f.
func consumeUntilError(t *testing.T, h Harness) {
	topic, a := h.Open(t, false), &answers{}
	a.deliver(t, topic.Publisher, events(50, 1, 4))
	enough, calls := errors.New("enough"), 0
	var mu sync.Mutex // a consumer may call from several goroutines, one after the other
	ended := make(chan error, 1)
	go func() {
		ended <- topic.Consume(context.Background(), true, func(Record) error {
			mu.Lock()
			defer mu.Unlock()
			if calls++; calls < 7 {
				return nil
			}
			<-time.After(retryPause) // messages of other partitions have come meanwhile
			return enough
		})
	}()
	if err := Receive(t, ended); !errors.Is(err, enough) {
		t.Errorf("it returns %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if calls != 7 {
		t.Errorf("f was called %d times, the 7th time with an error", calls)
	}
}

// consumeUntilCancelled: before it has begun, while it waits, and while there is more to come.
func consumeUntilCancelled(t *testing.T, h Harness) {
	topic, a := h.Open(t, false), &answers{}
	a.deliver(t, topic.Publisher, events(50, 1, 4))
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	ended := make(chan error, 1)
	go func() { ended <- topic.Consume(cancelled, true, func(Record) error { return nil }) }()
	if err := Receive(t, ended); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before the start it returns %v", err)
	}
	c := startConsuming(t, topic, true)
	c.next(t, answerTimeout)
	c.cancel(t)
	idle := startConsuming(t, topic, true)
	idle.take(t, 200, answerTimeout)
	idle.cancel(t)
}

// consumeWithoutBroker: who asks a broker that is not there is told so. The next test needs it again.
func consumeWithoutBroker(t *testing.T, h Harness) {
	topic, a := h.Open(t, false), &answers{}
	a.deliver(t, topic.Publisher, events(1, 1, 1))
	topic.Stop(t)
	defer topic.Start(t)
	ended := make(chan error, 1)
	go func() {
		ended <- topic.Consume(context.Background(), true, func(Record) error {
			t.Error("a message from nowhere")
			return nil
		})
	}()
	select {
	case err := <-ended:
		if err == nil || errors.Is(err, context.Canceled) {
			t.Errorf("without a broker it returns %v", err)
		}
	case <-time.After(h.Away):
		t.Errorf("without a broker it has not returned within %v", h.Away)
	}
}

// consumeThroughRestart: a broker that restarts costs no message and repeats none.
func consumeThroughRestart(t *testing.T, h Harness) {
	topic, a := h.Open(t, false), &answers{restarts: h.Restart}
	a.deliver(t, topic.Publisher, events(20, 1, 5))
	c := startConsuming(t, topic, true)
	got := c.take(t, 20*5, answerTimeout)
	topic.Stop(t)
	topic.Start(t)
	a.deliver(t, topic.Publisher, events(20, 6, 5))
	if h.DropsRepeats {
		got = append(got, c.take(t, 20*5, answerTimeout+h.Restart)...)
		checkOnce(t, got, events(20, 1, 10))
		c.cancel(t)
		return
	}
	stored := topic.Events(t)
	got = append(got, c.take(t, len(stored)-len(got), answerTimeout+h.Restart)...)
	checkLanes(t, got, events(20, 1, 10))
	checkAsStored(t, got, stored)
	c.cancel(t)
}
