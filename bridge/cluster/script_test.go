package cluster

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/processor/processortest"
)

// tooLarge is the stream of which the broker rejects every event.
const tooLarge = "too-large"

// act is something that happens to the log, or time that passes.
type act struct {
	arrival *bridge.Arrival
	command *processor.Input
	passes  time.Duration
}

// script is what happens, step by step. A step begins once an owner has nothing to do; within it nobody does anything.
// After the last one time passes until every hold has ended.
type script [][]act

// session is the one that all pushes of the tests are of.
const session = bridge.Millis(1_600_000_000_000)

func publish(stream string) act {
	return act{arrival: processortest.Push(stream, session, bridge.PhasePublish)}
}
func done(stream string) act {
	return act{arrival: processortest.Push(stream, session, bridge.PhaseDone)}
}
func pass(d time.Duration) act { return act{passes: d} }

func suspect(stream string) act {
	return act{arrival: processortest.Suspect(stream, 1, bridge.ReasonExpired)}
}

func release(numbers ...uint64) act {
	return act{command: &processor.Input{Action: processor.Release, Queue: bridge.QuarantineQueue, Numbers: numbers}}
}

// usual is a script with what makes a difference: events that wait for one before them and are served or not, before
// and after an owner may have changed; one that comes in time while nobody reads; repeats, quarantine, dead letters.
func usual() *script {
	return &script{
		{done("a"), publish("a"), publish("a"), done("b"), suspect("s")},
		{pass(5 * time.Second), publish("c"), done("d"), publish(tooLarge)},
		{pass(4 * time.Second), release(1), publish("e"), publish("f"), done("e"), publish("d"), pass(8 * time.Second)},
		{publish("b"), done("c"), publish("a"), done("f")},
	}
}

// next has the next step of the script happen; false: there is none.
func (w *world) next() bool {
	if w.taken == len(*w.script) {
		return false
	}
	for i, a := range (*w.script)[w.taken] {
		switch {
		case a.arrival != nil:
			w.append(callbackRecord(a.arrival))
		case a.command != nil:
			w.append(commandRecord(commandID{byte(w.taken), byte(i)}, a.command))
		}
		w.pass(a.passes)
	}
	w.taken++
	w.active.idle = 0
	return true
}

// append writes an input into the log, as a replica that nothing befalls.
func (w *world) append(input []byte) {
	if err := w.broker.Replica(nil).Append(w.t.Context(), 0, input); err != nil {
		w.t.Fatal(err)
	}
}

// reference has one processor decide the script.
type reference struct {
	*processortest.Partition
	committed []bridge.Event
}

func (s *script) reference(t *testing.T) *reference {
	t.Helper()
	of := limits()
	of.Partition = "0"
	p, err := processortest.Begin(of, began())
	if err != nil {
		t.Fatal(err)
	}
	r := &reference{Partition: p}
	for _, step := range *s {
		for _, a := range step {
			if err := r.act(a); err != nil {
				t.Fatal(err)
			}
		}
	}
	return r
}

func (r *reference) act(a act) error {
	switch {
	case a.arrival != nil:
		if err := r.Arrive(a.arrival); err != nil {
			return err
		}
	case a.command != nil:
		if err := r.Do(*a.command); err != nil {
			return err
		}
	default:
		if err := r.Pass(a.passes); err != nil {
			return err
		}
	}
	return r.commit()
}

// commit takes what was emitted, but for what the broker rejects.
func (r *reference) commit() error {
	emitted := r.Emitted
	r.Emitted = nil
	for _, e := range emitted {
		if e.Lane.Stream != tooLarge {
			r.committed = append(r.committed, *e)
			continue
		}
		err := r.Do(processor.Input{Action: processor.Reject,
			Rejected: processor.Rejection{Event: e, Reason: bridge.RejectionTooLarge, Detail: "too large"}})
		if err != nil {
			return err
		}
	}
	return nil
}

// text writes events lane by lane.
func text(events []bridge.Event) []string {
	var lines []string
	for i := range events {
		e := &events[i]
		lines = append(lines, fmt.Sprintf("%s %d %s %q recorded %s, %s, %s", e.Lane, e.Sequence, e.Type, e.Marks,
			e.Recorded, e.ID, e.Data))
	}
	slices.SortStableFunc(lines, func(a, b string) int { return slices.Compare([]byte(a), []byte(b)) })
	return lines
}
