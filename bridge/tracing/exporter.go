package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.uber.org/zap"

	"livebridge/bridge"
)

// exporter logs what becomes of spans, now and then, where OpenTelemetry would call a handler that the whole process
// shares.
type exporter struct {
	trace.SpanExporter
	endpoint  string // without a password
	log       *zap.Logger
	reminders bridge.Reminders
}

// ExportSpans implements trace.SpanExporter. It never fails.
func (e *exporter) ExportSpans(ctx context.Context, spans []trace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		if e.reminders.Recovered() {
			e.log.Info("spans are sent to the collector again", zap.String("collector", e.endpoint))
		}
		return nil
	}
	if suppressed, due := e.reminders.Due("export", time.Now()); due {
		e.log.Warn("spans cannot be sent to the collector and are dropped; callbacks and events are not affected",
			zap.String("collector", e.endpoint), zap.Int("spans", len(spans)), zap.Int("suppressed", suppressed), zap.Error(err))
	}
	return nil
}
