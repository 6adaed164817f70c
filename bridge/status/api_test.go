package status

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"livebridge/bridge"
)

// TestAPIIsAsDescribed: every path of the document answers as it says, without a field that it does not know, at work
// and with nothing to show.
func TestAPIIsAsDescribed(t *testing.T) {
	empty := newExample(t, func(c *Config) {
		*c = Config{Version: "v1", Gatherer: c.Gatherer, Now: c.Now, Broker: Broker{Transport: "nats"}}
	})
	for name, e := range map[string]*example{"at work": newExample(t, nil), "nothing to show": empty,
		"replica": newReplica(t)} {
		d := described(t, e)
		for path, item := range d.Paths {
			at := path
			if len(item.Get.Parameters) > 0 {
				at += "?name=stream:push.example.com/live/studio"
			}
			w := e.get(t, at)
			value, err := jsonschema.UnmarshalJSON(w.Body)
			if err != nil || w.Code != http.StatusOK {
				t.Errorf("%s: %s: %d, %v", name, at, w.Code, err)
				continue
			}
			if err := d.compile(t, resultOf(path)).Validate(value); err != nil {
				t.Errorf("%s: %s: %v", name, at, err)
			}
		}
	}
}

// TestUnknownPaths: what is not there is said, and that nothing can be changed.
func TestUnknownPaths(t *testing.T) {
	e := newExample(t, nil)
	for path, want := range map[string]int{"/api/v1/nothing": 404, "/api/v1/lane": 404, "/api/v1/lane?name=stream:a": 404,
		"/lane?name=x": 404, "/assets/page.html": 404, "/assets/": 404, "/assets/status.css": 200, "/nothing": 404} {
		if w := e.get(t, path); w.Code != want {
			t.Errorf("%s: %d, not %d", path, w.Code, want)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch} {
		if w := e.ask(t, method, "/api/v1/status"); w.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", method, w.Code)
		}
	}
}

// TestSecurityHeaders: the policy allows nothing inline, and every answer has it.
func TestSecurityHeaders(t *testing.T) {
	e := newExample(t, nil)
	for _, path := range []string{"/", "/lane?name=x", "/api/v1/status", "/assets/status.js", "/nothing"} {
		h := e.get(t, path).Header()
		policy := h.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") ||
			h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, h)
		}
	}
}

// TestSenderTextIsEscaped: names and paths that a sender has chosen are text on the page.
func TestSenderTextIsEscaped(t *testing.T) {
	const evil = `<script>alert(1)</script>`
	e := newExample(t, func(c *Config) {
		c.Refusals = func() []Refusal {
			return []Refusal{{At: noon, Kind: evil, Status: 400, Reason: evil, Detail: evil, Source: evil, Lane: evil, Count: 1}}
		}
	})
	e.journal.sessions[0].Stream = evil
	for _, path := range []string{"/", "/lane?name=stream:a/b/" + evil, "/lane?name=" + evil} {
		if body := e.get(t, path).Body.String(); strings.Contains(body, evil) {
			t.Errorf("%s has a sender's markup", path)
		}
	}
}

// TestLane: the lane's session, its latest events and its entries, and no other's.
func TestLane(t *testing.T) {
	e := newExample(t, nil)
	var l Lane
	body := e.get(t, "/api/v1/lane?name=stream:push.example.com/live/studio").Body.Bytes()
	if err := json.Unmarshal(body, &l); err != nil {
		t.Fatal(err)
	}
	if !l.Open || len(l.Published) != 1 || !slices.Equal(l.Published[0].Marks, []string{"prev_unended"}) ||
		len(l.Waiting) != 1 || l.Waiting[0].Number != 411 {
		t.Errorf("%+v", l)
	}
	if h := l.History; !h.Kept || h.More || len(h.Events) != 4 || h.Events[0].State != bridge.StateHeld ||
		h.Events[1].Where != "live.events partition 3 offset 48213" || h.Events[1].Sequence != 5 {
		t.Errorf("%+v", h)
	}
}

// TestLaneHistory: what has become of a lane's events is on its page, and whether published ones are kept.
func TestLaneHistory(t *testing.T) {
	const path = "/lane?name=stream:push.example.com/live/studio"
	e := newExample(t, nil)
	body := e.get(t, path).Body.String()
	for _, want := range []string{"held for the event before it", "live.events partition 3 offset 48213", "prev_unended"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if strings.Contains(body, "JOURNAL_KEEP") || strings.Contains(body, "Latest events") {
		t.Error("the page says that published events are not kept")
	}
	e.journal.stats.History, e.journal.history = nil, nil
	body = e.get(t, path).Body.String()
	for _, want := range []string{"LIVEBRIDGE_JOURNAL_KEEP", "held for the event before it", "Latest events"} {
		if !strings.Contains(body, want) {
			t.Errorf("history is off: %q is not on the page", want)
		}
	}
	e.journal.history = make([]bridge.Fate, maxFates)
	if h := e.gather.history("stream", "push.example.com/live/studio"); len(h.Events) != maxFates || !h.More {
		t.Errorf("%d events, more: %v", len(h.Events), h.More)
	}
	e.journal.err = errors.New("journal has failed")
	if body = e.get(t, path).Body.String(); !strings.Contains(body, "cannot be read: journal has failed") {
		t.Error("the page does not say that the journal cannot be read")
	}
}
