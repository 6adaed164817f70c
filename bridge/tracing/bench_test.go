package tracing_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/tracing"
)

// BenchmarkCallback is what tracing adds to a callback that is published at once: three spans, made and sent to a
// collector that takes no time, or two that are not recorded.
func BenchmarkCallback(b *testing.B) {
	for _, sampler := range []string{"always_on", "always_off"} {
		b.Run(sampler, func(b *testing.B) {
			sink := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			defer sink.Close()
			cfg, err := tracing.FromEnvironment(map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": sink.URL,
				"OTEL_TRACES_SAMPLER": sampler})
			if err != nil {
				b.Fatal(err)
			}
			tracer, err := tracing.Open(cfg, tracing.Options{Destination: "LIVE_EVENTS", Log: zap.NewNop()})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				s, e, now := tracer.Receive(bridge.KindStream, "/live/stream", bridge.TraceHeaders{}), event(), time.Now()
				e.Trace = s.Trace()
				s.End(bridge.SpanResult{Event: e, Status: 200, Decision: "emitted", CommitBegin: now, CommitEnd: now})
				tracer.Publish(e).End(bridge.SpanResult{})
			}
			if err := tracer.Shutdown(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	}
}
