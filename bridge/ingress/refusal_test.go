package ingress_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// Every row of "What an answer is, in order of the checks", and what goes to the journal with it.
func TestAnswers(t *testing.T) {
	type change = func(*setup)
	with := func(r *http.Request, header, value string) *http.Request { r.Header.Add(header, value); return r }
	chunked := func(r *http.Request) *http.Request { r.ContentLength, r.Body = -1, io.NopCloser(r.Body); return r }
	long := strings.Repeat(" ", 64<<10+1)
	exact := good() + strings.Repeat(" ", 64<<10-len(good()))
	domains := func(s *setup) { s.ring.Domains, s.cfg.DomainsListed = []string{"PUSH.example.com"}, true }
	unsigned := func(s *setup) { s.ring = signature.Config{AcceptUnsigned: true} }
	noKeys := func(s *setup) { s.ring = signature.Config{} }
	md5 := func(s *setup) { s.ring.RecordScheme = bridge.SchemeMD5 }
	legacy := func(s *setup) { s.ring.RecordScheme = bridge.SchemeHMACLegacy }
	unknown := changed(func(c *signature.Claim) { c.Event = "PUBLISHED" })
	elsewhere := changed(func(c *signature.Claim) { c.Domain = "other.example.com" })
	listed := func(s *setup) {
		s.ring.Rules = []signature.Rule{{Kind: bridge.KindStream, Domain: "push.example.com", App: "vod", Keys: []string{key}},
			{Kind: bridge.KindRTCRecord, Domain: "app1", App: "*", Keys: []string{strings.Repeat("f", 32)}}}
	}
	expired := changed(func(c *signature.Claim) { c.Timestamp = "1587953000" })
	const early, late = "1587000000", "1587953999"
	none := bridge.Reason("none") // nothing in the journal
	for _, tt := range []struct {
		name   string
		change change
		r      *http.Request
		status int
		reason string // of the metric; "" for 200
		put    bridge.Reason
	}{
		{"stream", nil, post("/live/stream", good()), 200, "", ""},
		{"stream, chunked", nil, chunked(post("/live/stream", good())), 200, "", ""},
		{"record", nil, post("/live/record", recordBody(bridge.SchemeHMAC)), 200, "", ""},
		{"record md5", md5, post("/live/record", recordBody(bridge.SchemeMD5)), 200, "", ""},
		{"record legacy", legacy, post("/live/record", recordBody(bridge.SchemeHMACLegacy)), 200, "", ""},
		{"record, no downgrade", nil, post("/live/record", recordBody(bridge.SchemeMD5)), 401, "malformed_signature", none},
		{"snapshot", nil, post("/live/snapshot/"+token, snapshotBody), 200, "", ""},
		{"rtc", nil, rtc(rtcBody, late), 200, "", ""},
		{"exactly the limit", nil, post("/live/stream", exact), 200, "", ""},
		{"too large", nil, post("/live/stream", long), 413, "too_large", none},
		{"too large, chunked", nil, chunked(post("/live/stream", long)), 413, "too_large", none},
		{"too large before compressed", nil, with(chunked(post("/live/stream", long)), "Content-Encoding", "gzip"), 413, "too_large", none},
		{"compressed", nil, with(post("/live/stream", good()), "Content-Encoding", "gzip"), 415, "compressed", none},
		{"compressed twice", nil, with(with(post("/live/stream", good()), "Content-Encoding", "identity"), "Content-Encoding", "br"),
			415, "compressed", none},
		{"compressed before unreadable", nil, with(post("/live/stream", "{"), "Content-Encoding", "gzip"), 415, "compressed", none},
		{"compressed before rtc signature", nil, with(post("/rtc/record", "{"), "Content-Encoding", "gzip"), 415, "compressed", none},
		{"identity", nil, with(post("/live/stream", good()), "Content-Encoding", "Identity"), 200, "", ""},
		{"a charset for a coding", nil, with(post("/live/stream", good()), "Content-Encoding", "UTF-8"), 200, "", ""},
		{"a charset and a coding", nil, with(post("/live/stream", good()), "Content-Encoding", "utf-8, ZSTD"), 415, "compressed", none},
		{"a list of codings", nil, with(post("/live/stream", good()), "Content-Encoding", "identity,deflate"), 415, "compressed", none},
		{"an old name of a coding", nil, with(post("/live/stream", good()), "Content-Encoding", " x-gzip "), 415, "compressed", none},
		{"byte order mark", nil, post("/live/stream", bom+good()), 200, "", ""},
		{"byte order mark, record", nil, post("/live/record", bom+recordBody(bridge.SchemeHMAC)), 200, "", ""},
		{"byte order mark, snapshot", nil, post("/live/snapshot/"+token, bom+snapshotBody), 200, "", ""},
		{"byte order mark, signed with it", nil, rtc(bom+rtcBody, late), 200, "", ""},
		{"byte order mark, signed without it", nil, func() *http.Request {
			r := rtc(rtcBody, late)
			r.Body = io.NopCloser(strings.NewReader(bom + rtcBody))
			return r
		}(), 401, "mismatch", none},
		{"two byte order marks", nil, post("/live/stream", bom+bom+good()), 400, "malformed", none},
		{"byte order mark alone", nil, post("/live/stream", bom), 400, "malformed", none},
		{"content type is not looked at", nil, with(post("/live/stream", good()), "Content-Type", "text/html"), 200, "", ""},
		{"rtc signature before the body", nil, post("/rtc/record", "{"), 401, "no_signature", none},
		{"rtc other body", nil, func() *http.Request {
			r := rtc(rtcBody, late)
			r.Body = io.NopCloser(strings.NewReader(rtcBody + " "))
			return r
		}(), 401, "mismatch", none},
		{"rtc malformed", nil, rtc("{", late), 200, "", bridge.ReasonMalformed},
		{"rtc lacks a member", nil, rtc(`{"event_type":"X"}`, late), 200, "", bridge.ReasonMalformed},
		{"rtc malformed and old", nil, rtc("{", early), 401, "expired", bridge.ReasonExpired},
		{"rtc malformed and unsigned", unsigned, post("/rtc/record", "{"), 400, "malformed", none},
		{"rtc old", nil, rtc(rtcBody, early), 401, "expired", bridge.ReasonExpired},
		{"rtc odd", nil, rtc(rtcBody, "15879539999"), 401, "odd_timestamp", bridge.ReasonExpired},
		{"rtc unknown word", nil, rtc(strings.Replace(rtcBody, "RECORD_", "NO_", 1), late), 200, "", ""},
		{"rtc, another app's key", listed, rtc(rtcBody, late), 401, "mismatch", none},
		{"rtc, an app without a rule", listed, rtc(strings.Replace(rtcBody, "app1", "app2", 1), late), 200, "", ""},
		{"rtc malformed, whoever's key", listed, rtc("{", late), 200, "", bridge.ReasonMalformed},
		{"app not listed", listed, post("/live/stream", good()), 403, "app", none},
		{"app not listed before unsigned", listed, post("/live/stream", strings.Replace(good(), "auth_sign", "x", 1)), 403, "app", none},
		{"app listed", listed, post("/live/stream", changed(func(c *signature.Claim) { c.App = "vod" })), 200, "", ""},
		{"empty", nil, post("/live/stream", ""), 400, "malformed", none},
		{"not JSON", nil, post("/live/stream", "{"), 400, "malformed", none},
		{"twice", nil, post("/live/stream", `{"app":"a","app":"b"}`), 400, "malformed", none},
		{"unreadable before unsigned", nil, post("/live/stream", `{"domain":"push.example.com"}`), 400, "malformed", none},
		{"no key", noKeys, post("/live/stream", good()), 401, "no_key", none},
		{"no signature", nil, post("/live/stream", strings.Replace(good(), "auth_sign", "Auth_Sign", 1)), 401, "no_signature", none},
		{"not hex", nil, post("/live/stream", strings.Replace(good(), `"auth_sign":"`, `"auth_sign":"z`, 1)), 401, "malformed_signature", none},
		{"11 digits", nil, post("/live/stream", changed(func(c *signature.Claim) { c.Timestamp = "11587954140" })),
			401, "malformed_timestamp", none},
		{"mismatch", nil, post("/live/stream", strings.Replace(good(), `"room"`, `"hall"`, 1)), 401, "mismatch", none},
		{"mismatch before domain", domains, post("/live/stream", strings.Replace(good(), "push.", "x.", 1)), 401, "mismatch", none},
		{"domain", domains, post("/live/stream", elsewhere), 403, "domain", none},
		{"domain before expiry", domains, post("/live/stream", changed(func(c *signature.Claim) {
			c.Domain, c.Timestamp = "other.example.com", "1587000000"
		})), 403, "domain", none},
		{"domain, other case", domains, post("/live/stream", changed(func(c *signature.Claim) { c.Domain = "Push.Example.COM" })), 200, "", ""},
		{"no host name", nil, post("/live/stream", changed(func(c *signature.Claim) { c.Domain = "_DONEpush.a" })), 403, "no_host_name", none},
		{"snapshot, domain", domains, post("/live/snapshot/"+token, strings.Replace(snapshotBody, "push.", "x.", 1)), 403, "domain", none},
		{"expired", nil, post("/live/stream", expired), 401, "expired", bridge.ReasonExpired},
		{"too far ahead", nil, post("/live/stream", changed(func(c *signature.Claim) { c.Timestamp = "1587990000" })),
			401, "too_far_ahead", bridge.ReasonExpired},
		{"unknown word", nil, post("/live/stream", unknown), 200, "", bridge.ReasonUnknownEvent},
		{"unknown word, domains listed", domains, post("/live/stream", unknown), 200, "", ""},
		{"unsigned", unsigned, post("/live/stream", good()), 200, "", ""},
		{"unsigned rtc", unsigned, post("/rtc/record", rtcBody), 200, "", ""},
		{"snapshot without a key", noKeys, post("/live/snapshot/"+token, snapshotBody), 200, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newHarness(t, tt.change)
			judged := judge(t, b, tt.r)
			w := b.send(tt.r)
			a := parse(t, w)
			if w.Code != tt.status || (a.Status == 1) != (tt.status == 200) {
				t.Fatalf("%d %s, want %d", w.Code, w.Body, tt.status)
			}
			if tt.status == 200 && w.Body.String() != `{"status":1,"result":"success"}` {
				t.Errorf("%s", w.Body)
			}
			kind := map[string]string{"/live/s": "stream", "/live/r": "record", "/rtc/re": "rtc-record"}[tt.r.URL.Path[:7]]
			if strings.Contains(tt.r.URL.Path, "snapshot") {
				kind = "snapshot"
			}
			if tt.reason != "" && b.counted(t, "livebridge_callbacks_refused_total", fmt.Sprint(tt.status), kind, tt.reason) != 1 {
				t.Errorf("not counted as refused, %s, %s: %s", kind, tt.reason, w.Body)
			}
			if tt.reason == "" && b.counted(t, "livebridge_callbacks_accepted_total", kind) != 1 {
				t.Error("not counted as accepted")
			}
			if b.counted(t, "livebridge_callback_duration_seconds", kind) != 1 {
				t.Error("its time was not taken")
			}
			checkPut(t, b, tt.put)
			checkJudged(t, b, judged, tt.status, tt.reason)
		})
	}
}

// checkPut looks at what went to the journal: nothing for the reason "none", else one arrival with the reason.
func checkPut(t *testing.T, b *harness, want bridge.Reason) {
	t.Helper()
	if want == "none" {
		if n := b.journal.count(); n != 0 {
			t.Errorf("%d in the journal", n)
		}
		return
	}
	if n := b.journal.count(); n != 1 || b.journal.arrivals[0].Reason != want {
		t.Errorf("%d in the journal: %+v", n, b.journal.arrivals)
	}
}

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
	if spark.Event.Scheme != bridge.SchemeRTC || spark.Signature != (bridge.Signature{Sum: spark.Signature.Sum, Key: signature.KeyID(key)}) || spark.Signature.Sum == [16]byte{} || b.journal.raws[1] != rtcBody {
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
	write(t, c, fmt.Sprintf("POST /live/stream/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(good())))
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
