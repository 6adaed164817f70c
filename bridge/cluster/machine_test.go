package cluster

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"livebridge/bridge"
	"livebridge/bridge/cluster/clustertest"
	"livebridge/bridge/processor"
	"livebridge/bridge/processor/processortest"
)

// machine is a world in which anything happens at any time.
type machine struct {
	*world
	r       *rapid.T
	written map[bridge.ID]bridge.Millis // callbacks in the log, and when it took them first
	keys    map[string]bridge.ID        // stream and phase
}

// TestMachine has two replicas with wrong clocks take steps in any order, at any of which they may crash, be refused or
// lose the answer, while callbacks come and time passes; then it lets them come to an end. What must hold whatever
// happened: each callback is out once, in the order of its lane, with true marks, and the state says so.
func TestMachine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		m := &machine{world: newWorld(t, &script{}), r: r, written: make(map[bridge.ID]bridge.Millis),
			keys: make(map[string]bridge.ID)}
		defer m.stop()
		r.Repeat(map[string]func(*rapid.T){
			"callbacks": func(*rapid.T) { m.write() },
			"step":      func(*rapid.T) { m.move(clustertest.Proceed) },
			"steps": func(*rapid.T) {
				for range 6 {
					m.move(clustertest.Proceed)
				}
			},
			"fault": func(*rapid.T) {
				m.move(rapid.SampledFrom([]clustertest.Verdict{clustertest.Refuse, clustertest.Lose, clustertest.CrashBefore,
					clustertest.CrashAfter}).Draw(r, "verdict"))
			},
			"other": func(*rapid.T) { m.active = m.other() },
			"time":  func(*rapid.T) { m.pass(time.Duration(rapid.IntRange(1, 12).Draw(r, "seconds")) * time.Second) },
			"compact": func(*rapid.T) {
				m.broker.Compact(0, rapid.IntRange(0, 3).Draw(r, "kept"))
			},
		})
		m.settle()
		m.check()
	})
}

// write appends some callbacks, a few of which were there before.
func (m *machine) write() {
	for range rapid.IntRange(1, 4).Draw(m.r, "callbacks") {
		stream := fmt.Sprint("s", rapid.IntRange(0, 5).Draw(m.r, "stream"))
		phase := rapid.SampledFrom([]bridge.Phase{bridge.PhasePublish, bridge.PhaseDone}).Draw(m.r, "phase")
		a := processortest.Push(stream, session, phase)
		if _, known := m.written[a.Event.ID]; !known {
			m.written[a.Event.ID] = bridge.MillisOf(m.wall())
			m.keys[fmt.Sprint(stream, phase)] = a.Event.ID
		}
		m.append(callbackRecord(a))
	}
}

// move has the active replica take a step, or take the partition if it does not have it.
func (m *machine) move(v clustertest.Verdict) {
	if m.active.request == nil {
		m.active.start()
		return
	}
	m.active.step(v)
	m.ended()
}

// ended checks why an ownership has ended, if it has.
func (m *machine) ended() {
	var failed *bridge.PublishError
	if err := m.active.err; m.active.request == nil && !errors.Is(err, errCrashed) && !errors.Is(err, bridge.ErrFenced) &&
		!errors.As(err, &failed) {
		m.r.Fatalf("an owner has ended by %v", err)
	}
}

// settle lets everything come to an end: all is read, and all holds are over.
func (m *machine) settle() {
	m.other().stop()
	m.active.stop()
	for _, passes := range []time.Duration{0, time.Minute} {
		m.pass(passes)
		m.active.idle = 0
		for steps := 0; m.active.request == nil || !m.active.rests(); steps++ {
			m.move(clustertest.Proceed)
			if steps > 1000 {
				m.r.Fatal("it does not come to an end")
			}
		}
	}
}

// check compares what is out with what was written.
func (m *machine) check() {
	seen, sequences := make(map[bridge.ID]*bridge.Event), make(map[bridge.Lane]uint64)
	output := m.broker.Output(0)
	for i := range output {
		e := &output[i]
		if last := sequences[e.Lane]; last != 0 && e.Sequence != last+1 {
			m.r.Fatalf("%s: sequence %d follows %d", e.Lane, e.Sequence, last)
		}
		sequences[e.Lane] = e.Sequence
		if seen[e.ID] != nil {
			m.r.Fatalf("%s %s is out twice", e.Lane, e.Type)
		}
		seen[e.ID] = e
		if at, known := m.written[e.ID]; !known || e.Recorded != at {
			m.r.Fatalf("%s %s is recorded %s, the log has it since %s", e.Lane, e.Type, e.Recorded, at)
		}
	}
	if len(seen) != len(m.written) {
		m.r.Fatalf("%d of %d callbacks are out", len(seen), len(m.written))
	}
	m.checkMarks(seen)
	m.checkState(sequences)
}

// checkMarks: an event that was served in time has no mark, one whose hold has ended before has one.
func (m *machine) checkMarks(seen map[bridge.ID]*bridge.Event) {
	for i := range 6 {
		publish, begun := m.written[m.keys[fmt.Sprint("s", i, bridge.PhasePublish)]]
		done, ended := m.written[m.keys[fmt.Sprint("s", i, bridge.PhaseDone)]]
		if !ended {
			continue
		}
		e := seen[m.keys[fmt.Sprint("s", i, bridge.PhaseDone)]]
		unseen := e.Marks.Has(bridge.MarkStartUnseen)
		if inTime := begun && publish < done+10_000; inTime && unseen {
			m.r.Fatalf("%s: the hold has ended although the event before it was there in time", e.Lane)
		}
		if !begun && !unseen {
			m.r.Fatalf("%s: marked %q though nothing came before it", e.Lane, e.Marks)
		}
	}
}

// checkState: the state has what the output implies.
func (m *machine) checkState(sequences map[bridge.Lane]uint64) {
	c := m.restored()
	defer func() {
		if err := c.Close(); err != nil {
			m.t.Error(err)
		}
	}()
	for lane, sequence := range sequences {
		l, found, err := c.Lane(lane, processor.Moment{})
		if err != nil || !found || l.State.Sequence != sequence || len(l.State.Held) > 0 {
			m.r.Fatalf("lane %s is at %+v in the state, %d are out (%v)", lane, l.State, sequence, err)
		}
	}
	if next := m.broker.Next(0); c.State().Next != next {
		m.r.Fatalf("the state goes on at %d, the intake at %d", c.State().Next, next)
	}
}
