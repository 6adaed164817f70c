package ingress_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

func TestArrival(t *testing.T) {
	b := newHarness(t, nil)
	b.send(post("/live/stream", good()))
	b.send(rtc(rtcBody, "1587953999"))
	b.send(post("/live/snapshot/"+token, snapshotBody))
	if b.journal.count() != 3 {
		t.Fatalf("%d arrivals", b.journal.count())
	}
	stream, spark, snapshot := b.journal.arrivals[0], b.journal.arrivals[1], b.journal.arrivals[2]
	if stream.Event.Scheme != bridge.SchemeHMAC || !stream.Signature.Strict || stream.Signature.Expires == 0 ||
		stream.Signature.Key != signature.KeyID(key) || stream.EventName != "PUBLISH" ||
		stream.Event.Lane.String() != "stream:push.example.com/live/room" || b.journal.raws[0] != good() {
		t.Errorf("stream: %+v", stream)
	}
	if strings.Contains(string(stream.Event.Data), "secret") {
		t.Errorf("the policy was not asked: %s", stream.Event.Data)
	}
	signed := bridge.Signature{Sum: spark.Signature.Sum, Key: signature.KeyID(key)}
	if spark.Event.Scheme != bridge.SchemeRTC || spark.Signature != signed || signed.Sum == [16]byte{} ||
		b.journal.raws[1] != rtcBody {
		t.Errorf("rtc: %+v", spark)
	}
	if snapshot.Event.Scheme != bridge.SchemeNone || snapshot.Event.Lane.Kind != bridge.KindSnapshot {
		t.Errorf("snapshot: %+v", snapshot)
	}
}

const bom = "\xef\xbb\xbf"

// TestRawBodyIsKept: what is ignored before a body stays in what the journal is given.
func TestRawBodyIsKept(t *testing.T) {
	b := newHarness(t, nil)
	body := bom + changed(func(c *signature.Claim) { c.Timestamp = "1587953000" })
	if w := b.send(post("/live/stream", body)); w.Code != 401 || b.journal.count() != 1 || b.journal.raws[0] != body {
		t.Errorf("%d %s: %q", w.Code, w.Body, b.journal.raws)
	}
}

// TestExpectContinue: a client that waits to be asked for the body is asked.
func TestExpectContinue(t *testing.T) {
	b := newHarness(t, nil)
	c, r := dial(t, b.listen(t))
	write(t, c, fmt.Sprintf("POST /live/stream/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n"+
		"\r\n", len(good())))
	if line, err := r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := r.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	write(t, c, good())
	if got := status(t, r); got != 200 {
		t.Errorf("%d", got)
	}
}

