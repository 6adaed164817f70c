package bridge_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"livebridge/bridge"
)

// TestPublishErrors: rejected and unavailable are distinguished however deeply wrapped, and both unwrap to their cause.
func TestPublishErrors(t *testing.T) {
	rejected, unavailable := bridge.Rejected(bridge.RejectionRefused, "too large: %w",
		io.EOF), bridge.Unavailable("no answer: %w", io.EOF)
	for _, c := range []struct {
		err      error
		text     string
		rejected bool
		cause    error
	}{
		{rejected, "rejected: too large: EOF", true, io.EOF},
		{unavailable, "unavailable: no answer: EOF", false, io.EOF},
		{fmt.Errorf("publish: %w", rejected), "publish: rejected: too large: EOF", true, io.EOF},
		{fmt.Errorf("publish: %w", unavailable), "publish: unavailable: no answer: EOF", false, io.EOF},
		{io.EOF, "EOF", false, io.EOF},
	} {
		if c.err.Error() != c.text || bridge.IsRejected(c.err) != c.rejected || !errors.Is(c.err, c.cause) {
			t.Errorf("%q: rejected %v, want %q and %v", c.err, bridge.IsRejected(c.err), c.text, c.rejected)
		}
	}
	if bridge.IsRejected(nil) {
		t.Error("no error is rejected")
	}
}

func TestLaneNames(t *testing.T) {
	for text, lane := range map[string]bridge.Lane{
		"stream:push.example.com/live/room%201": {Kind: bridge.KindStream, Domain: "push.example.com", App: "live",
			Stream: "room 1"},
		"rtc-record:id//s": {Kind: bridge.KindRTCRecord, Domain: "id", Stream: "s"},
		"record:d//":       {Kind: bridge.KindRecord, Domain: "d"},
		"record:/a/":       {Kind: bridge.KindRecord, App: "a"},
		"record://s":       {Kind: bridge.KindRecord, Stream: "s"},
	} {
		if lane.String() != text || lane.IsZero() {
			t.Errorf("%+v is %s, zero %v; want %s", lane, lane, lane.IsZero(), text)
		}
	}
	if quarantine := (bridge.Lane{Kind: bridge.KindSnapshot}); !quarantine.IsZero() ||
		quarantine.String() != "snapshot://" {
		t.Errorf("a quarantine lane is %s, zero %v", quarantine, quarantine.IsZero())
	}
}

func TestTextForms(t *testing.T) {
	at := time.Date(2020, 4, 27, 4, 22, 14, 678_999_999, time.FixedZone("", 7200))
	if m := bridge.MillisOf(at); m != 1587954134678 || m.String() != "2020-04-27T02:22:14.678Z" {
		t.Errorf("%v is %d, %s", at, m, m)
	}
	if id := sampleID(); id.String() != sampleIDText {
		t.Errorf("the id is %s", id)
	}
}
