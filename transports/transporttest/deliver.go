package transporttest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"livebridge/bridge"
)

const (
	answerTimeout = time.Minute           // with a running broker
	retryPause    = 10 * time.Millisecond // between two attempts
)

// answers counts the answers of a publisher, which must give exactly one for each call.
type answers struct {
	total, duplicates atomic.Int64
	restarts          time.Duration // of the broker, added to answerTimeout
}

// try publishes an event once. The channel gets the first answer.
func (a *answers) try(p bridge.Publisher, e *bridge.Event) <-chan error {
	answer := make(chan error, 1)
	var times atomic.Int64
	p.Publish(e, func(err error) {
		a.total.Add(1)
		if times.Add(1) > 1 {
			a.duplicates.Add(1)
			return
		}
		answer <- err
	})
	return answer
}

func (a *answers) check(t *testing.T) {
	t.Helper()
	if n := a.duplicates.Load(); n > 0 {
		t.Errorf("%d events were answered more than once", n)
	}
}

// Try publishes an event once and returns the answer, which must come in time.
func Try(t testing.TB, p bridge.Publisher, e *bridge.Event) error {
	t.Helper()
	answer := make(chan error, 1)
	p.Publish(e, func(err error) { answer <- err })
	return Receive(t, answer)
}

// Receive waits for what another goroutine has to tell, or for its channel to be closed. It fails the test when that
// takes too long.
func Receive[T any](t testing.TB, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(answerTimeout):
		t.Fatalf("nothing came within %v", answerTimeout)
		panic("not reached")
	}
}

// await returns the answer, or fails the test.
func await(t testing.TB, answer <-chan error, within time.Duration) error {
	t.Helper()
	select {
	case err := <-answer:
		return err
	case <-time.After(within):
		t.Fatalf("not answered within %v", within)
		return nil
	}
}

// publish retries until the event is acknowledged or rejected, and returns that answer.
func (a *answers) publish(t testing.TB, p bridge.Publisher, e *bridge.Event) error {
	t.Helper()
	for end := time.Now().Add(answerTimeout); ; {
		err := await(t, a.try(p, e), answerTimeout)
		switch {
		case err == nil || bridge.IsRejected(err):
			return err
		case time.Now().After(end):
			t.Fatalf("not acknowledged within %v: %v", answerTimeout, err)
		}
		<-time.After(retryPause)
	}
}

// deliver publishes as the dispatcher does: lanes concurrently, one event in flight in each, retried in place. It
// returns once all events are acknowledged.
func (a *answers) deliver(t *testing.T, p bridge.Publisher, all []*bridge.Event) {
	t.Helper()
	lanes := make(map[bridge.Lane][]*bridge.Event)
	for _, e := range all {
		lanes[e.Lane] = append(lanes[e.Lane], e)
	}
	var work sync.WaitGroup
	for _, lane := range lanes {
		work.Go(func() { a.deliverLane(t, p, lane) })
	}
	work.Wait()
	if t.Failed() {
		t.FailNow()
	}
	a.check(t)
}

func (a *answers) deliverLane(t *testing.T, p bridge.Publisher, lane []*bridge.Event) {
	for _, e := range lane {
		end := time.After(answerTimeout + a.restarts)
		for acked := false; !acked; {
			select {
			case err := <-a.try(p, e):
				if bridge.IsRejected(err) {
					t.Errorf("%v %d: %v", e.Lane, e.Sequence, err)
					return
				}
				if acked = err == nil; !acked {
					<-time.After(retryPause)
				}
			case <-end:
				t.Errorf("%v %d: not acknowledged within %v", e.Lane, e.Sequence, answerTimeout+a.restarts)
				return
			}
		}
	}
}

// checkLanes checks that the topic has each event byte for byte, in the order of its lane, apart from duplicates.
func checkLanes(t *testing.T, got []Record, want []*bridge.Event) {
	t.Helper()
	type lanePosition struct {
		lane bridge.Lane
		n    uint64
	}
	positions := make(map[string]lanePosition, len(want))
	left := make(map[bridge.Lane]int)
	for _, e := range want {
		positions[string(e.AppendStructured(nil))] = lanePosition{e.Lane, e.Sequence}
		left[e.Lane]++
	}
	last := make(map[bridge.Lane]uint64)
	for _, r := range got {
		p, known := positions[string(r.Payload)]
		switch {
		case !known:
			t.Fatalf("the topic has an event that was never published: %s", r.Payload)
		case p.n > last[p.lane]+1:
			t.Fatalf("lane %v: sequence %d after %d", p.lane, p.n, last[p.lane])
		case p.n == last[p.lane]+1:
			last[p.lane]++
			left[p.lane]--
		}
	}
	for l, n := range left {
		if n != 0 {
			t.Errorf("lane %v: %d events are missing", l, n)
		}
	}
}
