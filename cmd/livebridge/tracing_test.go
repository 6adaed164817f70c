package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"livebridge/bridge/tracing/tracingtest"
	"livebridge/transports/transporttest"
)

// traceOf is the trace that a callback of a test is sent in, and its traceparent.
func traceOf(n int) string { return fmt.Sprintf("%032x", n) }

func traceParent(n int) string { return "00-" + traceOf(n) + "-" + fmt.Sprintf("%016x", n) + "-01" }

// sendTraced sends a callback through a proxy that traces.
func (p *program) sendTraced(t *testing.T, trace int, body []byte, status int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.listen+"/live/stream",
		strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("traceparent", traceParent(trace))
	r.Header.Set("tracestate", fmt.Sprint("proxy=", trace))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if _ = answer.Body.Close(); answer.StatusCode != status {
		t.Fatalf("trace %d: answered %d, want %d", trace, answer.StatusCode, status)
	}
}

// The traces of the show.
const (
	traceOfDone = iota + 1
	traceOfPublish
	traceOfRepeat
	traceOfForged
	traceOfExpired
)

// playTraced sends a DONE before its PUBLISH, a repeat, a forgery and an expired callback, each in a trace of its own,
// and waits until what comes of them is published.
func playTraced(t *testing.T, service *program) {
	t.Helper()
	now := time.Now()
	session, soon := now.Unix()-100, now.Add(time.Minute)
	publish := streamCallback("PUBLISH", "room1", session, soon, "")
	service.sendTraced(t, traceOfDone, streamCallback("PUBLISH_DONE", "room1", session, soon, ""), 200)
	service.sendTraced(t, traceOfPublish, publish, 200)
	service.sendTraced(t, traceOfRepeat, publish, 200)
	service.sendTraced(t, traceOfForged, []byte(strings.Replace(string(publish), "room1", "room2", 1)), 401)
	service.sendTraced(t, traceOfExpired, streamCallback("PUBLISH", "room3", session, now.Add(-time.Hour), ""), 401)
	until(t, "all is published", func() bool {
		m := service.metrics(t)
		return m["livebridge_outbox_events"] == 0 && m["livebridge_held_events"] == 0
	})
}

