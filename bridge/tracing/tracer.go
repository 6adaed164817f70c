package tracing

import (
	"cmp"
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"

	"livebridge/bridge"
)

// Options are what the program adds to a Config.
type Options struct {
	Version     string // of the program
	Scheme      string // of callbacks: http or https
	System      string // that events are published to: kafka or nats
	Destination string // topic, its template, or stream of events
	Quarantine  string // topic or stream of notices
	Log         *zap.Logger
}

// Tracer makes spans and sends them. It implements bridge.Tracer.
type Tracer struct {
	provider *sdk.TracerProvider
	client   *client
	tracer   trace.Tracer
	opts     Options
}

// Open makes a Tracer, which connects to nothing before it has spans. The error is of the settings.
func Open(cfg *Config, o Options) (*Tracer, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	to := &exporter{SpanExporter: otlptrace.NewUnstarted(c), endpoint: cfg.Endpoint.Redacted(), log: o.Log}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(to), sdk.WithSampler(cfg.Sampler),
		sdk.WithResource(resourceOf(cfg, o)))
	o.Log.Info("spans are sent to a collector", zap.String("collector", to.endpoint))
	return &Tracer{provider: provider, client: c, tracer: provider.Tracer("livebridge"), opts: o}, nil
}

// resourceOf returns what spans are from. What the environment says counts more.
func resourceOf(cfg *Config, o Options) *resource.Resource {
	given := resource.Environment()
	name, _ := given.Set().Value(semconv.ServiceNameKey)
	own := resource.NewSchemaless(semconv.ServiceVersion(o.Version), semconv.TelemetrySDKLanguageGo,
		semconv.TelemetrySDKName("opentelemetry"), semconv.TelemetrySDKVersion(sdkVersion()))
	service := resource.NewSchemaless(semconv.ServiceName(cmp.Or(cfg.Service, name.AsString(), "livebridge")))
	for _, more := range []*resource.Resource{resource.NewSchemaless(given.Attributes()...), service} {
		if merged, err := resource.Merge(own, more); err == nil { // it is: none has a schema that could differ
			own = merged
		}
	}
	return own
}

// Shutdown sends the spans that wait, until ctx ends. It does not wait for a collector that does not answer the first
// time.
func (t *Tracer) Shutdown(ctx context.Context) error {
	t.client.stopRepeating()
	return t.provider.Shutdown(ctx)
}

// Receive implements bridge.Tracer.
func (t *Tracer) Receive(k bridge.Kind, route string, from bridge.TraceHeaders) bridge.Span {
	ctx := context.Background()
	if from.Parent != "" {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{
			bridge.HeaderTraceParent: from.Parent, bridge.HeaderTraceState: from.State})
	}
	ctx, s := t.tracer.Start(ctx, "POST "+route, trace.WithSpanKind(trace.SpanKindServer))
	if s.IsRecording() {
		s.SetAttributes(semconv.HTTPRequestMethodPost, semconv.HTTPRoute(route), semconv.URLPath(route),
			semconv.URLScheme(t.opts.Scheme), attribute.String("livebridge.kind", k.String()))
	}
	return &received{tracer: t.tracer, ctx: ctx, span: s, place: placeOf(s.SpanContext())}
}

// Publish implements bridge.Tracer.
func (t *Tracer) Publish(e *bridge.Event) bridge.Span {
	ctx := context.Background()
	if e.Trace != nil {
		ctx = trace.ContextWithSpanContext(ctx, contextOf(e.Trace))
	}
	destination := t.opts.Destination
	if e.Quarantined() {
		destination = t.opts.Quarantine
	}
	_, s := t.tracer.Start(ctx, "send "+destination, trace.WithSpanKind(trace.SpanKindProducer))
	if s.IsRecording() {
		s.SetAttributes(append(eventAttributes(e), semconv.MessagingOperationTypeSend, semconv.MessagingOperationName("send"),
			semconv.MessagingSystemKey.String(t.opts.System), destinationAttribute(destination),
			semconv.MessagingMessageID(e.DedupeID()))...)
	}
	return &published{span: s, place: placeOf(s.SpanContext())}
}

// destinationAttribute names where an event goes. What KAFKA_TOPIC makes of it is not known here.
func destinationAttribute(name string) attribute.KeyValue {
	if strings.Contains(name, "{") {
		return semconv.MessagingDestinationTemplate(name)
	}
	return semconv.MessagingDestinationName(name)
}

// placeOf and contextOf turn OpenTelemetry's form of a place in a trace into ours and back.
func placeOf(c trace.SpanContext) *bridge.Trace {
	return &bridge.Trace{TraceID: c.TraceID(), SpanID: c.SpanID(), Flags: byte(c.TraceFlags()),
		State: c.TraceState().String()}
}

func contextOf(t *bridge.Trace) trace.SpanContext {
	state, _ := trace.ParseTraceState(t.State) // it was one before
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: t.TraceID, SpanID: t.SpanID,
		TraceFlags: trace.TraceFlags(t.Flags), TraceState: state})
}
