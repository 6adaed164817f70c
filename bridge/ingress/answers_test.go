package ingress_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// answerCase is a request and what becomes of it.
type answerCase struct {
	name   string
	change func(*setup)
	r      *http.Request
	status int
	reason string // of the metric; "" for 200
	put    bridge.Reason
}

// none means that nothing goes to the journal.
const none = bridge.Reason("none")

func headed(r *http.Request, header, value string) *http.Request {
	r.Header.Add(header, value)
	return r
}

func chunked(r *http.Request) *http.Request {
	r.ContentLength, r.Body = -1, io.NopCloser(r.Body)
	return r
}

// bodied replaces the body of a request that is signed already.
func bodied(r *http.Request, body string) *http.Request {
	r.Body = io.NopCloser(strings.NewReader(body))
	return r
}

func domains(s *setup)  { s.ring.Domains, s.cfg.DomainsListed = []string{"PUSH.example.com"}, true }
func unsigned(s *setup) { s.ring = signature.Config{AcceptUnsigned: true} }
func noKeys(s *setup)   { s.ring = signature.Config{} }
func md5(s *setup)      { s.ring.RecordScheme = bridge.SchemeMD5 }
func legacy(s *setup)   { s.ring.RecordScheme = bridge.SchemeHMACLegacy }

func listed(s *setup) {
	s.ring.Rules = []signature.Rule{
		{Kind: bridge.KindStream, Domain: "push.example.com", App: "vod", Keys: []string{key}},
		{Kind: bridge.KindRTCRecord, Domain: "app1", App: "*", Keys: []string{strings.Repeat("f", 32)}},
	}
}

// answersToBodies are those for what can be seen of a body before its signature.
func answersToBodies() []answerCase {
	long := strings.Repeat(" ", 64<<10+1)
	exact := good() + strings.Repeat(" ", 64<<10-len(good()))
	return []answerCase{
		{"stream, chunked", nil, chunked(post("/live/stream", good())), 200, "", ""},
		{"exactly the limit", nil, post("/live/stream", exact), 200, "", ""},
		{"too large", nil, post("/live/stream", long), 413, "too_large", none},
		{"too large, chunked", nil, chunked(post("/live/stream", long)), 413, "too_large", none},
		{"too large before compressed", nil, headed(chunked(post("/live/stream", long)), "Content-Encoding", "gzip"), 413,
			"too_large", none},
		{"compressed", nil, headed(post("/live/stream", good()), "Content-Encoding", "gzip"), 415, "compressed", none},
		{"compressed twice", nil, headed(headed(post("/live/stream", good()), "Content-Encoding", "identity"),
			"Content-Encoding",
			"br"),
			415, "compressed", none},
		{"compressed before unreadable", nil, headed(post("/live/stream", "{"), "Content-Encoding", "gzip"), 415,
			"compressed",
			none},
		{"identity", nil, headed(post("/live/stream", good()), "Content-Encoding", "Identity"), 200, "", ""},
		{"a charset for a coding", nil, headed(post("/live/stream", good()), "Content-Encoding", "UTF-8"), 200, "", ""},
		{"a charset and a coding", nil, headed(post("/live/stream", good()), "Content-Encoding", "utf-8, ZSTD"), 415,
			"compressed", none},
		{"a list of codings", nil, headed(post("/live/stream", good()), "Content-Encoding", "identity,deflate"), 415,
			"compressed", none},
		{"an old name of a coding", nil, headed(post("/live/stream", good()), "Content-Encoding", " x-gzip "), 415,
			"compressed", none},
		{"byte order mark", nil, post("/live/stream", bom+good()), 200, "", ""},
		{"byte order mark, record", nil, post("/live/record", bom+recordBody(bridge.SchemeHMAC)), 200, "", ""},
		{"byte order mark, snapshot", nil, post("/live/snapshot/"+token, bom+snapshotBody), 200, "", ""},
		{"two byte order marks", nil, post("/live/stream", bom+bom+good()), 400, "malformed", none},
		{"byte order mark alone", nil, post("/live/stream", bom), 400, "malformed", none},
		{"content type is not looked at", nil, headed(post("/live/stream", good()), "Content-Type", "text/html"), 200, "",
			""},
		{"empty", nil, post("/live/stream", ""), 400, "malformed", none},
		{"not JSON", nil, post("/live/stream", "{"), 400, "malformed", none},
		{"twice", nil, post("/live/stream", `{"app":"a","app":"b"}`), 400, "malformed", none},
		{"unreadable before unsigned", nil, post("/live/stream", `{"domain":"push.example.com"}`), 400, "malformed", none},
	}
}

