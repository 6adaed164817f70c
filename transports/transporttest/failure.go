package transporttest

import (
	"context"
	"testing"
	"time"

	"livebridge/bridge"
)

// brokerAway: without a broker every event is answered as unavailable in bounded time; once it is back, they are
// acknowledged.
func brokerAway(t *testing.T, h Harness) {
	topic, a := h.Open(t, false), &answers{restarts: h.Restart}
	before, during := events(20, 1, 3), events(20, 4, 1)
	a.deliver(t, topic.Publisher, before)
	topic.Stop(t)
	given := a.total.Load()
	var inFlight []<-chan error
	for _, e := range during {
		inFlight = append(inFlight, a.try(topic.Publisher, e))
	}
	for _, answer := range inFlight {
		if err := await(t, answer, h.Away); err == nil || bridge.IsRejected(err) {
			t.Errorf("without a broker the answer is %v", err)
		}
	}
	if n := a.total.Load() - given; n != int64(len(during)) {
		t.Errorf("%d answers for %d events", n, len(during))
	}
	topic.Start(t)
	all := append(append(before, during...), events(20, 5, 3)...)
	a.deliver(t, topic.Publisher, all[len(before):])
	checkLanes(t, topic.Events(t), all)
}

// brokerRestarted restarts the broker while events are in flight.
func brokerRestarted(t *testing.T, h Harness) {
	topic, a := h.Open(t, false), &answers{restarts: 2 * h.Restart}
	all := events(50, 1, 40)
	a.deliver(t, topic.Publisher, all[:50])
	delivered := make(chan struct{})
	go func() {
		defer close(delivered)
		a.deliver(t, topic.Publisher, all[50:])
	}()
	for _, share := range []int64{3, 6} {
		for a.total.Load() < int64(len(all))*share/10 {
			<-time.After(time.Millisecond)
		}
		topic.Stop(t)
		topic.Start(t)
	}
	<-delivered
	checkLanes(t, topic.Events(t), all)
}

// closeAnswers: events in flight are answered before Close returns; after that every event is unavailable.
func closeAnswers(t *testing.T, h Harness) {
	topic, a := h.Open(t, false), &answers{}
	a.deliver(t, topic.Publisher, events(1, 1, 1))
	all := events(500, 2, 1)
	given := a.total.Load()
	var inFlight []<-chan error
	for _, e := range all {
		inFlight = append(inFlight, a.try(topic.Publisher, e))
	}
	closeWithin(t, topic.Publisher, answerTimeout)
	if n := a.total.Load() - given; n != int64(len(all)) {
		t.Errorf("Close returned after %d answers for %d events", n, len(all))
	}
	seen := make(map[string]bool)
	for _, r := range topic.Events(t) {
		seen[string(r.Payload)] = true
	}
	for i, answer := range inFlight {
		if err := <-answer; err == nil && !seen[string(all[i].AppendStructured(nil))] {
			t.Errorf("%v was acknowledged and is missing", all[i].Lane)
		}
	}
	checkClosed(t, a, topic.Publisher)
}

// closeWithoutBroker: Close abandons what is in flight when its context ends.
func closeWithoutBroker(t *testing.T, h Harness) {
	topic, a := h.Open(t, false), &answers{}
	a.deliver(t, topic.Publisher, events(1, 1, 1))
	topic.Stop(t)
	defer topic.Start(t) // the suite of a consumer may follow
	given, all := a.total.Load(), events(100, 2, 1)
	for _, e := range all {
		a.try(topic.Publisher, e)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = topic.Publisher.Close(ctx) // the deadline is expected
	}()
	select {
	case <-ended:
	case <-time.After(h.Away):
		t.Fatalf("Close has not returned within %v", h.Away)
	}
	if n := a.total.Load() - given; n != int64(len(all)) {
		t.Errorf("Close has returned after %d answers for %d events", n, len(all))
	}
	checkClosed(t, a, topic.Publisher)
}

func closeWithin(t testing.TB, p bridge.Publisher, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	if err := p.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func checkClosed(t *testing.T, a *answers, p bridge.Publisher) {
	t.Helper()
	if err := await(t, a.try(p, event(lane(0), 99)), answerTimeout); err == nil || bridge.IsRejected(err) {
		t.Errorf("a closed publisher answers %v", err)
	}
	a.check(t)
}
