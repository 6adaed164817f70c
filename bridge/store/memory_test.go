package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// rememberer is what Memory is asked of.
type rememberer interface {
	Memory(f func(*processor.Memory) error) error
}

// remembered returns all of a memory in one.
func remembered(t *testing.T, from rememberer) (all processor.Memory) {
	t.Helper()
	err := from.Memory(func(m *processor.Memory) error {
		all.Floor = max(all.Floor, m.Floor)
		all.Lanes = append(all.Lanes, m.Lanes...)
		all.Identities = append(all.Identities, m.Identities...)
		all.Signatures = append(all.Signatures, m.Signatures...)
		all.Quarantined = append(all.Quarantined, m.Quarantined...)
		all.DeadLetters = append(all.DeadLetters, m.DeadLetters...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// memorable are inputs that leave something of each kind: three lanes, four identities, two signatures, an entry of
// each review queue.
func memorable() []processor.Input {
	first := push("a", 1, bridge.PhasePublish)
	return append(inputs(first, push("b", 2, bridge.PhasePublish), recording("c", 3), suspect("d", 4)),
		rejected(first, 9))
}

// checkMemorable compares what is remembered with what memorable leaves.
func checkMemorable(t *testing.T, m processor.Memory) {
	t.Helper()
	var lanes []string
	for i := range m.Lanes {
		lanes = append(lanes, fmt.Sprint(m.Lanes[i].Name, " ", m.Lanes[i].State.Sequence-m.Floor))
	}
	want := []string{"stream:push.example.com/live/a 1", "stream:push.example.com/live/b 1",
		"record:push.example.com/live/c 1"}
	if !slices.Equal(lanes, want) {
		t.Errorf("lanes %q, want %q", lanes, want)
	}
	first, second := push("a", 1, bridge.PhasePublish), push("b", 2, bridge.PhasePublish)
	for _, a := range []*bridge.Arrival{first, second, recording("c", 3)} {
		if !slices.Contains(m.Identities, a.Event.ID) {
			t.Errorf("%s is forgotten", a.Event.Lane)
		}
	}
	for _, a := range []*bridge.Arrival{first, second} {
		if !slices.ContainsFunc(m.Signatures, func(s processor.Signature) bool {
			return s.Use.Signed == a.Signature.Signed && s.Use.ID == a.Event.ID && s.Name.Signature
		}) {
			t.Errorf("the signature of %s is forgotten", a.Event.Lane)
		}
	}
	q := suspect("d", 4)
	if len(m.Quarantined) != 1 || string(m.Quarantined[0].Raw) != string(q.Raw) ||
		m.Quarantined[0].Event.ID != q.Event.ID {
		t.Errorf("the quarantine has %+v", m.Quarantined)
	}
	if len(m.DeadLetters) != 1 || m.DeadLetters[0].Event.ID != first.Event.ID ||
		m.DeadLetters[0].Reason != bridge.RejectionTooLarge || m.DeadLetters[0].Detail != "9 bytes exceed 8" {
		t.Errorf("the dead letters are %+v", m.DeadLetters)
	}
}

// TestMemory: a journal and a cache tell the same of what they have seen.
func TestMemory(t *testing.T) {
	d, p := create(t), newPartition(t)
	defer d.close()
	d.commit(false, nil, memorable()...)
	p.do(memorable()...)
	m, of := remembered(t, d), remembered(t, p)
	checkMemorable(t, m)
	checkMemorable(t, of)
	if m.Floor != d.floor() || of.Floor != p.State().Counters.Floor || m.Floor == 0 {
		t.Errorf("the floors are %d and %d, want %d", m.Floor, of.Floor, d.floor())
	}
}

// TestMemoryIsTakenIn: another journal that has remembered all of it decides as the first one would.
func TestMemoryIsTakenIn(t *testing.T) {
	from, into := create(t), create(t)
	defer from.close()
	defer into.close()
	from.commit(false, nil, memorable()...)
	var pieces []processor.Input
	err := from.Memory(func(m *processor.Memory) error {
		pieces = append(pieces, processor.Input{Action: processor.Remember, Memory: m})
		return nil
	})
	from.must(err)
	into.commit(false, nil, pieces...)
	checkMemorable(t, remembered(t, into))
	into.arrive(false, push("a", 1, bridge.PhasePublish), push("a", 1, bridge.PhaseDone))
	if got := into.backlog(); len(got) != 1 || !slices.Equal(got["a"], []uint64{2}) {
		t.Errorf("it emits %v, want the second event of a alone", got)
	}
}

// TestMemoryStops with the first error of whoever is told, and tells nothing more.
func TestMemoryStops(t *testing.T) {
	d := create(t)
	defer d.close()
	d.commit(false, nil, append(memorable(), rejected(recording("e", 5), 3))...) // and a second dead letter
	pieces := 0
	d.must(d.Memory(func(*processor.Memory) error { pieces++; return nil }))
	enough := errors.New("enough")
	for most := 1; most <= pieces; most++ {
		told := 0
		err := d.Memory(func(*processor.Memory) error {
			if told++; told == most {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) || told != most {
			t.Errorf("stopped after %d of %d pieces, with %v", told, most, err)
		}
	}
}

// TestMemoryOfAHeldEvent: what is still to come out is not remembered, and not left out in silence.
func TestMemoryOfAHeldEvent(t *testing.T) {
	d := create(t)
	defer d.close()
	d.arrive(false, push("a", 1, bridge.PhasePublish), push("a", 2, bridge.PhaseDone))
	err := d.Memory(func(*processor.Memory) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "live/a holds 1 events") {
		t.Errorf("got %v", err)
	}
}

// TestDamagedMemory: a row that cannot be read is an error, and not taken for nothing.
func TestDamagedMemory(t *testing.T) {
	lane := recording("a", 1).Event.Lane
	use := nameKey(nil, processor.Name{Signature: true, Part: 1, Sum: [16]byte{1}})
	index := quarantineRecord(&processor.QuarantineRecord{Number: 7})
	for name, c := range map[string]struct {
		key, value []byte
		want       string
	}{
		"identity":      {[]byte{tableIdentity, 1, 2}, nil, "has 3 bytes"},
		"signature":     {[]byte{tableSignature, 1, 2}, nil, "has 3 bytes"},
		"use":           {use, []byte{1}, "shorter"},
		"lane's name":   {[]byte{tableLane}, nil, "too short"},
		"lane":          {laneKey(nil, lane), []byte{0x80}, "shorter"},
		"index":         {numberKey(nil, tableQuarantineIndex, 7), []byte{0x80}, "shorter"},
		"no event":      {numberKey(nil, tableQuarantineIndex, 7), index, "entry 7 has no event"},
		"a dead letter": {numberKey(nil, tableDeadLetter, 7), []byte{0x80}, "shorter"},
	} {
		d := create(t)
		d.background.Wait() // nobody else reads it
		d.must(d.db.Set(c.key, c.value, pebble.Sync))
		err := d.Memory(func(*processor.Memory) error { return nil })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		d.close()
	}
}
