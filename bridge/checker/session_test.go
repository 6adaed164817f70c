package checker_test

import (
	"testing"

	"livebridge/bridge"
)

// TestSessionOfARecording: the session that a recorded file was found to belong to makes no other occurrence of it, and
// no order.
func TestSessionOfARecording(t *testing.T) {
	lane := room
	lane.Kind = bridge.KindRecord
	e := &bridge.Event{Lane: lane, Type: "com.huaweicloud.live.record.file_complete", Sequence: 1, Recorded: base,
		Session: base, Data: []byte(`{"event":"RECORD_FILE_COMPLETE"}`)}
	with := read(t, e)
	e.Session = 0
	without := read(t, e)
	if with.Occurrence != without.Occurrence || with.Key != without.Key {
		t.Errorf("%+v, and without a session %+v", with, without)
	}
}
