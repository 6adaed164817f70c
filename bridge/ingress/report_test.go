package ingress_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// What is logged of a forgery: why, from where, what it is about, and nothing else of it.
func TestRefusalsAreLogged(t *testing.T) {
	b := newHarness(t, nil)
	b.send(post("/live/stream", strings.Replace(good(), `"room"`, `"hall"`, 1)))
	lines := b.log.All()
	if len(lines) != 1 {
		t.Fatalf("%d lines", len(lines))
	}
	fields := lines[0].ContextMap()
	if fields["kind"] != "stream" || fields["reason"] != "mismatch" || fields["domain"] != "push.example.com" ||
		fields["remote"] != "192.0.2.1:1234" || fields["detail"] == "" || fields["status"] != int64(401) ||
		fields["app"] != "live" || fields["stream"] != "hall" || fields["event"] != "PUBLISH" {
		t.Errorf("%v", fields)
	}
	sign := signature.Sign(bridge.SchemeHMAC, key, claim())
	for _, secret := range []string{sign, key, "auth_info", "secret"} {
		if strings.Contains(fmt.Sprint(fields), secret) {
			t.Errorf("the log shows %q: %v", secret, fields)
		}
	}
}

func TestTokenIsNotLogged(t *testing.T) {
	b := newHarness(t, nil)
	b.send(post("/live/snapshot/the-tokem", snapshotBody))
	if line := fmt.Sprint(b.log.All()[0].ContextMap()); !strings.Contains(line, "token") ||
		strings.Contains(line, "tokem") {
		t.Error(line)
	}
}

// TestUnknownPathsAreLogged: an operator sees the path that there is nothing at, and nobody sees the token, or what
// somebody has made of it.
func TestUnknownPathsAreLogged(t *testing.T) {
	for path, want := range map[string]string{
		"/live/streams?sign=secret":      "/live/streams",
		"/Live/Stream":                   "/Live/Stream",
		"/tenant/live/strm":              "/tenant/live/strm",
		"/live/snapshot/wrong":           "/live/snapshot/***",
		"/live/Snapshots/wrong/x/stream": "/live/Snapshots/***/***/stream",
		"/live/the-tokem":                "/live/***",
		"/xthe-token":                    "/***",
		"/live/THE-TOKEN":                "/live/***",
		"/live/0123456789abcdef0":        "/live/***",
		"/live/a%0Ab%C3%A9":              "/live/a?b?",
		"/live/a%20b~%7F":                "/live/a b~?",
		"/":                              "/",
		"/live/0123456789abcdef":         "/live/0123456789abcdef",
		"/live/xoken":                    "/live/***",
		"/live%2Fstream":                 "/live/stream",
		strings.Repeat("/abc", 32):       strings.Repeat("/abc", 32),
		strings.Repeat("/abc", 100):      strings.Repeat("/abc", 32) + "...",
	} {
		b := newHarness(t, nil)
		if w := b.send(post(path, good())); w.Code != 404 || b.log.Len() != 1 {
			t.Fatalf("%s: %d, %d lines", path, w.Code, b.log.Len())
		}
		if got := b.log.All()[0].ContextMap()["path"]; got != want {
			t.Errorf("%s is shown as %q, want %q", path, got, want)
		}
	}
	b := newHarness(t, nil)
	b.send(httptest.NewRequest("PUT", "/live/snapshot/"+token, nil))
	if got := b.log.All()[0].ContextMap()["path"]; got != "/live/snapshot/***" {
		t.Errorf("another method: %q", got)
	}
	b.send(post("/live/stream", "{"))
	if got, found := b.log.All()[1].ContextMap()["path"]; found {
		t.Errorf("a route has the path %q in its line", got)
	}
}

// A panic is logged with its stack, and with nothing of the callback, whatever its value.
func TestPanicsHideTheBody(t *testing.T) {
	for name, fault := range map[string]func(a *bridge.Arrival){
		"a text":          func(a *bridge.Arrival) { panic("cannot handle " + string(a.Raw)) },
		"an error":        func(a *bridge.Arrival) { panic(fmt.Errorf("cannot handle %s", a.Raw)) },
		"a fault of ours": func(a *bridge.Arrival) { _ = a.Raw[len(a.Raw)+len(a.Event.Data):][0] },
	} {
		b := newHarness(t, nil)
		b.journal.onAppend = func(_ context.Context, a *bridge.Arrival) error { fault(a); return nil }
		if w := b.send(post("/live/stream", good())); w.Code != 503 || strings.Contains(w.Body.String(), "auth_info") {
			t.Errorf("%s: answered %d %s", name, w.Code, w.Body)
		}
		lines := b.log.FilterMessageSnippet("panic").All()
		if len(lines) != 1 {
			t.Fatalf("%s: %d lines", name, len(lines))
		}
		logged := fmt.Sprint(lines[0].ContextMap())
		if !strings.Contains(logged, "TestPanicsHideTheBody") || name == "a fault of ours" &&
			!strings.Contains(logged, "out of range") {
			t.Errorf("%s: the place or the fault is missing: %s", name, logged)
		}
		for _, secret := range []string{"auth_info", "room", signature.Sign(bridge.SchemeHMAC, key, claim())} {
			if strings.Contains(logged, secret) {
				t.Errorf("%s: the log shows %q", name, secret)
			}
		}
	}
}

// A flood of forgeries costs few lines, hides neither what others do nor a fault of ours, and is not held against a
// good callback from the same source.
func TestLogIsBounded(t *testing.T) {
	b := newHarness(t, nil)
	for range 2000 {
		b.send(post("/live/stream", "{"))
	}
	if n := b.log.Len(); n < 5 || n > 20 {
		t.Errorf("%d lines", n)
	}
	if n := b.counted(t, "livebridge_callbacks_refused_total", "400", "stream", "malformed"); n != 2000 {
		t.Errorf("%v counted", n)
	}
	other := post("/live/stream", "{")
	other.RemoteAddr = "198.51.100.7:1"
	b.send(other)
	if last := b.log.All()[b.log.Len()-1].ContextMap(); last["source"] != "198.51.100.7" {
		t.Errorf("the flood hid what another source did: %v", last)
	}
	if w := b.send(post("/live/stream", good())); w.Code != 200 {
		t.Errorf("a good callback from where the flood came from got %d", w.Code)
	}
	b.journal.onAppend = nil
	before := b.log.FilterMessage("callback rejected: internal error").Len()
	b.SetRing(nil) // every verification panics
	b.send(post("/live/stream", good()))
	if b.log.FilterMessage("callback rejected: internal error").Len() != before+1 {
		t.Error("the flood hid a fault")
	}
}
