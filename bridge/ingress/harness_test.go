package ingress_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
	"livebridge/bridge/ingress"
	"livebridge/bridge/signature"
)

const (
	key   = "0123456789abcdef0123456789abcdef"
	token = "the-token"
	stamp = "1587954140"
)

// clock is the instant at which every test's signatures are verified: that of their expiry.
func clock() time.Time { return time.Unix(1587954140, 0) }

// memoryJournal is a journal that remembers what it was given. entered, when it is set, runs inside Append.
type memoryJournal struct {
	mu       sync.Mutex
	arrivals []bridge.Arrival
	raws     []string
	onAppend func(context.Context, *bridge.Arrival) error
}

func (m *memoryJournal) Append(ctx context.Context, a *bridge.Arrival) error {
	m.mu.Lock()
	m.arrivals = append(m.arrivals, *a)
	m.raws = append(m.raws, string(a.Raw))
	m.mu.Unlock()
	if m.onAppend != nil {
		return m.onAppend(ctx, a)
	}
	return nil
}

func (m *memoryJournal) count() int { m.mu.Lock(); defer m.mu.Unlock(); return len(m.arrivals) }

// harness is a server with all that a test looks at. (Not a benchmark.)
type harness struct {
	*ingress.Server
	journal  *memoryJournal
	log      *observer.ObservedLogs
	registry *prometheus.Registry
	rules    ingress.Rules
	ring     *signature.Ring
}

type setup struct {
	cfg  ingress.Config
	ring signature.Config
}

func newHarness(t testing.TB, change func(*setup)) *harness {
	t.Helper()
	s := setup{ingress.DefaultConfig(), signature.Config{Stream: []string{key}, Record: []string{key}, RTC: []string{key},
		Skew: 300 * time.Second, MaxAhead: time.Hour, RTCMaxAge: 24 * time.Hour}}
	s.cfg.Now, s.cfg.SnapshotToken = clock, token
	if change != nil {
		change(&s)
	}
	ring, err := signature.NewRing(s.ring)
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zapcore.DebugLevel)
	b := &harness{journal: &memoryJournal{}, log: logs, registry: prometheus.NewRegistry(), rules: s.cfg.Rules,
		ring: ring}
	if b.Server, err = ingress.New(s.cfg, ring, b.journal, zap.New(core), b.registry); err != nil {
		t.Fatal(err)
	}
	return b
}

// counted returns a counter's value, by name and label values in the order of the labels' names.
func (b *harness) counted(t testing.TB, name string, labels ...string) float64 {
	t.Helper()
	m := b.metric(t, name, labels...)
	return m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
}

// gauge returns a gauge's value likewise.
func (b *harness) gauge(t testing.TB, name string, labels ...string) float64 {
	t.Helper()
	return b.metric(t, name, labels...).GetGauge().GetValue()
}

// metric returns a metric likewise, nil if there is none.
func (b *harness) metric(t testing.TB, name string, labels ...string) *dto.Metric {
	t.Helper()
	families, err := b.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var values []string
			for _, l := range m.GetLabel() {
				values = append(values, l.GetValue())
			}
			if f.GetName() == name && strings.Join(values, ",") == strings.Join(labels, ",") {
				return m
			}
		}
	}
	return nil
}

// total returns the sum of a counter over all labels.
func (b *harness) total(t testing.TB, name string) (sum float64) {
	t.Helper()
	families, err := b.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// send has a request handled without a connection.
func (b *harness) send(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, r)
	return w
}

func post(path, body string) *http.Request {
	return httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
}

// listen serves b on a port of its own until the test ends.
func (b *harness) listen(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- b.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = b.Shutdown(ctx)
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return l.Addr().String()
}

// answer is the body of every response.
type answer struct {
	Status  int    `json:"status"`
	Result  string `json:"result"`
	Message string `json:"message"`
}

func parse(t testing.TB, w *httptest.ResponseRecorder) (a answer) {
	t.Helper()
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Errorf("the answer %q: %v", w.Body, err)
	}
	return a
}

// claim is a good stream callback.
func claim() signature.Claim {
	return signature.Claim{Kind: bridge.KindStream, Event: "PUBLISH", Domain: "push.example.com", App: "live",
		Stream: "room", Timestamp: stamp}
}

// streamBody is the claim's body, signed with the key.
func streamBody(c signature.Claim) string {
	return fmt.Sprintf(`{"domain":%q,"app":%q,"stream":%q,"event":%q,"publish_timestamp":"1587954134",`+
		`"user_args":"auth_info=secret","auth_timestamp":%s,"auth_sign":%q}`,
		c.Domain, c.App, c.Stream, c.Event, c.Timestamp, signature.Sign(bridge.SchemeHMAC, key, c))
}

func good() string { return streamBody(claim()) }

// changed is the good claim's body after a change, signed anew.
func changed(f func(*signature.Claim)) string {
	c := claim()
	f(&c)
	return streamBody(c)
}

func recordBody(s bridge.Scheme) string {
	c := signature.Claim{Kind: bridge.KindRecord, Event: "RECORD_START", Domain: "push.example.com", App: "live",
		Stream: "room", Timestamp: stamp}
	return fmt.Sprintf(`{"event_type":"RECORD_START","publish_domain":"push.example.com","app":"live","stream":"room",`+
		`"auth_timestamp":"%s","auth_sign":%q}`, stamp, signature.Sign(s, key, c))
}

const (
	snapshotBody = `{"domain":"push.example.com","app":"live","stream_name":"room",` +
		`"snapshot_url":"https://a.example.com/1.jpg"}`
	rtcBody = `{"event_type":"RECORD_FILE_COMPLETE","app_id":"app1","stream_name":"room","room_id":"r"}`
)

// rtc is a SparkRTC request over body, signed at timestamp.
func rtc(body, timestamp string) *http.Request {
	c := signature.RTCClaim{Rand: "123456", Timestamp: timestamp, Body: []byte(body)}
	r := post("/rtc/record", body)
	r.Header.Set("X-Rtc-Rand", c.Rand)
	r.Header.Set("X-Rtc-Timestamp", timestamp)
	r.Header.Set("X-Rtc-Signature", signature.SignRTC(key, c))
	return r
}
