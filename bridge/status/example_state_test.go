package status

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
)

// noon is when the examples are looked at.
var noon = time.Date(2026, 9, 14, 12, 0, 0, 0, time.UTC)

// exampleJournal is a Journal with what an operator may meet.
type exampleJournal struct {
	sessions []bridge.OpenSession
	stats    bridge.JournalStats
	entries  map[bridge.ReviewQueue][]bridge.Entry
	history  []bridge.Fate // of studio
	held     []bridge.Fate // likewise
	reads    atomic.Int64
	err      error
}

func (j *exampleJournal) OpenSessions(context.Context, string) ([]bridge.OpenSession, error) {
	j.reads.Add(1)
	return j.sessions, j.err
}

func (j *exampleJournal) Inspect() (bridge.JournalStats, error) { return j.stats, j.err }

func (j *exampleJournal) List(q bridge.ReviewQueue, of bridge.Query) (out []bridge.Entry, err error) {
	for _, e := range j.entries[q] {
		if of.Lane == "" || of.Lane == e.Lane {
			out = append(out, e)
		}
	}
	return out, j.err
}

// History has what was kept of the lane studio.
func (j *exampleJournal) History(q bridge.HistoryQuery) (bridge.HistoryPage, error) {
	return pageOf(q, j.history), j.err
}

// Unpublished has what is held of the lane studio.
func (j *exampleJournal) Unpublished(q bridge.HistoryQuery) (bridge.HistoryPage, error) {
	return pageOf(q, j.held), j.err
}

func pageOf(q bridge.HistoryQuery, all []bridge.Fate) (p bridge.HistoryPage) {
	if q.Kind+":"+q.Lane == "stream:push.example.com/live/studio" {
		p.Events = all
	}
	return p
}

// example is a server with what it shows.
type example struct {
	*Server
	journal   *exampleJournal
	registry  *prometheus.Registry
	events    *Events
	connected atomic.Bool
	topic     bridge.TopicState
	ready     atomic.Pointer[error]
	now       atomic.Int64 // Unix nanoseconds
}

func (e *example) clock() time.Time { return time.Unix(0, e.now.Load()).UTC() }

// newExample returns a service at work: streams that are live, some that waits for review, a sender with a wrong key.
func newExample(t testing.TB, change func(*Config)) *example {
	t.Helper()
	e := &example{journal: exampleJournalOf(), registry: prometheus.NewRegistry(), events: &Events{},
		topic: bridge.TopicState{Partitions: 12, Replicas: 3, InSync: 3, Idempotent: true}}
	e.connected.Store(true)
	e.now.Store(noon.Add(-2 * time.Hour).UnixNano())
	cfg := Config{
		Version: "1.4.0 (3f9c2ab, go1.26.0)", Journal: e.journal, Gatherer: e.registry, Now: e.clock,
		Refresh: 20 * time.Millisecond,
		Ready: func() error {
			if err := e.ready.Load(); err != nil {
				return *err
			}
			return nil
		},
		Backlog: func() bridge.Backlog {
			return bridge.Backlog{Events: 3, OldestAge: 1400 * time.Millisecond, JournalBytes: 3 << 20, FreeBytes: 212 << 30}
		},
		Broker: Broker{Transport: "kafka", URL: "kafka-1.example.com:9093,kafka-2.example.com:9093",
			Destination: "Kafka topic live.events", Connected: e.connected.Load,
			Topic: func() (bridge.TopicState, bool) { return e.topic, true }},
		Keys: func() []Key {
			return []Key{{"stream", "9f2c41d7", 48_213, noon.Add(-3 * time.Second)}, {"stream", "02ab77e0", 0, time.Time{}},
				{"record", "5be1c0a4", 1_904, noon.Add(-74 * time.Second)}}
		},
		Certs: func() []Certificate {
			return []Certificate{{"LIVEBRIDGE_TLS_CERT_FILE", "CN=hooks.example.com", []string{"hooks.example.com"},
				noon.Add(61 * 24 * time.Hour)}}
		},
		Settings: []Setting{{Name: "LIVEBRIDGE_LISTEN", Value: ":8443", Source: "environment"},
			{Name: "LIVEBRIDGE_STREAM_KEY", Value: "(set, not shown)", Source: "file /run/secrets/stream"},
			{Name: "LIVEBRIDGE_TRANSPORT", Value: "kafka", Source: "environment"},
			{Name: "LIVEBRIDGE_HOLD_DONE", Value: "10s", Source: "default"}},
		Refusals: func() []Refusal {
			return []Refusal{
				{noon.Add(-42 * time.Second), "stream", 401, "mismatch",
					"auth_sign does not match; compare the key and the sign type of stream callbacks with the provider's",
					"198.51.100.23", "stream:push.example.com/live/lobby", 7},
				{noon.Add(-11 * time.Minute), "none", 404, "not_found", "no such path", "203.0.113.5", "/wp-login.php", 31}}
		},
		Connections: func() Usage { return Usage{Used: 24, Limit: 4096} },
	}
	if change != nil {
		change(&cfg)
	}
	e.Server = New(cfg, e.events)
	e.now.Store(noon.UnixNano())
	e.publish()
	e.traffic()
	t.Cleanup(e.Close)
	return e
}