// answersToRTC are those to SparkRTC, whose signature comes first.
func answersToRTC() []answerCase {
	const early, late = "1587000000", "1587953999"
	return []answerCase{
		{"rtc", nil, rtc(rtcBody, late), 200, "", ""},
		{"compressed before rtc signature", nil, headed(post("/rtc/record", "{"), "Content-Encoding", "gzip"), 415,
			"compressed", none},
		{"byte order mark, signed with it", nil, rtc(bom+rtcBody, late), 200, "", ""},
		{"byte order mark, signed without it", nil, bodied(rtc(rtcBody, late), bom+rtcBody), 401, "mismatch", none},
		{"rtc signature before the body", nil, post("/rtc/record", "{"), 401, "no_signature", none},
		{"rtc other body", nil, bodied(rtc(rtcBody, late), rtcBody+" "), 401, "mismatch", none},
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
		{"unsigned rtc", unsigned, post("/rtc/record", rtcBody), 200, "", ""},
	}
}

// answersToLive are those for the signature and the content of the other kinds.
func answersToLive() []answerCase {
	unknown := changed(func(c *signature.Claim) { c.Event = "PUBLISHED" })
	elsewhere := changed(func(c *signature.Claim) { c.Domain = "other.example.com" })
	expired := changed(func(c *signature.Claim) { c.Timestamp = "1587953000" })
	return []answerCase{
		{"stream", nil, post("/live/stream", good()), 200, "", ""},
		{"record", nil, post("/live/record", recordBody(bridge.SchemeHMAC)), 200, "", ""},
		{"record md5", md5, post("/live/record", recordBody(bridge.SchemeMD5)), 200, "", ""},
		{"record legacy", legacy, post("/live/record", recordBody(bridge.SchemeHMACLegacy)), 200, "", ""},
		{"record, no downgrade", nil, post("/live/record", recordBody(bridge.SchemeMD5)), 401, "malformed_signature", none},
		{"snapshot", nil, post("/live/snapshot/"+token, snapshotBody), 200, "", ""},
		{"app not listed", listed, post("/live/stream", good()), 403, "app", none},
		{"app not listed before unsigned", listed, post("/live/stream", strings.Replace(good(), "auth_sign", "x", 1)), 403,
			"app", none},
		{"app listed", listed, post("/live/stream", changed(func(c *signature.Claim) { c.App = "vod" })), 200, "", ""},
		{"no key", noKeys, post("/live/stream", good()), 401, "no_key", none},
		{"no signature", nil, post("/live/stream", strings.Replace(good(), "auth_sign", "Auth_Sign", 1)), 401, "no_signature",
			none},
		{"not hex", nil, post("/live/stream", strings.Replace(good(), `"auth_sign":"`, `"auth_sign":"z`, 1)), 401,
			"malformed_signature", none},
		{"11 digits", nil, post("/live/stream", changed(func(c *signature.Claim) { c.Timestamp = "11587954140" })),
			401, "malformed_timestamp", none},
		{"mismatch", nil, post("/live/stream", strings.Replace(good(), `"room"`, `"hall"`, 1)), 401, "mismatch", none},
		{"mismatch before domain", domains, post("/live/stream", strings.Replace(good(), "push.", "x.", 1)), 401, "mismatch",
			none},
		{"domain", domains, post("/live/stream", elsewhere), 403, "domain", none},
		{"domain before expiry", domains, post("/live/stream", changed(func(c *signature.Claim) {
			c.Domain, c.Timestamp = "other.example.com", "1587000000"
		})), 403, "domain", none},
		{"domain, other case", domains, post("/live/stream",
			changed(func(c *signature.Claim) { c.Domain = "Push.Example.COM" })), 200, "", ""},
		{"no host name", nil, post("/live/stream", changed(func(c *signature.Claim) { c.Domain = "_DONEpush.a" })), 403,
			"no_host_name", none},
		{"snapshot, domain", domains, post("/live/snapshot/"+token, strings.Replace(snapshotBody, "push.", "x.", 1)), 403,
			"domain", none},
		{"expired", nil, post("/live/stream", expired), 401, "expired", bridge.ReasonExpired},
		{"too far ahead", nil, post("/live/stream", changed(func(c *signature.Claim) { c.Timestamp = "1587990000" })),
			401, "too_far_ahead", bridge.ReasonExpired},
		{"unknown word", nil, post("/live/stream", unknown), 200, "", bridge.ReasonUnknownEvent},
		{"unknown word, domains listed", domains, post("/live/stream", unknown), 200, "", ""},
		{"unsigned", unsigned, post("/live/stream", good()), 200, "", ""},
		{"snapshot without a key", noKeys, post("/live/snapshot/"+token, snapshotBody), 200, "", ""},
	}
}

// TestAnswers covers every check in the order of the package comment, and what goes to the journal with it.
func TestAnswers(t *testing.T) {
	for _, tt := range slices.Concat(answersToBodies(), answersToRTC(), answersToLive()) {
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
			if tt.reason != "" && b.counted(t, "livebridge_callbacks_refused_total", fmt.Sprint(tt.status), kind,
				tt.reason) != 1 {
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
