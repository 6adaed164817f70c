package sequencer_test

import (
	"fmt"
	"reflect"
	"slices"

	"livebridge/bridge"
	"livebridge/bridge/sequencer"
	"livebridge/bridge/sequencer/sequencertest"
)

// arrival and emitted are a lane's history as seen from outside.
type arrival struct {
	id  bridge.ID
	key sequencer.Key
	at  sequencer.Instant
}

type emitted struct {
	sequencer.Emission
	at sequencer.Instant // of the input that let it out
}

// unordered are the marks of events that stand outside their lane's order.
const unordered = bridge.MarkLate | bridge.MarkReopened | bridge.MarkReplayed | bridge.MarkUnsequenced

// compareWithModel compares one step of the sequencer with the same step of the model.
func compareWithModel(t sequencer.Transition, want []sequencertest.Emission, m *sequencertest.Model,
	in sequencer.Input) string {
	var got []sequencertest.Emission
	for _, e := range t.Emit {
		got = append(got, sequencertest.Emission{ID: e.ID, Sequence: e.Sequence, Marks: e.Marks.String()})
	}
	if !slices.Equal(got, want) {
		return fmt.Sprintf("emits %v, the model %v", got, want)
	}
	held := slices.SortedFunc(slices.Values(m.Held), func(a, b sequencer.Held) int { return a.Key.Compare(b.Key) })
	if !slices.Equal(t.State.Held, held) {
		return fmt.Sprintf("holds %v, the model %v", t.State.Held, held)
	}
	if t.State.Last != m.Last || t.State.Sequence != m.Sequence {
		return fmt.Sprintf("last %v %d, the model %v %d", t.State.Last, t.State.Sequence, m.Last, m.Sequence)
	}
	waits := slices.ContainsFunc(held, func(h sequencer.Held) bool { return h.ID == in.ID })
	if t.Holds != (in.Action == sequencer.Arrive && waits) {
		return fmt.Sprintf("says that the arrival waits: %v", t.Holds)
	}
	for _, e := range t.Emit {
		if e.Held == (e.ID == in.ID && in.Action != sequencer.Expire && in.Action != sequencer.Overflow) {
			return fmt.Sprintf("says of %v that it had been held: %v", e.ID, e.Held)
		}
	}
	return ""
}

// checkIsolation is invariant 9: an event outside the order leaves last and held alone.
func checkIsolation(before sequencer.State, t sequencer.Transition) string {
	if len(t.Emit) != 1 || t.Emit[0].Marks&unordered == 0 {
		return ""
	}
	if t.State.Last != before.Last || !reflect.DeepEqual(t.State.Held, before.Held) {
		return fmt.Sprintf("%s changed the lane from %+v to %+v", t.Emit[0].Marks, before, t.State)
	}
	return ""
}

// invariants checks a lane's whole output, after all holds have ended, and names the first that is broken.
func invariants(in []arrival, out []emitted, l sequencer.Limits) string {
	var last sequencer.Key
	seen := map[bridge.ID]bool{}
	for i, e := range out {
		if e.Sequence != out[0].Sequence+uint64(i) {
			return fmt.Sprintf("6: sequence %d in place %d", e.Sequence, i)
		}
		if e.Marks.Has(bridge.MarkReplayed) {
			continue
		}
		a := in[slices.IndexFunc(in, func(a arrival) bool { return a.id == e.ID })]
		if seen[e.ID] {
			return fmt.Sprintf("%v comes out twice", e.ID)
		}
		seen[e.ID] = true
		if msg := checkHold(a, e, l); msg != "" {
			return msg
		}
		if e.Marks&unordered == 0 && e.Key.Session != 0 {
			if e.Key.Compare(last) <= 0 {
				return fmt.Sprintf("2: %v after %v without a mark", e.Key, last)
			}
			last = e.Key
		}
	}
	if len(seen) != len(in) {
		return fmt.Sprintf("1: %d events in, %d out", len(in), len(seen))
	}
	return ""
}

// checkHold is invariant 5, and the half of 4 that does not depend on when Expire is called: events outside the order
// never wait, and the marks of an ended hold appear after a whole one only.
func checkHold(a arrival, e emitted, l sequencer.Limits) string {
	hold := sequencer.Instant(l.HoldNext)
	if e.Key.Phase == bridge.PhaseDone {
		hold = sequencer.Instant(l.HoldDone)
	}
	if e.Marks&unordered != 0 && e.at != a.at {
		return fmt.Sprintf("4: %s waited from %d to %d", e.Marks, a.at, e.at)
	}
	const ended = bridge.MarkStartUnseen | bridge.MarkPrevUnended
	if e.Marks&ended != 0 && !e.Marks.Has(bridge.MarkForced) && e.at < a.at+hold {
		return fmt.Sprintf("5: %s at %d though it came at %d and may wait for %d", e.Marks, e.at, a.at, hold)
	}
	return ""
}

// checkExpired is invariant 4: after an Expire nothing waits whose time is over, and nothing waits for longer than the
// longer hold.
func checkExpired(s sequencer.State, in []arrival, at sequencer.Instant, l sequencer.Limits) string {
	longest := sequencer.Instant(max(l.HoldDone, l.HoldNext))
	for _, h := range s.Held {
		a := in[slices.IndexFunc(in, func(a arrival) bool { return a.id == h.ID })]
		if h.Deadline <= at || h.Deadline > a.at+longest {
			return fmt.Sprintf("4: %v came at %d and waits until %d; it is %d", h.Key, a.at, h.Deadline, at)
		}
	}
	return ""
}
