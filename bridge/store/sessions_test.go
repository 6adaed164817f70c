package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// following is a store whose lanes have their sessions.
func following(t *testing.T) *disk {
	d := create(t)
	d.close()
	d.follow(true)
	return d
}

// follow opens the store with sessions, or without.
func (d *disk) follow(sessions bool) {
	d.t.Helper()
	d.opts.SessionEvents, d.limits.SessionEvents = sessions, sessions
	d.limits.SessionStaleAfter = time.Hour
	d.open()
}

// sessionsOf returns what is kept of a stream's sessions, in seconds since 9e11, with the seconds after the beginning
// at which each started and ended.
func (d *disk) sessionsOf(stream string) (out []string) {
	d.t.Helper()
	l, _, err := d.Lane(push(stream, 0, bridge.PhasePublish).Event.Lane, d.now)
	d.must(err)
	after := func(at bridge.Millis) int64 { return int64(max(0, at-bridge.MillisOf(begin))) / 1000 }
	for _, s := range l.Sessions {
		out = append(out, fmt.Sprint(int64(s.Session-9e11)/1000, after(s.Started), after(s.Ended), s.Stale))
	}
	return out
}

// at is a callback of the n-th session of a stream.
func at(stream string, n int, phase bridge.Phase) *bridge.Arrival {
	return push(stream, n*1000, phase)
}

// TestSessionsOnDisk: what is remembered of sessions is the same after a restart and a loss of power, and goes with its
// lane.
func TestSessionsOnDisk(t *testing.T) {
	for _, power := range []bool{false, true} {
		d := following(t)
		d.pass(time.Second)
		d.arrive(true, at("a", 1, bridge.PhasePublish))
		d.pass(time.Second)
		d.arrive(false, at("a", 1, bridge.PhaseDone), at("a", 2, bridge.PhasePublish))
		d.restart(power)
		if got, want := d.sessionsOf("a"), []string{"1 1 2 false", "2 2 0 false"}; !slices.Equal(got, want) {
			t.Errorf("power %v: %q, want %q", power, got, want)
		}
		d.pass(2 * time.Hour)
		lanes, err := d.UnendedLanes(d.now, 100, time.Hour)
		d.must(err)
		d.commit(true, nil, processor.Input{Action: processor.Forget, Unended: lanes})
		d.restart(power)
		if got, want := d.sessionsOf("a"), []string{"1 1 2 false", "2 2 0 true"}; !slices.Equal(got, want) {
			t.Errorf("power %v, stale: %q, want %q", power, got, want)
		}
		if n := d.tables().Sessions.Entries; n != 1 {
			t.Errorf("%d rows of sessions", n)
		}
		d.pass(processor.ForgetOpen + time.Second)
		d.commit(true, nil, processor.Input{Action: processor.Forget, Idle: []bridge.Lane{at("a", 1, 0).Event.Lane}})
		if n := d.tables().Sessions.Entries; n != 0 {
			t.Errorf("%d rows of sessions when the lane is forgotten", n)
		}
		d.close()
	}
}

// TestSessionsOfAnOlderLane: what a run without sessions, or a version that does not know them, has left of a lane is
// not taken for what it was before.
func TestSessionsOfAnOlderLane(t *testing.T) {
	d := following(t)
	d.arrive(true, at("a", 1, bridge.PhasePublish), at("b", 1, bridge.PhasePublish))
	d.close()
	d.follow(false)
	d.pass(time.Second)
	d.arrive(true, at("a", 1, bridge.PhaseDone))
	if got := d.sessionsOf("b"); got != nil {
		t.Errorf("read without a use for them: %q", got)
	}
	d.close()
	d.follow(true)
	defer d.close()
	if a, b := d.sessionsOf("a"), d.sessionsOf("b"); a != nil || !slices.Equal(b, []string{"1 0 0 false"}) {
		t.Errorf("a has %q, b %q", a, b)
	}
}

// TestNoSessionsOnDisk: without a use for them nothing is written.
func TestNoSessionsOnDisk(t *testing.T) {
	d := create(t)
	defer d.close()
	d.arrive(true, at("a", 1, bridge.PhasePublish), at("a", 1, bridge.PhaseDone))
	if n := d.tables().Sessions.Entries; n != 0 {
		t.Errorf("%d rows of sessions", n)
	}
}

// TestUnendedLanesGoRound: lanes are looked at some at a time, all of them before one comes again; those come that have
// a session without an end for long enough.
func TestUnendedLanesGoRound(t *testing.T) {
	d := following(t)
	defer d.close()
	d.arrive(true, at("a", 1, bridge.PhasePublish), at("b", 1, bridge.PhasePublish), at("c", 1, bridge.PhasePublish),
		at("b", 1, bridge.PhaseDone))
	d.pass(time.Hour - time.Millisecond)
	d.arrive(true, at("d", 1, bridge.PhasePublish))
	look := func(most int) (names []string) {
		lanes, err := d.UnendedLanes(d.now, most, time.Hour)
		d.must(err)
		for _, l := range lanes {
			names = append(names, l.Stream)
		}
		return names
	}
	if early := look(100); early != nil {
		t.Errorf("%q before the hour is over", early)
	}
	d.pass(time.Millisecond)
	for _, want := range [][]string{{"a"}, {"c"}, {"a"}} {
		if got := look(2); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestOpenSessionsOfADomain: those whose last event in order is a PUBLISH, of one domain and not of those whose names
// begin like it, until whoever asks has enough.
func TestOpenSessionsOfADomain(t *testing.T) {
	d := following(t)
	defer d.close()
	d.arrive(false, at("a", 1, bridge.PhasePublish), at("b", 2, bridge.PhasePublish), at("b", 2, bridge.PhaseDone),
		recording("c", 3), of("push.example.com.cn", at("a", 5, bridge.PhasePublish)))
	for domain, want := range map[string][]string{
		"":                    {"push.example.com/live/a 1", "push.example.com.cn/live/a 5"},
		"push.example.com":    {"push.example.com/live/a 1"},
		"push.example.com.cn": {"push.example.com.cn/live/a 5"},
		"push.example":        nil,
	} {
		open, err := d.OpenSessions(t.Context(), domain)
		d.must(err)
		var got []string
		for _, o := range open {
			got = append(got, fmt.Sprint(o.Domain, "/", o.App, "/", o.Stream, " ", int64(o.Session-9e11)/1000))
		}
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("of %q: %q, want %q", domain, got, want)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.OpenSessions(gone, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits: %v", err)
	}
	d.must(d.db.Set(laneKey(nil, at("z", 1, 0).Event.Lane), []byte{0x80}, pebble.Sync))
	if _, err := d.OpenSessions(t.Context(), ""); err == nil {
		t.Error("a lane that cannot be read is left out in silence")
	}
}
