package rotation_test

import (
	"slices"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/admin"
	"livebridge/bridge/rotation"
)

func now() time.Time { return time.Unix(1_790_000_000, 0) }

// instance is one whose clock is ahead by an hour. Uses are seconds ago; below zero: never.
func instance(url string, started int, uses map[string]int) admin.Instance {
	at := now().Add(time.Hour)
	i := admin.Instance{URL: url, Now: at}
	if started >= 0 {
		i.Started = at.Add(-time.Duration(started) * time.Second)
	}
	for id, ago := range uses {
		k := admin.ActiveKey{Kind: "record", ID: id}
		if ago >= 0 {
			k.LastUse = at.Add(-time.Duration(ago) * time.Second)
		}
		i.Keys = append(i.Keys, k, admin.ActiveKey{Kind: "stream", ID: id, LastUse: at}) // of another kind
	}
	return i
}

// TestWithAndWithout: where a key of this kind is in force, and where not.
func TestWithAndWithout(t *testing.T) {
	all := []admin.Instance{
		instance("a", 9, map[string]int{"old": 1}), instance("b", 9, map[string]int{"old": 1, "new": 1}),
		{URL: "c", Keys: []admin.ActiveKey{{Kind: "stream", ID: "new"}}},
	}
	if got := rotation.Without(all, bridge.KindRecord, "new"); !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("without: %v", got)
	}
	if got := rotation.With(all, bridge.KindRecord, "new"); !slices.Equal(got, []string{"b"}) {
		t.Errorf("with: %v", got)
	}
}

// TestUsage: the last use at any instance counts, and a start before which nothing is known.
func TestUsage(t *testing.T) {
	const observed = 7 * time.Second
	for name, tt := range map[string]struct {
		all  []admin.Instance
		want rotation.Usage
	}{
		"the last of two": {[]admin.Instance{instance("a", 900, map[string]int{"old": 60, "new": 5}),
			instance("b", 900, map[string]int{"old": 30})},
			rotation.Usage{Active: true, Idle: 30 * time.Second, Replaced: true}},
		"not switched": {[]admin.Instance{instance("a", 900, map[string]int{"old": 60, "new": -1}),
			instance("b", 900, map[string]int{"old": 70, "new": 61})},
			rotation.Usage{Active: true, Idle: 60 * time.Second}},
		"restarted": {[]admin.Instance{instance("a", 20, map[string]int{"old": -1, "new": 5}),
			instance("b", 900, map[string]int{"old": 600})},
			rotation.Usage{Active: true, Idle: 20 * time.Second, Replaced: true}},
		"no start": {[]admin.Instance{instance("a", -1, map[string]int{"old": -1, "new": -1})},
			rotation.Usage{Active: true, Idle: observed}},
	} {
		if got := rotation.UsageOf(tt.all, bridge.KindRecord, "old", now().Add(-observed), now()); got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
	if got := rotation.UsageOf([]admin.Instance{instance("a", 9, map[string]int{"new": 1})}, bridge.KindRecord, "old",
		now(), now()); got.Active {
		t.Errorf("gone: %+v", got)
	}
}
