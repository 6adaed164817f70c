// Package processortest is a partition in memory: a View that keeps what commits have left, and a log of inputs before
// it. Tests of the processor decide on it without a disk, and tests of a View that has one compare it with this.
package processortest

import (
	"cmp"
	"maps"
	"slices"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// Memory is a View, and what has left the partition. It is used by one goroutine.
type Memory struct {
	Counters processor.Counters
	Emitted  []*bridge.Event // by all commits, in their order

	lanes   map[bridge.Lane]laneRecord
	entries map[processor.EntryRef]processor.Entry
	index   map[uint64]processor.QuarantineRecord
	names   map[processor.Name]processor.SignatureUse
}

// laneRecord is a lane with its deadlines in nanoseconds of the wall clock.
type laneRecord struct {
	state     processor.LaneState
	deadlines []int64
}

// New returns a partition in which nothing has happened, created at an instant.
func New(created bridge.Millis) *Memory {
	return &Memory{
		Counters: processor.Counters{Floor: processor.FirstFloor(created)},
		lanes:    make(map[bridge.Lane]laneRecord), entries: make(map[processor.EntryRef]processor.Entry),
		index: make(map[uint64]processor.QuarantineRecord), names: make(map[processor.Name]processor.SignatureUse),
	}
}

// Lane implements processor.View.
func (m *Memory) Lane(name bridge.Lane, now processor.Moment) (processor.LaneState, bool, error) {
	r, found := m.lanes[name]
	l := r.state
	l.State.Held = slices.Clone(l.State.Held)
	for i, wall := range r.deadlines {
		l.State.Held[i].Deadline = now.DeadlineOf(wall)
	}
	return l, found, nil
}

// Entry implements processor.View.
func (m *Memory) Entry(of processor.EntryRef) (processor.Entry, bool, error) {
	e, found := m.entries[of]
	if found {
		e.Event = clone(e.Event)
	}
	return e, found, nil
}

// Name implements processor.View.
func (m *Memory) Name(n processor.Name) (processor.SignatureUse, bool, error) {
	u, found := m.names[n]
	return u, found, nil
}

// Kept returns what a processor that begins here keeps in memory.
func (m *Memory) Kept() (k processor.Kept) {
	for _, number := range slices.Sorted(maps.Keys(m.index)) {
		k.Quarantine = append(k.Quarantine, m.index[number])
	}
	for name, l := range m.lanes {
		if len(l.deadlines) > 0 {
			k.Holding = append(k.Holding, name)
		}
	}
	slices.SortFunc(k.Holding, func(a, b bridge.Lane) int { return cmp.Compare(a.String(), b.String()) })
	return k
}

// Commit makes the view show the effects.
func (m *Memory) Commit(eff *processor.Effects) {
	m.Emitted = append(m.Emitted, eff.Emitted...)
	m.Counters = eff.Counters
	m.Counters.Buckets = slices.Clone(eff.Counters.Buckets)
	m.commitLanes(eff)
	m.commitNames(eff)
	m.commitEntries(eff)
}

func (m *Memory) commitLanes(eff *processor.Effects) {
	for _, l := range eff.Lanes {
		r := laneRecord{state: l}
		for _, h := range l.State.Held {
			r.deadlines = append(r.deadlines, eff.Now.WallOf(h.Deadline))
		}
		m.lanes[l.Name] = r
	}
	for _, name := range eff.Forgotten {
		delete(m.lanes, name)
	}
}

func (m *Memory) commitNames(eff *processor.Effects) {
	for _, n := range eff.Identities {
		m.names[n] = processor.SignatureUse{}
	}
	for _, s := range eff.Signatures {
		m.names[s.Name] = s.Use
	}
	if eff.IdentitiesBelow+eff.SignaturesBelow == 0 {
		return
	}
	maps.DeleteFunc(m.names, func(n processor.Name, _ processor.SignatureUse) bool {
		if n.Signature {
			return n.Part < eff.SignaturesBelow
		}
		return n.Part < eff.IdentitiesBelow
	})
}

func (m *Memory) commitEntries(eff *processor.Effects) {
	for _, e := range eff.Held {
		m.entries[refOf(e)] = processor.Entry{Event: clone(e)}
	}
	for _, e := range eff.Released {
		delete(m.entries, refOf(e))
	}
	for _, q := range eff.Quarantined {
		m.index[q.Number] = q.QuarantineRecord
		m.entries[quarantined(q.Number)] = processor.Entry{Number: q.Number, Event: clone(q.Event),
			Reason: string(q.Event.Reason), Raw: slices.Clone(q.Raw), Bytes: q.Bytes}
	}
	for _, r := range eff.Unquarantine {
		delete(m.index, r.Number)
		delete(m.entries, quarantined(r.Number))
	}
	for _, d := range eff.DeadLettered {
		m.entries[deadLetter(d.Number)] = processor.Entry{Number: d.Number, Event: clone(d.Event),
			Reason: string(d.Reason), Detail: d.Detail, Bytes: len(d.AppendRecord(nil))}
	}
	for _, e := range eff.DeadLettersRemoved {
		delete(m.entries, deadLetter(e.Number))
	}
}

// Entries returns what lies on a review queue, by rising number.
func (m *Memory) Entries(q bridge.ReviewQueue) (all []processor.Entry) {
	place := processor.PlaceDeadLetters
	if q == bridge.QuarantineQueue {
		place = processor.PlaceQuarantine
	}
	for of, e := range m.entries {
		if of.Place == place {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b processor.Entry) int { return cmp.Compare(a.Number, b.Number) })
	return all
}

// Idle returns the lanes that may be forgotten now, if nothing of them waits for a broker.
func (m *Memory) Idle(now processor.Moment) (idle []bridge.Lane) {
	for name, l := range m.lanes {
		if l.state.Forgettable(now.Millis()) {
			idle = append(idle, name)
		}
	}
	return idle
}

// Lanes returns how many lanes are remembered.
func (m *Memory) Lanes() int { return len(m.lanes) }

// Held returns how many events are held.
func (m *Memory) Held() (n int) {
	for of := range m.entries {
		if of.Place == processor.PlaceHeld {
			n++
		}
	}
	return n
}

// Names returns how many identities are known, or signatures.
func (m *Memory) Names(signatures bool) (n int) {
	for name := range m.names {
		if name.Signature == signatures {
			n++
		}
	}
	return n
}

func refOf(e *bridge.Event) processor.EntryRef {
	return processor.EntryRef{Place: processor.PlaceHeld, Lane: e.Lane, Session: e.Session, Phase: e.Phase}
}

func quarantined(number uint64) processor.EntryRef {
	return processor.EntryRef{Place: processor.PlaceQuarantine, Number: number}
}

func deadLetter(number uint64) processor.EntryRef {
	return processor.EntryRef{Place: processor.PlaceDeadLetters, Number: number}
}

// clone returns the event as a record keeps it: without its trace.
func clone(e *bridge.Event) *bridge.Event {
	c := *e
	c.Trace = nil
	return &c
}
