package transporttest

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"livebridge/bridge"
)

// Intake is a fresh intake with its state and its output, whose partitions are as many.
type Intake struct {
	// Replica returns another replica, which t.Cleanup removes.
	Replica func(t *testing.T) *Replica
	// Events returns the committed events of a partition of the output, in order.
	Events func(t *testing.T, partition int) []Record
}

// Replica is what one process has of an intake.
type Replica struct {
	Intake     bridge.IntakeLog
	Partitions bridge.Partitions
	// Join makes the replica a member. It is called once at most.
	Join func(t *testing.T) bridge.Membership
}

// ReplicasHarness describes a transport's replicas to the suite.
type ReplicasHarness struct {
	Open     func(t *testing.T, partitions int) *Intake
	TooLarge int // bytes of an input, and of an event's data, that are never taken
}

// RunReplicas runs the contract of bridge.IntakeLog, bridge.Membership and bridge.Partitions.
func RunReplicas(t *testing.T, h ReplicasHarness) {
	for _, c := range []struct {
		name string
		test func(*testing.T, ReplicasHarness)
	}{
		{"inputs in order", inputsInOrder},
		{"input too large", inputTooLarge},
		{"end of the intake", endOfIntake},
		{"end under load", endUnderLoad},
		{"read is cancelled", readCancelled},
		{"all of a commit", wholeCommit},
		{"large commit", largeCommit},
		{"rejected event", rejectedEvent},
		{"restore from a position", restoreFromPosition},
		{"put fails", putFails},
		{"state without owning", stateWithoutOwning},
		{"fence", fence},
		{"taken over at once", takenOverAtOnce},
		{"owners fight", ownersFight},
		{"commit without an answer", commitWithoutAnswer},
		{"members share", membersShare},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, h) })
	}
}

// state is what a replica has read of a partition's state.
type state struct {
	rows map[string]string
	next uint64
	puts int
}

func newState() *state { return &state{rows: make(map[string]string)} }

// put keeps the rows.
func (s *state) put(rows []bridge.Row, next uint64) error {
	s.puts++
	for _, r := range rows {
		if r.Value == nil {
			delete(s.rows, string(r.Key))
		} else {
			s.rows[string(r.Key)] = string(r.Value)
		}
	}
	if next < s.next {
		return errors.New("the position has gone back")
	}
	s.next = next
	return nil
}

func (s *state) check(t *testing.T, want map[string]string) {
	t.Helper()
	if !maps.Equal(s.rows, want) {
		t.Errorf("the state is %v, and %v was committed", s.rows, want)
	}
}

// within bounds a call of a test.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), answerTimeout)
	t.Cleanup(cancel)
	return ctx
}

// appended appends an input as a replica does: until it is acknowledged.
func appended(t *testing.T, r *Replica, partition int, input string) {
	t.Helper()
	for end := time.Now().Add(answerTimeout); ; <-time.After(retryPause) {
		err := r.Intake.Append(within(t), partition, []byte(input))
		if err == nil {
			return
		}
		if bridge.IsRejected(err) || time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// taken takes a partition with its whole state.
func taken(t *testing.T, r *Replica, partition int) (bridge.Partition, *state) {
	t.Helper()
	s := newState()
	p, err := r.Partitions.Take(within(t), partition, 0, s.put)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p, s
}

// committed commits, which must succeed.
func committed(t *testing.T, p bridge.Partition, c bridge.PartitionCommit) uint64 {
	t.Helper()
	next, err := p.Commit(within(t), c)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// readToEnd reads until the partition says that nothing more was there.
func readToEnd(t *testing.T, p bridge.Partition) (all []bridge.IntakeRecord) {
	t.Helper()
	for begun := time.Now(); ; {
		records, end, err := p.Read(within(t), 0)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, records...); end {
			return all
		}
		if time.Since(begun) > answerTimeout {
			t.Fatal("the intake has no end")
		}
	}
}

func row(key, value string) bridge.Row { return bridge.Row{Key: []byte(key), Value: []byte(value)} }

func removed(key string) bridge.Row { return bridge.Row{Key: []byte(key)} }

// checkEvents checks that the output has these events and no other, in this order.
func checkEvents(t *testing.T, got []Record, want []*bridge.Event) {
	t.Helper()
	for i, e := range want {
		if i < len(got) && string(got[i].Payload) != string(e.AppendStructured(nil)) {
			t.Fatalf("event %d of the output is %s, and not %s", i, got[i].Payload, e.AppendStructured(nil))
		}
	}
	if len(got) != len(want) {
		t.Errorf("the output has %d events, and %d were committed", len(got), len(want))
	}
}
