package store

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// reviewed is a review, and a partition whose rows it follows.
type reviewed struct {
	*Review
	*partition
}

func newReviewed(t *testing.T) *reviewed { return &reviewed{NewReview(), newPartition(t)} }

// follow takes in the rows that it does not know.
func (r *reviewed) follow() {
	r.t.Helper()
	for n := r.Review.Position(); n < uint64(len(r.commits)); n++ {
		r.must(r.Review.Apply(r.commits[n], n+1))
	}
}

// listed returns the numbers and streams of a review queue's entries behind one.
func (r *reviewed) listed(q bridge.ReviewQueue, after uint64) (all []string) {
	r.t.Helper()
	entries, err := r.Review.Entries(q, after)
	r.must(err)
	for _, e := range entries {
		all = append(all, fmt.Sprint(e.Number, " ", e.Event.Lane.Stream))
	}
	return all
}

// sessions returns the streams of a domain whose sessions are open, and when they began.
func (r *reviewed) sessions(domain string) (all []string) {
	r.t.Helper()
	open, err := r.Review.OpenSessions(domain)
	r.must(err)
	slices.SortFunc(open, func(a, b bridge.OpenSession) int {
		return cmp.Or(cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.Stream, b.Stream))
	})
	for _, o := range open {
		all = append(all, fmt.Sprint(o.Domain, "/", o.App, "/", o.Stream, " ", int64(o.Session-9e11)))
	}
	return all
}

// TestReviewFollows: what a replica reads of a partition is what its owner has: entries until they are released or
// purged, in the order of their numbers, and the state.
func TestReviewFollows(t *testing.T) {
	r := newReviewed(t)
	if r.Review.Position() != 0 || r.listed(bridge.QuarantineQueue, 0) != nil || r.sessions("") != nil {
		t.Error("something is known before anything was read")
	}
	r.arrive(suspect("a", 1), suspect("b", 2))
	r.do(rejected(recording("c", 3), 5), rejected(recording("d", 4), 6))
	r.follow()
	for _, c := range []struct {
		queue bridge.ReviewQueue
		after uint64
		want  []string
	}{
		{bridge.QuarantineQueue, 0, []string{"1 a", "2 b"}},
		{bridge.QuarantineQueue, 1, []string{"2 b"}},
		{bridge.QuarantineQueue, 2, nil},
		{bridge.DeadLetterQueue, 0, []string{"3 c", "4 d"}},
		{bridge.DeadLetterQueue, 3, []string{"4 d"}},
	} {
		if got := r.listed(c.queue, c.after); !slices.Equal(got, c.want) {
			t.Errorf("%s behind %d: %q, want %q", c.queue, c.after, got, c.want)
		}
	}
	r.do(processor.Input{Action: processor.Purge, Numbers: []uint64{1}, Queue: bridge.QuarantineQueue},
		processor.Input{Action: processor.Release, Numbers: []uint64{3}, Queue: bridge.DeadLetterQueue})
	r.follow()
	quarantine, letters := r.listed(bridge.QuarantineQueue, 0), r.listed(bridge.DeadLetterQueue, 0)
	if !slices.Equal(quarantine, []string{"2 b"}) || !slices.Equal(letters, []string{"4 d"}) {
		t.Errorf("behind the commands: %q and %q", quarantine, letters)
	}
	if !reflect.DeepEqual(r.Review.State(), r.Cache.State()) || r.Review.Position() != uint64(len(r.commits)) {
		t.Errorf("at %d it knows %+v, want %+v", r.Review.Position(), r.Review.State(), r.Cache.State())
	}
}

// TestReviewHasTheLastResults: the result of a command is found by its ID, until so many others have come.
func TestReviewHasTheLastResults(t *testing.T) {
	r := newReviewed(t)
	command := func(n int) CommandResult {
		return CommandResult{ID: [16]byte{byte(n), byte(n >> 8), 1}, Outcomes: []bridge.Outcome{{Number: uint64(n),
			Problem: "gone"}}}
	}
	for n := range resultSlots + 2 {
		r.partition.results = []CommandResult{command(n)}
		r.do()
	}
	r.follow()
	for n := range resultSlots + 3 {
		got, found := r.Result(command(n).ID)
		kept := n >= 2 && n < resultSlots+2
		if found != kept || kept && !reflect.DeepEqual(got, command(n)) {
			t.Errorf("result %d: %+v, %v", n, got, found)
		}
	}
}

