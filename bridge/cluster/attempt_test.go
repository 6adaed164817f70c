package cluster

import (
	"sync"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor/processortest"
)

// attempts keeps what a replica tells of its attempts to commit.
type attempts struct {
	mu     sync.Mutex
	events []int
	errs   []error
}

func (a *attempts) add(events []*bridge.Event, _ time.Duration, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.events, a.errs = append(a.events, len(events)), append(a.errs, err)
}

// TestAttemptsAreTold: of each attempt to commit it is told which events it was about, and what became of it; and what
// an owner has taken over is shown before it commits anything.
func TestAttemptsAreTold(t *testing.T) {
	t.Parallel()
	b, told := newBroker(1), &attempts{}
	b.Rejects = func(e *bridge.Event) bool { return e.Lane.Stream == tooLarge }
	other, away := newReplica(t, b, func(o *Options) { o.Commits, o.CommitWait = 1, time.Hour })
	appendTo(t, other, processortest.Push("a", session, bridge.PhasePublish))
	appendTo(t, other, processortest.Push(tooLarge, session, bridge.PhasePublish))
	one, first := newReplica(t, b, func(o *Options) { o.Attempted = told.add })
	first.Assign(0)
	eventually(t, "the event is out", func() bool { return len(b.Output(0)) == 1 })
	eventually(t, "the dead letter is shown", func() bool { return one.Stats()[0].DeadLetters.Entries == 1 })
	told.mu.Lock()
	defer told.mu.Unlock()
	if len(told.events) < 2 || told.events[0] != 2 || !bridge.IsRejected(told.errs[0]) || told.events[1] != 1 ||
		told.errs[1] != nil {
		t.Errorf("told of %d events, %v", told.events, told.errs)
	}
	free, _ := other.slots.take(t.Context()) // it commits nothing until then
	defer free()
	first.Assign()
	away.Assign(0)
	eventually(t, "another replica owns it", func() bool { return other.Owns(0) })
	if s := other.Stats()[0]; s.DeadLetters.Entries != 1 {
		t.Errorf("it shows %+v", s)
	}
}
