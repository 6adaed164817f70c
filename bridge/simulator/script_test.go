package simulator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
)

func step(event string, session int64) Step {
	return Step{Callback: Callback{Kind: bridge.KindStream, Stream: "room1", Event: event, Session: session}}
}

// TestPlay: a script is sent as it is written: in order, a redelivery byte for byte, and a forgery is refused.
func TestPlay(t *testing.T) {
	url, bodies := service(t)
	again, forged, paused := step("PUBLISH", 1), step("PUBLISH_DONE", 1), step("PUBLISH_DONE", 1)
	again.Again, forged.Forged, paused.After = 1, true, 50*time.Millisecond
	c := config()
	c.URL = url
	var got []string
	var first bridge.Millis
	c.Sent = func(s Sent) error {
		if first == 0 {
			first = s.Session
		}
		got = append(got, fmt.Sprint(s.Event, int64(s.Session-first)/1000, " ", s.Status, s.Expect))
		return nil
	}
	begun := time.Now()
	report, err := Play(t.Context(), c, []Step{step("PUBLISH", 0), step("PUBLISH", 1), again, forged, paused})
	if err != nil || report.Sent != 5 || report.Unexpected != 0 {
		t.Errorf("%v, %v", report, err)
	}
	if text := strings.Join(got, ","); text != "PUBLISH0 200 200,PUBLISH1 200 200,PUBLISH1 200 200,PUBLISH_DONE1 401 401,"+
		"PUBLISH_DONE1 200 200" {
		t.Errorf("sent %s", text)
	}
	if all := bodies(); all[1] != all[2] || all[0] == all[1] || all[3] == all[4] {
		t.Errorf("sent %q", all)
	}
	signed := make(map[string]bool)
	for _, body := range bodies() {
		signed[regexp.MustCompile(`"auth_timestamp":\S+?,`).FindString(body)] = true
	}
	if len(signed) != 4 {
		t.Errorf("%d times of expiry, and 4 different callbacks: two under one signature are tampering", len(signed))
	}
	if last := first + 1000; last > bridge.MillisOf(begun) || first < bridge.MillisOf(begun.Add(-time.Minute)) {
		t.Errorf("the first session is %v, and it is %v", first, bridge.MillisOf(begun))
	}
	if took := time.Since(begun); took < 50*time.Millisecond {
		t.Errorf("the pause was not kept: %v", took)
	}
}

// TestPlayEnds at an error of Sent, at the end of its context, and where nothing can be sent.
func TestPlayEnds(t *testing.T) {
	url, bodies := service(t)
	c := config()
	c.URL = url
	enough := errors.New("enough")
	c.Sent = func(Sent) error { return enough }
	if _, err := Play(t.Context(), c, []Step{step("PUBLISH", 0), step("PUBLISH", 1)}); !errors.Is(err, enough) {
		t.Error(err)
	}
	if n := len(bodies()); n != 1 {
		t.Errorf("%d were sent", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c.Sent = func(Sent) error { cancel(); return nil }
	late := step("PUBLISH", 1)
	late.After = time.Hour
	if _, err := Play(ctx, c, []Step{step("PUBLISH", 0), late}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := Play(t.Context(), c, nil); err == nil {
		t.Error("an empty script was played")
	}
	c.Keys.Stream = ""
	if _, err := Play(t.Context(), c, []Step{step("PUBLISH", 0)}); err == nil || !strings.Contains(err.Error(), "no key") {
		t.Error(err)
	}
	c.Keys.Stream, c.URL = key, "http://127.0.0.1:1"
	c.Sent = func(s Sent) error {
		if s.Status != 0 || s.Expect != http.StatusOK {
			t.Errorf("%+v", s)
		}
		return nil
	}
	if r, err := Play(t.Context(), c, []Step{step("PUBLISH", 0)}); err != nil || r.NoResponse == nil {
		t.Errorf("%v, %v", r, err)
	}
}
