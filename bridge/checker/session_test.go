package checker_test

import (
	"testing"

	"livebridge/bridge/checker"
)

// TestSessionEventsAreNotSent: an event that no callback causes is not one too many; its lane is checked as any other.
func TestSessionEventsAreNotSent(t *testing.T) {
	event := func(sequence, id string) checker.Event {
		e, err := checker.ParseEvent([]byte(`{"data":{"app":"live","domain":"push.example.com","event":"MISSED",` +
			`"since":"2026-01-02T03:04:05.678Z","stream":"a"},` +
			`"dataschema":"urn:livebridge:schema:session:1","id":"` + id +
			`","partitionkey":"push.example.com/live/a","recordedtime":"2026-01-02T03:04:05.678Z",` +
			`"sequence":"` + sequence + `","signature":"none","source":"/huaweicloud/live/push.example.com/live",` +
			`"specversion":"1.0",` +
			`"subject":"push.example.com/live/a","time":"2026-01-02T03:04:05.678Z",` +
			`"type":"com.huaweicloud.live.session.missed"}`))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	c := checker.New(checker.Config{})
	c.Published(event("00000000000000000001", "00000000000000000000000000000001"))
	if r := c.Report(); !r.OK() || r.Published != 1 {
		t.Errorf("%v", r)
	}
	c.Published(event("00000000000000000003", "00000000000000000000000000000003"))
	if r := c.Report(); r.OK() {
		t.Errorf("a gap is not seen: %v", r)
	}
}