// of is a push on another domain.
func of(domain string, a *bridge.Arrival) *bridge.Arrival {
	a.Event.Lane.Domain = domain
	a.Event.ID[15] ^= byte(len(domain))
	a.Signature.Sum[15] ^= byte(len(domain))
	return a
}

// TestReviewKnowsOpenSessions: those whose last event in order is a PUBLISH, of one domain and not of those whose names
// begin like it. A lane that is forgotten has none.
func TestReviewKnowsOpenSessions(t *testing.T) {
	r := newReviewed(t)
	r.arrive(push("a", 1, bridge.PhasePublish), push("b", 2, bridge.PhasePublish), recording("c", 3),
		of("push.example.com.cn", push("a", 5, bridge.PhasePublish)), of("push.example", push("a", 7, bridge.PhasePublish)))
	r.follow()
	for domain, want := range map[string][]string{
		"": {"push.example/live/a 7", "push.example.com/live/a 1", "push.example.com/live/b 2",
			"push.example.com.cn/live/a 5"},
		"push.example.com":  {"push.example.com/live/a 1", "push.example.com/live/b 2"},
		"push.example":      {"push.example/live/a 7"},
		"other.example.com": nil,
	} {
		if got := r.sessions(domain); !slices.Equal(got, want) {
			t.Errorf("open sessions of %q: %q, want %q", domain, got, want)
		}
	}
	r.arrive(push("b", 2, bridge.PhaseDone))
	r.follow()
	if got, want := r.sessions("push.example.com"), []string{"push.example.com/live/a 1"}; !slices.Equal(got, want) {
		t.Errorf("when b has ended: %q, want %q", got, want)
	}
	r.pass(processor.ForgetOpen + time.Second)
	r.do(processor.Input{Action: processor.Forget, Idle: []bridge.Lane{push("a", 1, 0).Event.Lane}})
	r.follow()
	if got := r.sessions("push.example.com"); got != nil {
		t.Errorf("when a is forgotten: %q", got)
	}
}

// TestReviewRefuses rows that cannot be read, and says which.
func TestReviewRefuses(t *testing.T) {
	lane := laneKey(nil, push("a", 1, 0).Event.Lane)
	for name, row := range map[string]bridge.Row{
		"no key":            {},
		"lane's key":        {Key: []byte{tableLane}},
		"lane's version":    {Key: lane, Value: []byte{99}},
		"lane":              {Key: lane, Value: []byte{rowVersion, 2, 0x80, 0x80}},
		"quarantine's key":  {Key: []byte{tableQuarantineIndex, 1}},
		"dead letter's key": {Key: []byte{tableDeadLetter, 1, 2}, Value: []byte{rowVersion}},
		"entry's version":   {Key: numberKey(nil, tableDeadLetter, 1), Value: []byte{99}},
		"result's key":      {Key: []byte{tableResult}, Value: []byte{rowVersion}},
		"result":            {Key: []byte{tableResult, 1}, Value: []byte{rowVersion, 1}},
		"state":             {Key: []byte{tableMeta}, Value: []byte{rowVersion, 0x80}},
	} {
		v := NewReview()
		if err := v.Apply([]bridge.Row{row}, 9); err == nil || v.Position() != 0 {
			t.Errorf("%s: %v, at %d", name, err, v.Position())
		}
	}
	v := NewReview()
	for _, table := range []byte{tableQuarantineIndex, tableDeadLetter} {
		row := bridge.Row{Key: numberKey(nil, table, 7), Value: []byte{rowVersion, 0x80}}
		if err := v.Apply([]bridge.Row{row}, 1); err != nil {
			t.Errorf("an entry is read before it is asked for: %v", err)
		}
	}
	for _, q := range []bridge.ReviewQueue{bridge.QuarantineQueue, bridge.DeadLetterQueue} {
		if _, err := v.Entries(q, 0); err == nil {
			t.Errorf("an entry of %s that cannot be read is listed", q)
		}
	}
}

// TestReviewOfAnotherState: rows of a state that was begun anew do not go on from those before.
func TestReviewOfAnotherState(t *testing.T) {
	v := NewReview()
	for i, origin := range []uint64{7, 7, 8} {
		state := State{Origin: origin, Commits: uint64(i)}
		err := v.Apply([]bridge.Row{{Key: []byte{tableMeta}, Value: state.value()}}, uint64(i+1))
		if errors.Is(err, ErrOtherState) != (origin == 8) {
			t.Errorf("row %d: %v", i, err)
		}
	}
}