func exampleJournalOf() *exampleJournal {
	j := &exampleJournal{stats: bridge.JournalStats{MaxBytes: 8 << 30, Held: bridge.Usage{Entries: 2}, LanesHeld: 2,
		Quarantine: bridge.Usage{Entries: 2}, Reasons: map[string]int{"expired": 1, "tampered": 1}}}
	j.stats.History = &bridge.HistoryStats{Usage: bridge.Usage{Entries: 3}, Keep: "24h0m0s", MaxBytes: 1 << 30}
	j.history, j.held = exampleHistory()
	for i, stream := range []string{"arena-1", "arena-2", "studio", "keynote", "backstage-camera-4"} {
		j.sessions = append(j.sessions, bridge.OpenSession{Domain: "push.example.com", App: "live", Stream: stream,
			Session: bridge.MillisOf(noon.Add(-time.Duration(7*i*i+2) * time.Minute))})
	}
	entry := func(n uint64, reason, stream string) bridge.Entry {
		return bridge.Entry{Number: n, Reason: reason, Kind: "stream", Lane: "push.example.com/live/" + stream,
			Received: noon.Add(-3 * time.Hour).Format(time.RFC3339), Type: "com.huaweicloud.live.stream.publish"}
	}
	j.entries = map[bridge.ReviewQueue][]bridge.Entry{
		bridge.QuarantineQueue: {entry(411, "expired", "studio"), entry(415, "tampered", "lobby")}}
	return j
}

// exampleHistory returns what was published, newest first, and what is held.
func exampleHistory() (kept, held []bridge.Fate) {
	at := func(d time.Duration) string { return bridge.MillisOf(noon.Add(-d)).String() }
	fate := func(state bridge.EventState, event string, ago time.Duration) bridge.Fate {
		return bridge.Fate{State: state, Kind: "stream", Lane: "push.example.com/live/studio", Received: at(ago),
			ID: "6a09e667f3bcc908b2fb1366ea957d3e", Type: "com.huaweicloud.live.stream." + event}
	}
	for i, event := range []string{"publish", "publish_done", "publish"} {
		f := fate(bridge.StatePublished, event, time.Duration(30*(i+1))*time.Minute)
		f.Sequence, f.Published = uint64(5-i), at(time.Duration(30*(i+1))*time.Minute-7*time.Millisecond)
		f.Position = &bridge.Position{Topic: "live.events", Partition: 3, Offset: int64(48_213 - 71*i)}
		kept = append(kept, f)
	}
	kept[0].Marks = []string{"prev_unended"}
	return kept, []bridge.Fate{fate(bridge.StateHeld, "publish_done", 4*time.Second)}
}

// publish has the example's sessions begin.
func (e *example) publish() {
	for i, s := range e.journal.sessions[:4] {
		marks := bridge.Marks(0)
		if i == 2 {
			marks = bridge.MarkPrevUnended
		}
		e.events.Add(&bridge.Event{Lane: laneOf(s), Type: "com.huaweicloud.live.stream.publish", Sequence: uint64(2*i + 1),
			ID: bridge.ID{byte(i), 0x5c, 0x91}, Marks: marks, Recorded: s.Session + 180}, instant(s.Session+185))
	}
}

// traffic fills the samples with an hour that looks like one.
func (e *example) traffic() {
	for i := range sampleCount {
		wave := 18 + 14*math.Sin(float64(i)/38) + 5*math.Sin(float64(i)/7) + float64(i*37%5)/2
		s := Sample{At: noon.Add(-sampleInterval * time.Duration(sampleCount-1-i)), Accepted: 140 + wave,
			Published: 139 + wave, Answer50: 0.0021 + wave/50_000,
			Answer99: 0.0075 + wave/8_000, Publish50: 0.0012 + wave/90_000,
			Publish99: 0.0043 + wave/20_000, Outbox: 4 + 2*math.Sin(float64(i)/9), Held: 2 + math.Sin(float64(i)/25)}
		if i > 200 && i < 230 {
			s.Outbox = 4 + 40*math.Sin(float64(i-200)/30*math.Pi)
		}
		e.samples.ring = append(e.samples.ring, s)
	}
	last := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "livebridge_last_callback_timestamp_seconds", Help: "Last."},
		[]string{"kind"})
	for i, k := range bridge.Kinds() {
		last.WithLabelValues(k.String())
		if i < 2 {
			last.WithLabelValues(k.String()).Set(float64(noon.Add(-time.Duration(i*71+3) * time.Second).Unix()))
		}
	}
	e.registry.MustRegister(last)
}

// fail has callbacks refused.
func (e *example) fail(why string) {
	err := errors.New(why)
	e.ready.Store(&err)
}

// get returns the answer to a GET request.
func (e *example) get(t testing.TB, path string) *httptest.ResponseRecorder {
	t.Helper()
	return e.ask(t, http.MethodGet, path)
}

// ask returns the answer to a request.
func (e *example) ask(t testing.TB, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, "/", nil)
	at, query, _ := strings.Cut(path, "?")
	r.URL.Path, r.URL.RawQuery = at, query
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

// later moves the clock on, so that the state is gathered again.
func (e *example) later(d time.Duration) { e.now.Add(int64(d)) }
