package simulator

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// service answers as livebridge would and keeps the bodies.
func service(t *testing.T) (url string, bodies func() []string) {
	var mu sync.Mutex
	var got []string
	ring, err := signature.NewRing(signature.Config{Stream: []string{key}, Record: []string{key}, RTC: []string{key},
		RecordScheme: bridge.SchemeHMAC, MaxAhead: time.Hour, RTCMaxAge: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		got = append(got, string(body))
		mu.Unlock()
		w.WriteHeader(verify(t, ring, r, body))
	}))
	t.Cleanup(s.Close)
	return s.URL, func() []string { mu.Lock(); defer mu.Unlock(); return slices.Clone(got) }
}

// verify returns the status that a callback is answered with.
func verify(t *testing.T, ring *signature.Ring, r *http.Request, body []byte) int {
	m := map[string]json.RawMessage{}
	if err := json.Unmarshal(body, &m); err != nil {
		t.Errorf("%s: %v", body, err)
	}
	text := func(name string) string { return strings.Trim(string(m[name]), `"`) }
	claim := signature.Claim{Kind: bridge.KindStream, Event: text("event"), Domain: text("domain"), App: text("app"),
		Stream: text("stream"), Timestamp: text("auth_timestamp"), Sign: text("auth_sign")}
	var err error
	switch r.URL.Path {
	case "/live/record":
		claim.Kind, claim.Event, claim.Domain, claim.DownloadURL = bridge.KindRecord, text("event_type"), text(
			"publish_domain"), text("download_url")
		_, _, err = ring.Verify(claim, time.Now())
	case "/rtc/record":
		_, _, err = ring.VerifyRTC(signature.RTCClaim{Rand: r.Header.Get("X-Rtc-Rand"),
			Timestamp: r.Header.Get("X-Rtc-Timestamp"),
			Sign:      r.Header.Get("X-Rtc-Signature"), Body: body}, time.Now())
	case "/live/stream":
		_, _, err = ring.Verify(claim, time.Now())
	case "/live/snapshot/token":
	default:
		return http.StatusNotFound
	}
	if err != nil {
		return http.StatusUnauthorized
	}
	return http.StatusOK
}

// TestForms: numbers come as numbers and as strings, and what is no number of stream status with a stray comma.
func TestForms(t *testing.T) {
	keys := config().Keys
	for _, kind := range bridge.Kinds() {
		forms := map[string]bool{}
		for numbers := range 3 {
			c := Callback{Kind: kind, Stream: "room1", Event: "RECORD_FILE_COMPLETE", Numbers: numbers}
			r, err := outgoing{&c, &keys, time.Unix(1_700_000_000, 0), 1_600_000_000}.request()
			if err != nil {
				t.Fatal(err)
			}
			m := map[string]json.RawMessage{}
			if err := json.Unmarshal(r.body, &m); err != nil {
				t.Fatal(err)
			}
			forms[fmt.Sprintf("%s %s %s", m["width"], m["auth_timestamp"], m["publish_timestamp"])] = true
		}
		if want := map[bridge.Kind]int{bridge.KindStream: 3, bridge.KindRecord: 3, bridge.KindSnapshot: 2,
			bridge.KindRTCRecord: 2}[kind]; len(forms) != want {
			t.Errorf("%s: the forms are %v", kind, forms)
		}
	}
}

// TestNoSignatureTwice: a signature of two different occurrences would be tampering, so no two of one stream and event
// end at the same second, whatever the seed and however long.
func TestNoSignatureTwice(t *testing.T) {
	c := config(bridge.KindStream)
	c.Streams, c.Repeat = 2, 0.5
	last := map[string]int64{}
	for _, cb := range planned(c, 20_000) {
		if cb.Forged || cb.Again > 0 && !cb.Resign {
			continue
		}
		name := cb.Stream + cb.Event
		if at, seen := last[name]; seen && cb.Offset <= at {
			t.Fatalf("%+v ends no later than %d", cb, at)
		}
		last[name] = cb.Offset
		if cb.Offset > maxOffset+100 {
			t.Fatalf("%+v ends too far ahead", cb)
		}
	}
	if len(last) < 10 {
		t.Errorf("only %d streams and words: none took another's place", len(last))
	}
}

// TestScenarios: what belongs together comes in the provider's order where there is no disorder.
func TestScenarios(t *testing.T) {
	want := map[bridge.Kind]string{
		bridge.KindStream:    "PUBLISH PUBLISH_DONE",
		bridge.KindRecord:    "RECORD_START RECORD_NEW_FILE_START RECORD_FILE_COMPLETE RECORD_OVER",
		bridge.KindSnapshot:  "",
		bridge.KindRTCRecord: "RECORD_NEW_FILE_START RECORD_FILE_COMPLETE CLOUD_RECORD_SERVER_OVER",
	}
	c := config()
	c.Streams, c.Disorder, c.Forged, c.Repeat, c.Twins = 1, 0, 0, 0, 0
	scenarios := map[string][]string{}
	for _, cb := range planned(c, 2000) {
		at := fmt.Sprint(cb.Kind, " ", cb.Session)
		scenarios[at] = append(scenarios[at], cb.Event)
	}
	failed := 0
	for at, events := range scenarios {
		for kind, all := range want {
			switch got := strings.Join(events, " "); {
			case !strings.HasPrefix(at, kind.String()+" ") || strings.HasPrefix(all, got):
			case got == "RECORD_START RECORD_FAILED":
				failed++
			default:
				t.Errorf("%s: %s", at, got)
			}
		}
	}
	if len(scenarios) < 500 || failed == 0 {
		t.Errorf("%d scenes, %d recordings failed", len(scenarios), failed)
	}
}

// TestEndAmidAnswers: every callback that has reached the service is reported, even if the end comes before its
// response.
func TestEndAmidAnswers(t *testing.T) {
	var received atomic.Int64
	ctx, end := context.WithCancel(t.Context())
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if received.Add(1) == 50 {
			end()
		}
		<-ctx.Done()
		w.WriteHeader(http.StatusOK)
	}))
	defer s.Close()
	c := config()
	c.URL, c.Rate, c.Duration, c.Forged, c.Connections = s.URL, 0, 0, 0, 50
	r, err := Run(ctx, c)
	if err != nil || int64(r.Sent) != received.Load() || r.Status[200] != r.Sent {
		t.Errorf("%d received; %v, %v", received.Load(), r, err)
	}
}