// TestTraces plays through the program on both brokers: what consumers get is under the span that published it, which
// is under the request that brought the event, which is under the proxy's; a held event keeps its own trace, a repeat
// is published by nobody, and no payload says anything of it.
func TestTraces(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		system, destination, quarantine string
		begin                           func(*testing.T) (settings []string, read func(*testing.T, *program) []tracedMessage)
	}{
		{"nats", "LIVE_EVENTS", "LIVE_QUARANTINE", beginOnNATS},
		{"kafka", "live.events", "live.quarantine", beginOnKafka},
	} {
		t.Run(test.system, func(t *testing.T) {
			t.Parallel()
			collector := tracingtest.Start(t)
			settings, read := test.begin(t)
			service := launch(t, t.TempDir(), append(settings, prefix+"TRUSTED_PROXIES=127.0.0.1/32",
				prefix+"HOLD_DONE=1m", "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL, "OTEL_SERVICE_NAME=traced")...)
			playTraced(t, service)
			messages := read(t, service)
			checkExemplars(t, service)
			service.terminate(t)
			spans, _ := collector.Spans()
			checkServices(t, spans, map[string]string{"server": "traced", "internal": "traced", "producer": "traced"})
			checkRequests(t, spans, map[int]string{
				traceOfDone:    "POST /live/stream 200 held under 1",
				traceOfPublish: "POST /live/stream 200 emitted under 2",
				traceOfRepeat:  "POST /live/stream 200 duplicate under 3",
				traceOfForged:  "POST /live/stream 401 mismatch under 4",
				traceOfExpired: "POST /live/stream 401 quarantined expired under 5",
			})
			checkMessages(t, messages, spans, test.system, map[int]string{traceOfDone: test.destination,
				traceOfPublish: test.destination, traceOfExpired: test.quarantine})
			if !strings.Contains(service.log.String(), `"trace_id":"`+traceOf(traceOfForged)+`"`) {
				t.Errorf("the refusal is logged without its trace:\n%s", service.log)
			}
		})
	}
}

// checkServices checks which service each kind of spans is of.
func checkServices(t *testing.T, spans []tracingtest.Span, want map[string]string) {
	t.Helper()
	for _, s := range spans {
		if s.Resource["service.name"] != want[s.Kind] {
			t.Errorf("%+v", s)
		}
	}
}

// checkRequests checks the spans of requests, by their traces, and of their commits.
func checkRequests(t *testing.T, spans []tracingtest.Span, want map[int]string) {
	t.Helper()
	got, commits := make(map[string]string), make(map[string]int)
	for _, s := range spans {
		switch s.Kind {
		case "server":
			n := 0
			_, _ = fmt.Sscanf(s.Parent, "%x", &n)
			words := strings.Fields(fmt.Sprint(s.Name, " ", s.Attributes["http.response.status_code"], " ",
				s.Attributes["livebridge.decision"], " ", s.Attributes["livebridge.refusal"], " under ", n))
			got[s.Trace] = strings.Join(words, " ")
		case "internal":
			commits[s.Trace]++
		}
	}
	for n, line := range want {
		if stored := n != traceOfForged; (commits[traceOf(n)] == 1) != stored {
			t.Errorf("trace %d has %d commits", n, commits[traceOf(n)])
		}
		if got[traceOf(n)] != line {
			t.Errorf("trace %d is %q, want %q", n, got[traceOf(n)], line)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// checkMessages checks that each message of these traces is under the span of its publishing, and that there is no
// other.
func checkMessages(t *testing.T, all []tracedMessage, spans []tracingtest.Span, system string, want map[int]string) {
	t.Helper()
	senders := make(map[string]tracingtest.Span)
	requests := make(map[string]string)
	for _, s := range spans {
		switch s.Kind {
		case "producer":
			senders["00-"+s.Trace+"-"+s.ID+"-01"] = s
		case "server":
			requests[s.Trace] = s.ID
		}
	}
	if len(all) != len(want) || len(senders) != len(want) {
		t.Errorf("%d messages and %d spans of producers, want %d: %+v", len(all), len(senders), len(want), all)
	}
	for n, destination := range want {
		i := slices.IndexFunc(all, func(m tracedMessage) bool { return strings.HasPrefix(m.parent, "00-"+traceOf(n)) })
		if i < 0 {
			t.Errorf("no message in trace %d: %+v", n, all)
			continue
		}
		m, s := all[i], senders[all[i].parent]
		if s.Name != "send "+destination || s.Parent != requests[s.Trace] || s.Attributes["messaging.system"] != system ||
			s.Failed || m.topic != destination || m.state != fmt.Sprint("proxy=", n) ||
			!strings.Contains(m.payload, s.Attributes["cloudevents.event_id"]) {
			t.Errorf("trace %d: message %+v, span %+v", n, m, s)
		}
		if strings.Contains(m.payload, "trace") || strings.Contains(m.payload, traceOf(n)) {
			t.Errorf("the payload has the trace: %s", m.payload)
		}
	}
}

// checkExemplars wants the latest traces with the metrics of callbacks and of publishing, in OpenMetrics.
func checkExemplars(t *testing.T, service *program) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+service.admin+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "application/openmetrics-text;version=1.0.0")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]bool)
	for line := range strings.Lines(string(page)) {
		if name, _, is := strings.Cut(line, "_bucket"); is && strings.Contains(line, `# {trace_id="`+traceOf(0)[:31]) {
			found[name] = true
		}
	}
	for _, name := range []string{"livebridge_callback_duration_seconds", "livebridge_publish_duration_seconds"} {
		if !found[name] {
			t.Errorf("%s has no exemplar", name)
		}
	}
}

// TestCollectorAway: without a collector, or with one that never answers, callbacks and events are as ever; the log
// says so once, and the program ends in its time.
func TestCollectorAway(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	away := transporttest.FreeAddress(t)
	for name, collector := range map[string]string{"away": away, "silent": silent.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := launch(t, t.TempDir(), prefix+"SHUTDOWN_GRACE=2s", "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+collector,
				"OTEL_EXPORTER_OTLP_TIMEOUT=600000", "OTEL_BSP_EXPORT_TIMEOUT=600000", "OTEL_BSP_SCHEDULE_DELAY=10")
			p := newProvider()
			if p.play(t.Context(), "http://"+service.listen+"/live/stream", "room1", 0, 50); p.total.Load() != 50 {
				t.Errorf("%d of 50 callbacks were answered 200", p.total.Load())
			}
			until(t, "all is published", func() bool { return service.metrics(t)["livebridge_outbox_events"] == 0 })
			service.terminate(t)
			log := service.log.String()
			if n := strings.Count(log, "spans cannot be sent"); n > 1 || name == "away" && n != 1 {
				t.Errorf("it is logged %d times:\n%s", n, log)
			}
		})
	}
}

// TestTracingIsOff: nothing asks for it by default, and mistakes in its variables are those of settings.
func TestTracingIsOff(t *testing.T) {
	if s, err := load(with()); err != nil || s.tracing != nil {
		t.Errorf("%+v, %v", s, err)
	}
	vars := with("LOG_LEVEL", "loud")
	vars["OTEL_EXPORTER_OTLP_ENDPOINT"], vars["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http://collector:4317", "grpc"
	_, err := load(vars)
	var usage *usageError
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), "OTEL_EXPORTER_OTLP_PROTOCOL: grpc is not supported") ||
		!strings.Contains(err.Error(), "4318") || !strings.Contains(err.Error(), "LOG_LEVEL") {
		t.Errorf("%v", err)
	}
}