func TestRoutes(t *testing.T) {
	for _, tt := range []struct {
		prefix, token, method, path string
		status                      int
	}{
		{"", token, "POST", "/", 404},
		{"", token, "POST", "/live", 404},
		{"", token, "POST", "/live/stream/", 400},
		{"", token, "POST", "//live//stream", 400},
		{"", token, "POST", "/live/stream///", 400},
		{"", token, "POST", "/live/stream/?a=b", 400},
		{"", token, "POST", "http://callbacks.example.com/live/stream", 400},
		{"", token, "POST", "http://callbacks.example.com//live/stream/", 400},
		{"", token, "POST", "/live%2Fstream", 404},
		{"", token, "POST", "/live/%2Fstream", 404},
		{"", token, "POST", "/live/stream%2F", 404},
		{"", token, "POST", "/live/./stream", 404},
		{"", token, "POST", "/rtc/record/", 401},
		{"", token, "POST", "//live/snapshot//the-token/", 400},
		{"", token, "PUT", "/live/stream/", 405},
		{"/tenant", token, "POST", "//tenant//live/stream/", 400},
		{"", token, "POST", "/live/streams", 404},
		{"", token, "POST", "/live/snapshot", 404},
		{"", token, "POST", "/live/snapshot/", 404},
		{"", token, "POST", "/live/snapshot/the-tokeN", 404},
		{"", token, "POST", "/live/snapshot/the-token/x", 404},
		{"", token, "POST", "/live/snapshot/the-token", 400},
		{"", "", "POST", "/live/snapshot/", 404},
		{"", "", "POST", "/live/snapshot/the-token", 404},
		{"", token, "PUT", "/live/record", 405},
		{"", token, "PATCH", "/rtc/record", 405},
		{"", token, "GET", "/live/record", 405}, // with a body
		{"", token, "GET", "/live/snapshot/wrong", 404},
		{"", token, "DELETE", "/live/snapshot/wrong", 405},
		{"", token, "POST", "/live/record", 400},
		{"", token, "POST", "/rtc/record", 401},
		{"/tenant", token, "POST", "/tenant/live/stream", 400},
		{"/tenant", token, "POST", "/live/stream", 404},
		{"tenant/a/", token, "POST", "/tenant/a/live/snapshot/the-token", 400},
		{"/", token, "POST", "/live/stream", 400},
	} {
		b := newHarness(t, func(s *setup) { s.cfg.PathPrefix, s.cfg.SnapshotToken = tt.prefix, tt.token })
		r := post(tt.path, "{")
		r.Method = tt.method
		w := b.send(r)
		if a := parse(t, w); w.Code != tt.status || a.Status != 0 || a.Result == "" || a.Message == "" {
			t.Errorf("%+v: %d %s", tt, w.Code, w.Body)
		}
		if tt.status == 405 && !strings.Contains(w.Header().Get("Allow"), "POST") {
			t.Errorf("%+v: Allow %q", tt, w.Header().Get("Allow"))
		}
	}
}

func TestJournalErrors(t *testing.T) {
	for reason, err := range map[string]error{
		"full":     fmt.Errorf("/secret/path: %w", bridge.ErrFull),
		"stopping": bridge.ErrStopping,
		"failed":   fmt.Errorf("/secret/path: %w", bridge.ErrFailed),
	} {
		for _, body := range []string{good(), changed(func(c *signature.Claim) { c.Timestamp = "1587953000" })} {
			b := newHarness(t, nil)
			b.journal.onAppend = func(context.Context, *bridge.Arrival) error { return err }
			w := b.send(post("/live/stream", body))
			if a := parse(t, w); w.Code != 503 || a.Result != "unavailable" || w.Header().Get("Retry-After") != "5" {
				t.Errorf("%s: %d %s %v", reason, w.Code, w.Body, w.Header())
			}
			if strings.Contains(w.Body.String(), "secret") {
				t.Errorf("the answer tells of the disk: %s", w.Body)
			}
			if b.counted(t, "livebridge_callbacks_lost_total", "stream", reason) != 1 {
				t.Errorf("%s: not counted as lost", reason)
			}
			if n := b.total(t, "livebridge_callbacks_refused_total"); n != 0 {
				t.Errorf("%s: %v counted as refused", reason, n)
			}
		}
	}
}

func TestIgnoreStreams(t *testing.T) {
	named := func(name string) string { return changed(func(c *signature.Claim) { c.Stream = name }) }
	b := newHarness(t, func(s *setup) { s.cfg.IgnoreStreams = regexp.MustCompile(`_[a-z0-9]+$`) })
	if w := b.send(post("/live/stream", named("room_lld"))); w.Code != 200 || b.journal.count() != 0 {
		t.Errorf("%d, %d in the journal", w.Code, b.journal.count())
	}
	forged := strings.Replace(named("room_lld"), `"live"`, `"dead"`, 1)
	if w := b.send(post("/live/stream", forged)); w.Code != 401 {
		t.Errorf("a forgery was answered %d", w.Code)
	}
	if w := b.send(post("/live/stream", named("room"))); w.Code != 200 || b.journal.count() != 1 {
		t.Errorf("%d, %d in the journal", w.Code, b.journal.count())
	}
	if n := b.counted(t, "livebridge_callbacks_ignored_total", "stream"); n != 1 {
		t.Errorf("%v counted as ignored", n)
	}
	if n := b.counted(t, "livebridge_callbacks_accepted_total", "stream"); n != 1 {
		t.Errorf("%v counted as accepted", n)
	}
}
