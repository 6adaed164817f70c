package checker_test

import (
	"fmt"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/checker"
)

func quarantined(t *testing.T, word string, reason bridge.Reason) checker.Event {
	t.Helper()
	e := stream(t, word, 1)
	e.Type, e.Reason, e.Subject, e.Lane = bridge.TypeQuarantined, reason, e.Lane.Subject(), bridge.Lane{
		Kind: bridge.KindStream}
	e.Data = fmt.Appendf(nil, `{"body":%s,"kind":"stream","lane":%q,"reason":%q,"received":"2023-11-14T22:13:20.000Z"}`,
		e.Data, e.Subject, reason)
	return read(t, e)
}

func TestQuarantine(t *testing.T) {
	event, expired := quarantined(t, "P1", bridge.ReasonTampered), quarantined(t, "P1", bridge.ReasonExpired)
	t.Run("is not lost", func(t *testing.T) {
		r := checker.Check(config, sent(t, "P1"), []checker.Event{event})
		compare(t, r, "")
		if r.Quarantined != 1 || r.Lanes != 1 {
			t.Errorf("%d quarantined in %d lanes, want 1 and 1", r.Quarantined, r.Lanes)
		}
	})
	t.Run("may hold what was refused", func(t *testing.T) {
		compare(t, checker.Check(config, sent(t, "P1=401"), []checker.Event{expired}), "")
	})
	t.Run("may be released", func(t *testing.T) {
		out := append([]checker.Event{expired}, topic(t, "P1:replayed")...)
		compare(t, checker.Check(config, sent(t, "P1=401"), out), "")
	})
	t.Run("holds nothing that was not sent", func(t *testing.T) {
		compare(t, checker.Check(config, nil, []checker.Event{event}), "unsent")
	})
	t.Run("may be of several partitions", func(t *testing.T) {
		other := quarantined(t, "P2", bridge.ReasonTampered)
		event.Partition, other.Partition = "/0", "/1"
		r := checker.Check(config, sent(t, "P1 P2"), []checker.Event{event, other})
		compare(t, r, "")
		if r.Lanes != 2 {
			t.Errorf("%d lanes, want one of each partition", r.Lanes)
		}
	})
	t.Run("may hold what cannot be read", func(t *testing.T) {
		e := &bridge.Event{Type: bridge.TypeQuarantined, Lane: bridge.Lane{Kind: bridge.KindRTCRecord}, Sequence: 1,
			Reason: bridge.ReasonMalformed, Data: []byte(`{"kind":"rtc-record","reason":"malformed"}`)}
		compare(t, checker.Check(config, nil, []checker.Event{read(t, e)}), "")
	})
}
