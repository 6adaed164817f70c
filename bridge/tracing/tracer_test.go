package tracing_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/tracing"
	"livebridge/bridge/tracing/tracingtest"
)

// open makes a tracer for a collector.
func open(t *testing.T, log *zap.Logger, vars ...string) *tracing.Tracer {
	t.Helper()
	all := make(map[string]string)
	for i := 0; i < len(vars); i += 2 {
		all[vars[i]] = vars[i+1]
	}
	cfg, err := tracing.FromEnvironment(all)
	if err != nil || cfg == nil {
		t.Fatalf("%v, %v", cfg, err)
	}
	tracer, err := tracing.Open(cfg, tracing.Options{Version: "1.2.3", Scheme: "https", System: "nats",
		Destination: "LIVE_EVENTS", Quarantine: "LIVE_QUARANTINE", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return tracer
}

// shut sends the spans of a tracer and returns them.
func shut(t *testing.T, tracer *tracing.Tracer, c *tracingtest.Collector) []tracingtest.Span {
	t.Helper()
	if err := tracer.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	all, _ := c.Spans()
	return all
}

func event() *bridge.Event {
	return &bridge.Event{ID: bridge.ID{1}, Type: "com.huaweicloud.live.stream.publish", Sequence: 7,
		Lane:  bridge.Lane{Kind: bridge.KindStream, Domain: "push.example.com", App: "live", Stream: "room 1"},
		Marks: bridge.MarkForced | bridge.MarkLate, Data: []byte(`{"secret":1}`)}
}

// TestSpans: the request, its commit and the event's publishing are one trace, with the attributes of the semantic
// conventions and nothing of the event's data.
func TestSpans(t *testing.T) {
	c := tracingtest.Start(t)
	tracer := open(t, zap.NewNop(), "OTEL_EXPORTER_OTLP_ENDPOINT", c.URL, "OTEL_SERVICE_NAME", "bridge-a")
	request, e := tracer.Receive(bridge.KindStream, "/live/stream", bridge.TraceHeaders{}), event()
	e.Trace = request.Trace()
	begin := time.Now()
	request.End(bridge.SpanResult{Event: e, Status: 200, Decision: "emitted", CommitBegin: begin, CommitEnd: time.Now()})
	sending := tracer.Publish(e)
	sending.End(bridge.SpanResult{})
	spans := make(map[string]tracingtest.Span)
	for _, s := range shut(t, tracer, c) {
		if spans[s.Kind] = s; s.Trace != request.Trace().ID() || s.Failed || !s.Sampled {
			t.Errorf("%+v", s)
		}
		if s.Resource["service.name"] != "bridge-a" || s.Resource["service.version"] != "1.2.3" {
			t.Errorf("resource %v", s.Resource)
		}
	}
	server, commit, producer := spans["server"], spans["internal"], spans["producer"]
	if server.Parent != "" || commit.Parent != server.ID || producer.Parent != server.ID ||
		producer.ID != fmt.Sprintf("%x", sending.Trace().SpanID) {
		t.Errorf("%+v", spans)
	}
	if names := server.Name + ", " + commit.Name + ", " + producer.Name; names !=
		"POST /live/stream, commit, send LIVE_EVENTS" || !commit.Begin.Equal(begin.Round(0)) {
		t.Errorf("%s; the commit began at %v, want %v", names, commit.Begin, begin)
	}
	about := map[string]string{"cloudevents.event_id": "01000000000000000000000000000000",
		"cloudevents.event_type":    "com.huaweicloud.live.stream.publish",
		"cloudevents.event_subject": "push.example.com/live/room%201",
		"livebridge.kind":           "stream", "livebridge.sequence": "7", "livebridge.marks": "forced,late"}
	hasAttributes(t, &server, about, map[string]string{"http.request.method": "POST", "http.route": "/live/stream",
		"url.path": "/live/stream", "url.scheme": "https", "http.response.status_code": "200",
		"livebridge.decision": "emitted"})
	hasAttributes(t, &producer, about, map[string]string{"messaging.system": "nats", "messaging.operation.type": "send",
		"messaging.operation.name": "send", "messaging.destination.name": "LIVE_EVENTS",
		"messaging.message.id": "01000000000000000000000000000000"})
}

// hasAttributes wants these and no others.
func hasAttributes(t *testing.T, s *tracingtest.Span, want ...map[string]string) {
	t.Helper()
	all := make(map[string]string)
	for _, some := range want {
		maps.Copy(all, some)
	}
	if !maps.Equal(s.Attributes, all) {
		t.Errorf("%s has the attributes\n%v, want\n%v", s.Name, s.Attributes, all)
	}
}

// TestFailures: what was answered 503 has failed, and so has its commit; what was refused for what was sent has not.
// An attempt that failed says whether there will be another.
func TestFailures(t *testing.T) {
	c := tracingtest.Start(t)
	tracer := open(t, zap.NewNop(), "OTEL_EXPORTER_OTLP_ENDPOINT", c.URL)
	now := time.Now()
	for _, r := range []bridge.SpanResult{{Status: 401, Refusal: "mismatch"},
		{Status: 401, Refusal: "expired", Decision: "quarantined", CommitBegin: now, CommitEnd: now},
		{Status: 503, Refusal: "full", CommitBegin: now, CommitEnd: now}} {
		tracer.Receive(bridge.KindStream, "/live/stream", bridge.TraceHeaders{}).End(r)
	}
	notice := event()
	notice.Reason, notice.Subject = bridge.ReasonTampered, "push.example.com/live/room%201"
	tracer.Publish(notice).End(bridge.SpanResult{Err: bridge.Unavailable("no")})
	tracer.Publish(event()).End(bridge.SpanResult{Err: bridge.Rejected(bridge.RejectionTooLarge, "no")})
	var got []string
	for _, s := range shut(t, tracer, c) {
		got = append(got, fmt.Sprint(s.Name, " ", s.Failed, " ", s.Attributes["error.type"],
			s.Attributes["livebridge.refusal"]))
	}
	want := []string{"POST /live/stream false mismatch", "commit false ", "POST /live/stream false expired",
		"commit true full", "POST /live/stream true 503full",
		"send LIVE_QUARANTINE true unavailable", "send LIVE_EVENTS true too_large"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestHeadersOfRequests: a good traceparent makes the span a child, with its sampling; a bad one is ignored and a bad
// tracestate dropped, whatever is in them.
func TestHeadersOfRequests(t *testing.T) {
	c := tracingtest.Start(t)
	tracer := open(t, zap.NewNop(), "OTEL_EXPORTER_OTLP_ENDPOINT", c.URL)
	const trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	for header, want := range map[[2]string]string{
		{"00-" + trace + "-" + span + "-01", "a=1"}:                      "child a=1",
		{"00-" + trace + "-" + span + "-00", ""}:                         "child unsampled ",
		{"01-" + trace + "-" + span + "-01-more", ""}:                    "child ",
		{"00-" + trace + "-" + span + "-01", "a=\r\nb"}:                  "child ",
		{"00-" + trace + "-" + span + "-01", strings.Repeat("a=1,", 40)}: "child ",
		{"00-" + trace + "-" + span + "-01-more", ""}:                    "root ",
		{"00-" + strings.ToUpper(trace) + "-" + span + "-01", ""}:        "root ",
		{"ff-" + trace + "-" + span + "-01", ""}:                         "root ",
		{"00-" + strings.Repeat("0", 32) + "-" + span + "-01", ""}:       "root ",
		{"00-" + trace + "-" + strings.Repeat("0", 16) + "-01", ""}:      "root ",
		{strings.Repeat("00-", 5000), ""}:                                "root ",
		{"", "a=1"}:                                                      "root ",
		{"\x00\xff\n", "\x00"}:                                           "root ",
	} {
		s := tracer.Receive(bridge.KindStream, "/live/stream", bridge.TraceHeaders{Parent: header[0], State: header[1]})
		place := s.Trace()
		got := "root "
		if place.ID() == trace {
			got = "child "
		}
		if !place.Sampled() {
			got += "unsampled "
		}
		if got += place.State; got != want {
			t.Errorf("%.80q: %q, want %q", header, got, want)
		}
		s.End(bridge.SpanResult{Status: 200})
	}
	for _, s := range shut(t, tracer, c) {
		if s.Trace == trace && s.Parent != span || s.Trace != trace && s.Parent != "" {
			t.Errorf("%+v", s)
		}
	}
}

// TestSampling: what is not sampled makes no span, and says so to consumers.
func TestSampling(t *testing.T) {
	c := tracingtest.Start(t)
	tracer := open(t, zap.NewNop(), "OTEL_EXPORTER_OTLP_ENDPOINT", c.URL, "OTEL_TRACES_SAMPLER",
		"parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG", "0")
	request, e := tracer.Receive(bridge.KindStream, "/live/stream", bridge.TraceHeaders{}), event()
	e.Trace = request.Trace()
	request.End(bridge.SpanResult{Status: 200, Event: e, CommitBegin: time.Now(), CommitEnd: time.Now()})
	sending := tracer.Publish(e)
	sending.End(bridge.SpanResult{Err: errors.New("no")})
	if sending.Trace().Sampled() || sending.Trace().ID() != request.Trace().ID() {
		t.Errorf("%+v under %+v", sending.Trace(), request.Trace())
	}
	if spans := shut(t, tracer, c); len(spans) > 0 {
		t.Errorf("%+v", spans)
	}
}

// TestCompressed: spans may be sent compressed, with the headers of the settings.
func TestCompressed(t *testing.T) {
	c := tracingtest.Start(t)
	tracer := open(t, zap.NewNop(), "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", c.URL+"/v1/traces",
		"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "OTEL_EXPORTER_OTLP_HEADERS", "x-key=a")
	tracer.Publish(event()).End(bridge.SpanResult{})
	if spans := shut(t, tracer, c); len(spans) != 1 || spans[0].Resource["service.name"] != "livebridge" {
		t.Errorf("%+v", spans)
	}
	if h := c.Headers()[0]; h.Get("X-Key") != "a" || h.Get("Content-Encoding") != "gzip" {
		t.Errorf("%v", h)
	}
}
