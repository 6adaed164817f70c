package main

import (
	"context"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/tracing"
	"livebridge/transports/nats"
)

// openTracer makes the tracer, if the variables of OpenTelemetry ask for one.
func (a *app) openTracer() (err error) {
	if a.settings.tracing == nil {
		return nil
	}
	if a.tracer, err = tracing.Open(a.settings.tracing, a.settings.tracingOptions(a.log)); err != nil {
		return &usageError{err}
	}
	return nil
}

// spans returns the tracer for those who use it, nil when tracing is off: a nil pointer would be a Tracer.
func (a *app) spans() bridge.Tracer {
	if a.tracer == nil {
		return nil
	}
	return a.tracer
}

// tracingOptions returns what spans say of the program and of where it publishes.
func (s *settings) tracingOptions(log *zap.Logger) tracing.Options {
	o := tracing.Options{Version: buildInfo()["version"], Scheme: "http", System: "nats", Destination: s.NATSStream,
		Quarantine: nats.QuarantineStream, Log: log}
	if s.TLSCertFile != "" {
		o.Scheme = "https"
	}
	if s.Transport == "kafka" {
		o.System, o.Destination, o.Quarantine = "kafka", s.KafkaTopic, s.QuarantineTopic
	}
	return o
}

// closeTracer sends the spans that wait. A collector that does not take them is no reason to fail.
func (a *app) closeTracer(end time.Time) {
	if a.tracer == nil {
		return
	}
	ctx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	if err := a.tracer.Shutdown(ctx); err != nil {
		a.log.Warn("the last spans were not sent to the collector", zap.Error(err))
	}
}
