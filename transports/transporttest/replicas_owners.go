package transporttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"livebridge/bridge"
)

// fence: who was taken over commits nothing any more.
func fence(t *testing.T, h ReplicasHarness) {
	intake := h.Open(t, 2)
	a, b := intake.Replica(t), intake.Replica(t)
	p, _ := taken(t, a, 0)
	other, _ := taken(t, a, 1)
	committed(t, p, bridge.PartitionCommit{Events: events(1, 1, 1), Rows: []bridge.Row{row("a", "1")}})
	q, state := taken(t, b, 0)
	state.check(t, map[string]string{"a": "1"})
	zombie := bridge.PartitionCommit{Events: events(1, 7, 1), Rows: []bridge.Row{row("a", "zombie")}}
	if _, err := p.Commit(within(t), zombie); !errors.Is(err, bridge.ErrFenced) {
		t.Errorf("who was taken over is answered %v", err)
	}
	if _, err := p.Commit(within(t), zombie); err == nil {
		t.Error("who was taken over commits later")
	}
	committed(t, q, bridge.PartitionCommit{Events: events(1, 2, 1), Rows: []bridge.Row{row("b", "2")}})
	committed(t, other, bridge.PartitionCommit{Rows: []bridge.Row{row("c", "3")}}) // of which only one was taken
	_, state = taken(t, a, 0)
	state.check(t, map[string]string{"a": "1", "b": "2"})
	checkEvents(t, intake.Events(t, 0), events(1, 1, 2))
}

// takenOverAtOnce: who takes a partition the moment that another has committed finds that commit, although the broker
// may not be done with it.
func takenOverAtOnce(t *testing.T, h ReplicasHarness) {
	intake := h.Open(t, 1)
	replicas := []*Replica{intake.Replica(t), intake.Replica(t)}
	for n := range 30 {
		appended(t, replicas[0], 0, fmt.Sprint(n))
		p, state := taken(t, replicas[n%2], 0)
		if len(state.rows) != n {
			t.Fatalf("the state has %d rows after %d commits", len(state.rows), n)
		}
		records := readToEnd(t, p)
		if len(records) != 1 || string(records[0].Value) != fmt.Sprint(n) {
			t.Fatalf("after %d commits are read %v", n, records)
		}
		committed(t, p, bridge.PartitionCommit{
			Rows: []bridge.Row{row(fmt.Sprint(n), "x")}, Next: records[0].Position + 1})
	}
}

// ownersFight: of two that take a partition from each other all the time, each commits on top of what the other has.
func ownersFight(t *testing.T, h ReplicasHarness) {
	const goal = 60
	intake := h.Open(t, 1)
	var fighters sync.WaitGroup
	begun := time.Now()
	for range 2 {
		r := intake.Replica(t)
		fighters.Go(func() {
			for reached := 0; reached < goal && time.Since(begun) < answerTimeout; {
				reached = fight(t, r, goal)
			}
		})
	}
	fighters.Wait()
	_, state := taken(t, intake.Replica(t), 0)
	n, err := strconv.Atoi(state.rows["n"])
	if err != nil || n < goal {
		t.Fatalf("the state counts %d, %v", n, err)
	}
	checkEvents(t, intake.Events(t, 0), events(1, 1, uint64(n)))
}

// fight takes the partition and counts on for a while. It returns how far the count has come, as far as it knows.
func fight(t *testing.T, r *Replica, goal int) int {
	state := newState()
	ctx, cancel := context.WithTimeout(t.Context(), answerTimeout)
	defer cancel()
	p, err := r.Partitions.Take(ctx, 0, 0, state.put)
	if errors.Is(err, bridge.ErrFenced) {
		return 0
	}
	if err != nil {
		t.Error(err)
		return goal
	}
	defer func() { _ = p.Close() }()
	n, _ := strconv.Atoi(state.rows["n"]) // none: 0
	for range 4 {
		if n >= goal {
			break
		}
		_, err := p.Commit(ctx, bridge.PartitionCommit{Events: events(1, uint64(n+1), 1),
			Rows: []bridge.Row{row("n", fmt.Sprint(n+1))}})
		if err != nil {
			break // fenced, or fenced between two requests, which brokers may answer otherwise
		}
		n++
	}
	return n
}

// membersShare: every partition is one member's, each has its share and keeps what it had, and a member that leaves
// gives them back at once.
func membersShare(t *testing.T, h ReplicasHarness) {
	const partitions = 4
	intake := h.Open(t, partitions)
	m := newMembers(t)
	first := intake.Replica(t).Join(t)
	m.watch(first, 0)
	Eventually(t, "the first member has all", func() bool { return len(m.of(0)) == partitions })
	all := m.of(0)
	second := intake.Replica(t).Join(t)
	m.watch(second, 1)
	Eventually(t, "both have half", func() bool { return len(m.of(0)) == 2 && len(m.of(1)) == 2 })
	for _, p := range m.of(0) {
		if slices.Contains(m.of(1), p) || !slices.Contains(all, p) {
			t.Errorf("the members have %v and %v", m.of(0), m.of(1))
		}
	}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), answerTimeout)
	defer cancel()
	if err := first.Leave(ctx); err != nil {
		t.Error(err)
	}
	t.Logf("left after %v", time.Since(begun))
	Eventually(t, "the other has all", func() bool { return len(m.of(1)) == partitions })
	t.Logf("given to the other after %v", time.Since(begun))
	if err := second.Leave(ctx); err != nil {
		t.Error(err)
	}
}

// members are what Next has returned to some of them.
type members struct {
	ctx context.Context
	mu  sync.Mutex
	has map[int][]int
}

func newMembers(t *testing.T) *members {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return &members{ctx: ctx, has: make(map[int][]int)}
}

func (m *members) of(number int) []int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.has[number]
}

// watch calls Next until the test ends. Its errors pass.
func (m *members) watch(membership bridge.Membership, number int) {
	go func() {
		for m.ctx.Err() == nil {
			partitions, err := membership.Next(m.ctx)
			if err != nil {
				<-time.After(retryPause)
				continue
			}
			m.mu.Lock()
			m.has[number] = partitions
			m.mu.Unlock()
		}
	}()
}
