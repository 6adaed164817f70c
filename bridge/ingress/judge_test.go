package ingress_test

import (
	"bytes"
	"io"
	"net/http"
	"path"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/ingress"
)

// judge has a request judged without a server. The request can still be sent.
func judge(t *testing.T, b *harness, r *http.Request) ingress.Verdict {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	kind, found := map[string]bridge.Kind{"/live/stream": bridge.KindStream, "/live/record": bridge.KindRecord,
		"/live/snapshot": bridge.KindSnapshot, "/rtc/record": bridge.KindRTCRecord}[strings.TrimSuffix(r.URL.Path, "/"+token)]
	if !found {
		t.Fatalf("no kind has the path %s", r.URL.Path)
	}
	return b.rules.Judge(ingress.Request{Method: r.Method, Kind: kind, Token: path.Base(r.URL.Path), Header: r.Header,
		Body: body}, b.ring, clock())
}

// checkJudged compares a verdict with what the server did with the same request.
func checkJudged(t *testing.T, b *harness, v ingress.Verdict, status int, reason string) {
	t.Helper()
	if got := v.Refusal; (got == nil) != (status == 200) || got != nil && (got.Status != status || got.Reason != reason) {
		t.Errorf("judged %+v, not %d %s", got, status, reason)
	}
	if stored := v.Arrival != nil; stored != (b.journal.count() == 1) {
		t.Fatalf("judged as stored: %t, and %d are in the journal", stored, b.journal.count())
	} else if !stored {
		return
	}
	if got, want := *v.Arrival, b.journal.arrivals[0]; string(got.Raw) != b.journal.raws[0] || got.Reason != want.Reason ||
		!reflect.DeepEqual(got.Event, want.Event) || !reflect.DeepEqual(got.Identity, want.Identity) ||
		got.Signature != want.Signature || got.EventName != want.EventName {
		t.Errorf("judged %+v, and %+v is in the journal", got, want)
	}
}

// TestJudge covers what the server's routes and reads see to before a request is judged, and ignored streams.
func TestJudge(t *testing.T) {
	b := newHarness(t, func(s *setup) { s.cfg.IgnoreStreams, s.cfg.MaxBody = regexp.MustCompile("^ro+m$"), 1000 })
	without := b.rules
	without.SnapshotToken = ""
	live := ingress.Request{Method: http.MethodPost, Kind: bridge.KindStream, Body: []byte(good())}
	snapshot := ingress.Request{Method: http.MethodPost, Kind: bridge.KindSnapshot, Token: token,
		Body: []byte(strings.ReplaceAll(snapshotBody, "room", "hall"))}
	other, get, put, large := snapshot, live, live, live
	other.Token, get.Method, put.Method = token+"x", http.MethodGet, http.MethodPut
	large.Body = bytes.Repeat([]byte(" "), 1001)
	for name, tt := range map[string]struct {
		rules           ingress.Rules
		request         ingress.Request
		reason          string // of the refusal; "": none
		stored, ignored bool
	}{
		"ignored stream": {b.rules, live, "", false, true}, "snapshot": {b.rules, snapshot, "", true, false},
		"other token": {b.rules, other, "token", false, false}, "no route": {without, snapshot, "not_found", false, false},
		"get": {b.rules, get, "method", false, false}, "put": {b.rules, put, "method", false, false},
		"large": {b.rules, large, "too_large", false, false},
	} {
		v := tt.rules.Judge(tt.request, b.ring, clock())
		reason := ""
		if v.Refusal != nil {
			reason = v.Refusal.Reason
		}
		if reason != tt.reason || (v.Arrival != nil) != tt.stored || v.Ignored != tt.ignored {
			t.Errorf("%s: %+v %+v", name, v, v.Refusal)
		}
	}
}
