package transporttest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"livebridge/bridge"
)

const (
	patience = time.Minute           // with a broker that is there
	again    = 10 * time.Millisecond // between two tries
)

// answers counts the answers of a publisher, each of which must come once.
type answers struct {
	given, twice atomic.Int64
	restarts     time.Duration // what they may take beyond our patience
}

// try publishes an event once. The channel gets the first answer.
func (a *answers) try(p bridge.Publisher, e *bridge.Event) <-chan error {
	answer := make(chan error, 1)
	var times atomic.Int64
	p.Publish(e, func(err error) {
		a.given.Add(1)
		if times.Add(1) > 1 {
			a.twice.Add(1)
			return
		}
		answer <- err
	})
	return answer
}

func (a *answers) check(t *testing.T) {
	t.Helper()
	if n := a.twice.Load(); n > 0 {
		t.Errorf("%d events were answered more than once", n)
	}
}

// await returns the answer, or fails the test.
func await(t *testing.T, answer <-chan error, within time.Duration) error {
	t.Helper()
	select {
	case err := <-answer:
		return err
	case <-time.After(within):
		t.Fatalf("not answered within %v", within)
		return nil
	}
}

// publish tries until the event is acknowledged or rejected, and returns that answer.
func (a *answers) publish(t *testing.T, p bridge.Publisher, e *bridge.Event) error {
	t.Helper()
	for end := time.Now().Add(patience); ; {
		err := await(t, a.try(p, e), patience)
		switch {
		case err == nil || bridge.IsRejected(err):
			return err
		case time.Now().After(end):
			t.Fatalf("not taken within %v: %v", patience, err)
		}
		<-time.After(again)
	}
}

// deliver publishes everything as the dispatcher does: lanes at once, one event under way in each, tried again in place.
// It returns when all is acknowledged.
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
	end := time.After(patience + a.restarts)
	for _, e := range lane {
		for taken := false; !taken; {
			select {
			case err := <-a.try(p, e):
				if bridge.IsRejected(err) {
					t.Errorf("%v %d: %v", e.Lane, e.Sequence, err)
					return
				}
				if taken = err == nil; !taken {
					<-time.After(again)
				}
			case <-end:
				t.Errorf("%v: not taken within %v", e.Lane, patience)
				return
			}
		}
	}
}

// checkLanes checks that the topic has each event byte for byte, in the order of its lane, but for repeats.
func checkLanes(t *testing.T, got []Record, want []*bridge.Event) {
	t.Helper()
	type place struct {
		lane bridge.Lane
		n    uint64
	}
	places := make(map[string]place, len(want))
	left := make(map[bridge.Lane]int)
	for _, e := range want {
		places[string(e.AppendStructured(nil))] = place{e.Lane, e.Sequence}
		left[e.Lane]++
	}
	last := make(map[bridge.Lane]uint64)
	for _, r := range got {
		p, known := places[string(r.Payload)]
		switch {
		case !known:
			t.Fatalf("the topic has what was never published: %s", r.Payload)
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
