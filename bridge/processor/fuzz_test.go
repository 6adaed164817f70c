package processor

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/record"
)

// What can be read of a value is written again as it was understood, and nothing makes a reader panic. The corpora that
// have been found are in testdata/fuzz; go test runs them.

// everyInput is an input of every action, each with all that it can have.
func everyInput() []Input {
	event := &bridge.Event{
		ID:   bridge.ID{1},
		Type: "a",
		Lane: bridge.Lane{Kind: bridge.KindRecord, Domain: "d"},
		Data: []byte("{}"),
	}
	signature := bridge.Signature{Sum: [16]byte{1}, Signed: [16]byte{2}, Expires: 7, Strict: true, Key: "k"}
	return []Input{
		{Arrival: &bridge.Arrival{Event: *event, Signature: signature, Reason: bridge.ReasonExpired, Raw: []byte("raw"),
			EventName: "A"}},
		{Arrival: &bridge.Arrival{Event: *event, Identity: &bridge.Identity{Session: -1, Ordered: bridge.ID{1},
			Data: []byte("{}")}}},
		{Action: Expire},
		{Action: Release, Queue: bridge.QuarantineQueue, Numbers: []uint64{1, 1 << 60}},
		{Action: Purge, Queue: bridge.DeadLetterQueue, Numbers: []uint64{0}},
		{Action: Replay, Events: []*bridge.Event{event, event}},
		{Action: Reject, Rejected: Rejection{Event: event, Reason: bridge.RejectionTooLarge, Detail: "2 MB"}},
		{Action: Forget, Idle: []bridge.Lane{event.Lane, {Kind: bridge.KindStream}}, Unended: []bridge.Lane{event.Lane}},
		{Action: Remember, Memory: everyMemory(event)},
	}
}

// TestInputRoundTrip: an input is read as it was written, but for its time, and nothing less than the whole is taken.
func TestInputRoundTrip(t *testing.T) {
	for _, in := range everyInput() {
		value := AppendInput(nil, &in)
		got, err := ReadInput(value)
		if err != nil || !reflect.DeepEqual(got, &in) {
			t.Errorf("%+v became %+v, %v", in, got, err)
		}
		for n := range value {
			if _, err := ReadInput(value[:n]); err == nil {
				t.Errorf("action %d: the first %d of %d bytes were taken", in.Action, n, len(value))
			}
		}
	}
	if _, err := ReadInput([]byte{byte(actions)}); err == nil {
		t.Error("an unknown action was read")
	}
}

func FuzzReadInput(f *testing.F) {
	for _, in := range everyInput() {
		f.Add(AppendInput(nil, &in))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		in, err := ReadInput(value)
		if err != nil {
			return
		}
		if again, err := ReadInput(AppendInput(nil, in)); err != nil || !reflect.DeepEqual(again, in) {
			t.Errorf("%+v became %+v, %v", in, again, err)
		}
	})
}

// FuzzReadEntry is the same for an entry of the quarantine and a dead letter.
func FuzzReadEntry(f *testing.F) {
	f.Add(record.AppendEvent(record.AppendText(nil, "body"), &bridge.Event{Type: "a", Data: []byte("{}")}))
	f.Add(
		record.AppendEvent(
			record.AppendText(record.AppendText(nil, "too_large"), "2 MB"),
			&bridge.Event{Type: "a", Data: []byte("{}")},
		),
	)
	f.Fuzz(func(t *testing.T, value []byte) {
		for _, queue := range []bridge.ReviewQueue{bridge.QuarantineQueue, bridge.DeadLetterQueue} {
			e, err := ReadEntry(queue, 5, value)
			if err != nil {
				continue
			}
			head := record.AppendText(record.AppendText(nil, e.Reason), e.Detail)
			if queue == bridge.QuarantineQueue {
				head = record.AppendText(nil, e.Raw)
			}
			again, err := ReadEntry(queue, 5, record.AppendEvent(head, e.Event))
			if err != nil || again.Reason != e.Reason || again.Detail != e.Detail || string(again.Raw) != string(e.Raw) ||
				fmt.Sprint(again.Event) != fmt.Sprint(e.Event) {
				t.Errorf("%+v became %+v, %v", e, again, err)
			}
		}
	})
}

// TestSessionsRoundTrip: the sessions of a lane are read as they were written, and nothing less is taken but whole
// ones.
func TestSessionsRoundTrip(t *testing.T) {
	l := LaneState{Touched: 5, Sessions: []Session{{Session: 1e12, Started: 7, Ended: 9, StartMarks: 3},
		{Session: 2e12, Started: 1, Stale: true}}}
	value := l.AppendSessions(nil)
	again := LaneState{Touched: 5}
	if err := again.ReadSessions(value); err != nil || !reflect.DeepEqual(again, l) {
		t.Errorf("%+v became %+v, %v", l, again, err)
	}
	for n := range value {
		if got, _, err := ReadSessions(value[:n]); err == nil && n > 0 && len(got) > 1 {
			t.Errorf("the first %d of %d bytes became %+v", n, len(value), got)
		}
	}
	again = LaneState{Touched: 6}
	if err := again.ReadSessions(value); err != nil || again.Sessions != nil {
		t.Errorf("of an older state: %+v, %v", again, err)
	}
	if err := again.ReadSessions(nil); err == nil {
		t.Error("nothing was taken for sessions")
	}
}

// FuzzReadSessions is the same as FuzzReadEntry for them.
func FuzzReadSessions(f *testing.F) {
	f.Add((&LaneState{Touched: 5, Sessions: []Session{{Session: 1e12, Stale: true}}}).AppendSessions(nil))
	f.Fuzz(func(t *testing.T, value []byte) {
		l := LaneState{}
		var err error
		if l.Sessions, l.Touched, err = ReadSessions(value); err != nil {
			return
		}
		if again, _, err := ReadSessions(l.AppendSessions(nil)); err != nil || !reflect.DeepEqual(again, l.Sessions) {
			t.Errorf("%+v became %+v, %v", l.Sessions, again, err)
		}
	})
}

// FuzzReadLane is the same for a lane's state.
func FuzzReadLane(f *testing.F) {
	l := LaneState{Touched: 5}
	l.State.Sequence = 9
	now := Moment{Wall: time.UnixMilli(1e12)}
	f.Add(l.AppendRecord(nil, now))
	f.Fuzz(func(t *testing.T, value []byte) {
		var l, again LaneState
		if l.ReadRecord(value, now) != nil {
			return
		}
		if err := again.ReadRecord(l.AppendRecord(nil, now), now); err != nil || again.State.Last != l.State.Last ||
			again.State.Sequence != l.State.Sequence || len(again.State.Held) != len(l.State.Held) {
			t.Errorf("%+v became %+v, %v", l, again, err)
		}
	})
}
