package admin

import (
	"fmt"
	"math"
	"reflect"
	"testing"

	"livebridge/bridge"
)

// historian answers with events of which every member says something.
type historian struct{ fakeOperator }

var fullFate = bridge.Fate{State: bridge.StatePublished, ID: "01", Kind: "stream", Lane: "a/%2F/c", Type: "t",
	Session: math.MaxInt64, Received: "2000-01-01T00:00:00.007Z", Sequence: math.MaxUint64, Marks: []string{"late"},
	Published: "2000-01-01T00:00:00.008Z", Number: math.MaxUint64, Reason: "expired", Detail: "d",
	Position: &bridge.Position{Topic: "live", Subject: "s.>", Partition: -1, Offset: math.MaxInt64},
	Event:    []byte(`{"a":"<b>"}`)}

func (o *historian) History(q bridge.HistoryQuery) (bridge.HistoryPage, error) {
	o.record("history %+v", q)
	return bridge.HistoryPage{Events: []bridge.Fate{fullFate}, Cursor: []byte{0, 0xff}}, nil
}

// TestHistoryRoundTrip: queries and pages come through the socket whole, at every edge.
func TestHistoryRoundTrip(t *testing.T) {
	o := &historian{}
	dir, _ := control(t, o)
	c := dialed(t, dir)
	var asked []string
	for _, q := range []bridge.HistoryQuery{{}, {
		EventFilter: bridge.EventFilter{Kind: "stream", Lane: "a/%2F/c", Session: math.MaxInt64, ID: "01-expired",
			From: math.MinInt64, Until: math.MaxInt64},
		Replayable: true, Newest: true, Content: true, Limit: -1, Cursor: []byte{'k', 0, 0xff}}} {
		want := bridge.HistoryPage{Events: []bridge.Fate{fullFate}, Cursor: []byte{0, 0xff}}
		got, err := c.History(q)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v", got, err)
		}
		if got, err := c.Unpublished(q); err != nil || len(got.Events) != 1 || got.Events[0].State != bridge.StateHeld {
			t.Errorf("%+v, %v", got, err)
		}
		asked = append(asked, fmt.Sprintf("history %+v", q), fmt.Sprintf("unpublished %+v", q))
	}
	if !reflect.DeepEqual(o.calls, asked) {
		t.Errorf("asked was\n%q, want\n%q", o.calls, asked)
	}
}
