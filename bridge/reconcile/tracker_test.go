package reconcile_test

import (
	"slices"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/reconcile"
)

const (
	domain = "push.example.com"
	grace  = 5 * time.Minute
)

func at(minutes int) time.Time {
	return time.Unix(1_790_000_000, 0).Add(time.Duration(minutes) * time.Minute)
}

func begun(name string, minutes int) reconcile.Begun {
	return reconcile.Begun{Stream: reconcile.Stream{Domain: domain, App: "live", Name: name}, At: at(minutes)}
}

func missed(b reconcile.Begun, since int) reconcile.Difference {
	return reconcile.Difference{Problem: reconcile.Missed, Stream: b.Stream, Begun: b.At, Since: at(since)}
}

func stale(b reconcile.Begun, since int) reconcile.Difference {
	return reconcile.Difference{Problem: reconcile.Stale, Stream: b.Stream, Begun: b.At, Since: at(since)}
}

// round is one comparison and what it must find.
type round struct {
	minute       int
	open, online []reconcile.Begun
	want         []reconcile.Difference
	failed       bool // the domain could not be listed
}

func play(t *testing.T, rounds []round) {
	t.Helper()
	var tracker reconcile.Tracker
	for _, r := range rounds {
		s := reconcile.Snapshot{Now: at(r.minute), Domains: []string{domain}, Open: r.open, Online: r.online}
		if r.failed {
			s.Domains = []string{"other.example.com"}
		}
		if got := tracker.Compare(s, grace); !slices.Equal(got, r.want) {
			t.Errorf("minute %d: %+v, want %+v", r.minute, got, r.want)
		}
	}
}

type list = []reconcile.Begun
type found = []reconcile.Difference

// TestMissed: a stream that was seen online for the grace period without a session. It is missed since the provider's
// start time, or, without one, since it was seen.
func TestMissed(t *testing.T) {
	a, b, unknown := begun("a", 0), begun("b", 0), reconcile.Begun{Stream: begun("c", 0).Stream}
	play(t, []round{
		{4, list{b}, list{a, b}, nil, false},
		{5, list{b}, list{a, b, unknown}, nil, false},
		{9, list{b}, list{a, b, unknown}, found{missed(a, 0)}, false},
		{10, list{b}, list{a, b, unknown}, found{missed(a, 0), missed(unknown, 5)}, false},
		{11, list{a, b}, list{a, b, unknown}, found{missed(unknown, 5)}, false},
		{12, list{a, b}, list{a, b}, nil, false},
	})
}

// TestEndBetweenLists: a push of hours is not missed where its session has ended and the provider still lists it.
func TestEndBetweenLists(t *testing.T) {
	a := begun("a", -600)
	play(t, []round{
		{0, list{a}, list{a}, nil, false},
		{1, nil, list{a}, nil, false}, // its PUBLISH_DONE came after the provider's list was taken
		{5, nil, list{a}, nil, false},
		{6, nil, nil, nil, false},
	})
}

// TestForgottenPush: a push that goes on for longer than its session is kept is not missed; one without a start time
// may be another one.
func TestForgottenPush(t *testing.T) {
	kept := int(bridge.OpenSessionKept / time.Minute)
	a, unknown := begun("a", -kept+10), reconcile.Begun{Stream: begun("c", 0).Stream}
	play(t, []round{
		{0, nil, list{a, unknown}, nil, false},
		{10, nil, list{a, unknown}, found{missed(a, -kept+10), missed(unknown, 0)}, false},
		{11, nil, list{a, unknown}, found{missed(unknown, 0)}, false},
		{20, list{a}, list{unknown}, found{missed(unknown, 0)}, false},
		{25, list{a}, nil, found{stale(a, 20)}, false},
	})
}

// TestStale: a session counts from when its stream was seen offline, however old it is.
func TestStale(t *testing.T) {
	old, next := begun("a", -600), begun("a", 3)
	play(t, []round{
		{0, list{old}, list{old}, nil, false},
		{1, list{old}, nil, nil, false},
		{2, list{old}, list{old}, nil, false}, // it was only not listed
		{3, list{old}, nil, nil, false},
		{7, list{old}, nil, nil, false},
		{8, list{old}, nil, found{stale(old, 3)}, false},
		{9, list{next}, nil, nil, false}, // another push of the stream
		{14, list{next}, nil, found{stale(next, 9)}, false},
		{15, nil, nil, nil, false},
	})
}

// TestDomainsThatAreNotListed: what could not be listed is neither a difference nor an end of one.
func TestDomainsThatAreNotListed(t *testing.T) {
	a, b := begun("a", 0), begun("b", 0)
	play(t, []round{
		{0, list{a}, nil, nil, false},
		{3, list{a}, list{b}, nil, true},
		{5, list{a}, nil, found{stale(a, 0)}, false},
		{6, list{a}, nil, nil, true},
		{7, list{a}, nil, found{stale(a, 0)}, false},
	})
}

// TestOrderOfDifferences: by stream.
func TestOrderOfDifferences(t *testing.T) {
	online := list{begun("b", 0), begun("a", 0), begun("c", 1)}
	play(t, []round{{4, nil, online, nil, false}, {9, nil, online,
		found{missed(begun("a", 0), 0), missed(begun("b", 0), 0), missed(begun("c", 1), 1)}, false}})
}

// TestNoGrace: with no grace period every difference counts at once.
func TestNoGrace(t *testing.T) {
	var tracker reconcile.Tracker
	a, b := begun("a", 1), begun("b", 0)
	got := tracker.Compare(reconcile.Snapshot{Now: at(0), Domains: []string{domain}, Open: list{b}, Online: list{a}}, 0)
	if !slices.Equal(got, found{missed(a, 0), stale(b, 0)}) { // a begins in the future of our clock
		t.Errorf("%+v", got)
	}
}
