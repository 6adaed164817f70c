package admin

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"

	"livebridge/bridge"
)

// fullOperator answers with values of which every member says something.
type fullOperator struct{ fakeOperator }

var (
	fullEntry = bridge.Entry{Number: math.MaxUint64, Reason: "expired", Detail: "d", Received: "2000-01-01T00:00:00.007Z",
		ID: "01", Kind: "record", Lane: "a/b/c",
		Type: "com.huaweicloud.live.record.start", Scheme: "md5", Sequence: math.MaxUint64 - 1, Data: []byte(`{"a":"<b>"}`),
		Raw: []byte{0xff, 0, '"'}}
	fullStats = bridge.JournalStats{Format: "f", Commit: 1, Outbox: bridge.Usage{Entries: 2, Bytes: 3},
		Held:      bridge.Usage{Entries: 4, Bytes: 5},
		LanesHeld: 6, Lanes: 7, Quarantine: bridge.Usage{Entries: 8, Bytes: 9}, Reasons: map[string]int{"expired": 10},
		DeadLetters: bridge.Usage{Entries: 11, Bytes: 12}, Identities: 13, Bytes: 14, MaxBytes: 15, StoreBytes: 16,
		FreeBytes: math.MaxUint64}
	fullReplay = bridge.ReplayResult{Replayed: 1, Cursor: []byte{'o', 0, 0xff}, UpTo: math.MaxUint64}
)

func (o *fullOperator) List(s bridge.ReviewQueue, q bridge.Query) ([]bridge.Entry, error) {
	entries, err := o.fakeOperator.List(s, q)
	return append(entries[:0], fullEntry), err
}

func (o *fullOperator) Release(s bridge.ReviewQueue, numbers []uint64) (outcomes []bridge.Outcome, err error) {
	for _, n := range numbers {
		outcomes = append(outcomes, bridge.Outcome{Number: n, Problem: fmt.Sprint("of ", n)})
	}
	return outcomes, nil
}

func (o *fullOperator) Inspect() (bridge.JournalStats, error) { return fullStats, nil }

func (o *fullOperator) Replay(q bridge.ReplayQuery) (bridge.ReplayResult, error) {
	_, err := o.fakeOperator.Replay(q)
	return fullReplay, err
}

// TestRoundTrip: what the operator interface is asked and what it answers comes through the socket whole, at every
// edge.
func TestRoundTrip(t *testing.T) {
	o := &fullOperator{}
	dir, _ := control(t, o)
	c := dialed(t, dir)
	var want []string
	for _, q := range []bridge.Query{{}, {After: math.MaxUint64, Limit: -1, Reason: "a&b=c+d", Lane: "%2F/ä b/",
		Raw: true}, {Limit: bridge.PageMax}} {
		entries, err := c.List(bridge.DeadLetterQueue, q)
		if err != nil || len(entries) != 1 || !reflect.DeepEqual(entries[0], fullEntry) {
			t.Errorf("%+v, %v", entries, err)
		}
		want = append(want, fmt.Sprintf("list deadletters %+v", q))
	}
	for _, n := range []int{0, 1, bridge.PageMax - 1, bridge.PageMax} {
		numbers, all := make([]uint64, n), make([]bridge.Outcome, 0, n)
		for i := range numbers {
			numbers[i] = math.MaxUint64 - uint64(i)
			all = append(all, bridge.Outcome{Number: numbers[i], Problem: fmt.Sprint("of ", numbers[i])})
		}
		if outcomes, err := c.Release(bridge.QuarantineQueue, numbers); err != nil ||
			fmt.Sprint(outcomes) != fmt.Sprint(all) {
			t.Errorf("%d numbers: %d outcomes, %v", n, len(outcomes), err)
		}
	}
	if i, err := c.Inspect(); err != nil || !reflect.DeepEqual(i, fullStats) {
		t.Errorf("%+v, %v", i, err)
	}
	for _, q := range []bridge.ReplayQuery{{}, {Kind: "stream", Lane: "a/b/c", Cursor: fullReplay.Cursor,
		UpTo: math.MaxUint64}} {
		if r, err := c.Replay(q); err != nil || !reflect.DeepEqual(r, fullReplay) {
			t.Errorf("%+v, %v", r, err)
		}
		want = append(want, fmt.Sprintf("replay %+v", q))
	}
	if !reflect.DeepEqual(o.calls, want) {
		t.Errorf("asked was\n%q, want\n%q", o.calls, want)
	}
}

var fullSession = bridge.OpenSession{Domain: "push.example.com", App: "%2F/ä", Stream: `a"b`, Session: math.MaxInt64}

// OpenSessions answers with what it was asked for as an app.
func (o *fakeOperator) OpenSessions(_ context.Context, domain string) ([]bridge.OpenSession, error) {
	asked := fullSession
	asked.Domain = domain
	return []bridge.OpenSession{asked, fullSession}, nil
}

// TestSessionsRoundTrip: open sessions come through the socket whole, for one domain and for all.
func TestSessionsRoundTrip(t *testing.T) {
	dir, _ := control(t, &fakeOperator{})
	c := dialed(t, dir)
	for _, domain := range []string{"", "push.example.com", "a&b=c"} {
		got, err := c.OpenSessions(t.Context(), domain)
		if err != nil || len(got) != 2 || got[0].Domain != domain || got[1] != fullSession {
			t.Errorf("%q: %+v, %v", domain, got, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.OpenSessions(ended, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
