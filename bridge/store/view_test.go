package store

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"livebridge/bridge"
	"livebridge/bridge/outbox"
	"livebridge/bridge/processor"
	"livebridge/bridge/processor/processortest"
)

// twins are two processors that decide the same inputs, one on a store and one on a View in memory.
type twins struct {
	d      *disk
	memory *processortest.Memory
	p      *processor.Processor
	eff    processor.Effects
	broken string // the first difference
}

// twinLimits are small, so that all of them take effect.
func twinLimits() processor.Options {
	o := defaults()
	o.Limits = processor.Limits{HoldDone: 2 * time.Second, HoldNext: time.Second, PerLane: 2}
	o.HeldMax, o.LanesCached, o.QuarantineMax, o.DeadLettersMax, o.DedupeMax = 4, 2, 6, 3, 24
	o.DedupeWindow, o.QuarantineMaxAge, o.PublishQuarantine = time.Hour, 2*time.Hour, true
	return o
}

func newTwins(t *testing.T) *twins {
	w := &twins{d: create(t), memory: processortest.New(bridge.MillisOf(begin))}
	w.d.limits = twinLimits()
	w.d.close()
	w.d.open()
	w.restartMemory()
	return w
}

func (w *twins) restartMemory() {
	var err error
	w.eff = processor.Effects{}
	w.p, err = processor.New(w.d.limits, w.memory, w.memory.Counters, w.memory.Kept(), w.d.now)
	w.d.must(err)
}

// do has both decide inputs, compares what changes, and commits it.
func (w *twins) do(together bool, removals []outbox.Removal, inputs ...processor.Input) {
	b := w.d.NewBatch(nil)
	for _, in := range append(inputs, processor.Input{Action: processor.Expire}) {
		in.Now = w.d.now
		w.d.must(w.p.Apply(copied(in), &w.eff))
		w.d.apply(b, copied(in))
	}
	w.compareEffects()
	w.memory.Commit(&w.eff)
	w.p.Committed()
	w.eff.Reset()
	w.d.must(b.Remove(removals))
	w.d.must(b.ExpandOld(w.d.now))
	w.d.seal(b, together)
	w.compareViews()
}

// copied returns an input whose events a processor may have for itself.
func copied(in processor.Input) processor.Input {
	in.Events = slices.Clone(in.Events)
	for i, e := range in.Events {
		c := *e
		in.Events[i] = &c
	}
	return in
}

func (w *twins) differs(format string, args ...any) {
	if w.broken == "" {
		w.broken = fmt.Sprintf(format, args...)
	}
}

func (w *twins) compareEffects() {
	a, b := &w.d.effects, &w.eff
	for name, pair := range map[string][2]any{
		"emitted": {a.Emitted, b.Emitted}, "outcomes": {a.Outcomes, b.Outcomes}, "replayed": {a.Replayed, b.Replayed},
		"decisions": {a.Decisions, b.Decisions}, "counters": {a.Counters, b.Counters}, "lanes": {a.Lanes, b.Lanes},
		"identities": {a.Identities, b.Identities}, "signatures": {a.Signatures, b.Signatures},
		"quarantined": {a.Quarantined, b.Quarantined}, "unquarantine": {a.Unquarantine, b.Unquarantine},
		"forgotten": {a.Forgotten, b.Forgotten}, "dead letters": {len(a.DeadLettered), len(b.DeadLettered)},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) && fmt.Sprint(pair[0]) != fmt.Sprint(pair[1]) {
			w.differs("%s: the store has %+v, memory %+v", name, pair[0], pair[1])
		}
	}
}

// compareViews compares what lies there, and what is counted of it.
func (w *twins) compareViews() {
	found, c := w.d.tables(), w.d.p.Counters()
	if found.Held != c.Held || found.Quarantine != c.Quarantine || found.DeadLetters != c.DeadLetters {
		w.differs("the tables have %+v, counted are %+v", found, c)
	}
	if n := [...]uint64{uint64(w.memory.Lanes()), uint64(w.memory.Held()), uint64(w.memory.Names(false)),
		uint64(w.memory.Names(true))}; n !=
		[...]uint64{
			found.Lanes.Entries,
			found.Held.Entries,
			found.Identities.Entries,
			found.Signatures.Entries,
		} {
		w.differs("the tables have %+v, want %d lanes, held events, identities and signatures", found, n)
	}
	for _, q := range []bridge.ReviewQueue{bridge.QuarantineQueue, bridge.DeadLetterQueue} {
		var got []processor.Entry
		w.d.must(w.d.Entries(q, 0, func(e processor.Entry) bool { got = append(got, e); return true }))
		if want := w.memory.Entries(q); len(got) != len(want) || !slices.EqualFunc(got, want, sameEntry) {
			w.differs("%s has %+v, want %+v", q, got, want)
		}
	}
	kept, err := w.d.Kept()
	if want := w.memory.Kept(); err != nil || len(kept.Holding) != len(want.Holding) ||
		!slices.Equal(kept.Quarantine, want.Quarantine) {
		w.differs("kept are %+v, want %+v: %v", kept, want, err)
	}
	if n := w.d.Outbox().Entries; n != uint64(len(w.d.waiting)) {
		w.differs("%d events are in the outbox, counted are %d", len(w.d.waiting), n)
	}
}

func sameEntry(a, b processor.Entry) bool {
	return a.Number == b.Number && a.Reason == b.Reason && a.Detail == b.Detail && string(a.Raw) == string(b.Raw) &&
		a.Bytes == b.Bytes && fmt.Sprint(a.Event) == fmt.Sprint(b.Event)
}

// step is one thing that happens.
type step struct{ what, stream, n, passes int }

func (w *twins) step(i int, s step) {
	stream := fmt.Sprint("s", s.stream)
	switch s.what {
	case 0:
		w.d.restart(s.n%2 == 0)
		w.restartMemory()
	case 1, 2:
		w.do(s.n%2 == 0, nil, arrivals(suspect(stream, s.n), suspect(stream, s.n+1), recording(stream, 1000+i))...)
	case 3:
		a := push(stream, s.n, bridge.PhasePublish)
		a.Event.ID[0]++ // another event under a signature that may have been seen
		w.do(true, nil, arrivals(a)...)
	case 4:
		w.do(false, nil, processor.Input{Action: processor.Release, Queue: queueOf(s), Numbers: w.numbers(s)})
	case 5:
		w.do(false, nil, processor.Input{Action: processor.Purge, Queue: queueOf(s), Numbers: w.numbers(s)})
	case 6, 7:
		w.settle(s)
	case 8:
		idle, err := w.d.IdleLanes(w.d.now, 100, func(bridge.Lane) bool { return false })
		w.d.must(err)
		w.do(true, nil, processor.Input{Action: processor.Forget, Idle: idle})
	default:
		w.do(
			s.n%3 == 0,
			nil,
			arrivals(push(stream, s.n, bridge.PhaseDone), recording(stream, s.n), push(stream, s.n, bridge.PhasePublish))...)
	}
	w.d.pass(
		[]time.Duration{0, time.Millisecond, time.Second, 5 * time.Second, 20 * time.Minute, 3 * 24 * time.Hour}[s.passes],
	)
}

func arrivals(all ...*bridge.Arrival) []processor.Input { return inputs(all...) }

func queueOf(s step) bridge.ReviewQueue {
	if s.n%3 == 0 {
		return bridge.DeadLetterQueue
	}
	return bridge.QuarantineQueue
}

// numbers are those of some entries, one of them twice, and of one that may not be there.
func (w *twins) numbers(s step) (numbers []uint64) {
	for i, e := range w.memory.Entries(queueOf(s)) {
		if i%2 == s.n%2 {
			numbers = append(numbers, e.Number)
		}
	}
	return append(numbers, append(numbers[:min(len(numbers), 1):min(len(numbers), 1)], 7)...)
}

// settle removes the first events of some lanes from the outbox and makes one a dead letter.
func (w *twins) settle(s step) {
	var removals []outbox.Removal
	var rejected []processor.Input
	for _, of := range slices.SortedFunc(keysOf(w.d.waiting), compareRefs) {
		if of.lane.Stream > fmt.Sprint("s", s.stream) {
			break
		}
		p := w.d.waiting[of]
		if len(rejected) == 0 && s.what == 7 {
			e := *p.Event
			rejected = append(rejected, processor.Input{Action: processor.Reject,
				Rejected: processor.Rejection{Event: &e, Reason: bridge.RejectionTooLarge, Detail: "2 MB"}})
		}
		removals = append(removals, removal(p))
	}
	w.do(true, removals, rejected...)
}

// TestStoreIsTheView draws callbacks of all kinds, commands, removals, restarts and losses of power, with limits that
// all take effect, and compares a processor on the store with one on a View in memory after each step: they decide the
// same, and the store holds what memory holds.
func TestStoreIsTheView(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
			return step{rapid.IntRange(0, 13).Draw(t, "what"), rapid.IntRange(0, 4).Draw(t, "stream"),
				rapid.IntRange(0, 6).Draw(t, "n"), rapid.IntRange(0, 5).Draw(t, "passes")}
		}), 5, 40).Draw(rt, "steps")
		w := newTwins(t)
		for i, s := range steps {
			if w.broken == "" {
				w.step(i, s)
			}
		}
		w.d.close()
		if w.broken != "" {
			rt.Fatal(w.broken)
		}
	})
}
