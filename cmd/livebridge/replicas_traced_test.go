package main

import (
	"strings"
	"testing"
	"time"

	"livebridge/bridge/tracing/tracingtest"
)

// takesPart reports whether a replica has joined the others.
func takesPart(r *program) bool { return strings.Contains(r.log.String(), "replica takes part") }

// ownerAndTaker starts a replica, which owns all partitions, and another that owns nothing and only takes callbacks.
func ownerAndTaker(t *testing.T, settings []string, ofOwner, ofTaker string) (owner, taker *program) {
	t.Helper()
	settings = append(settings, prefix+"INTAKE=broker", prefix+"KAFKA_PARTITIONS=1")
	owner = launch(t, t.TempDir(), append(settings, ofOwner)...)
	until(t, "the first replica owns the partition", func() bool { return owns(t, owner, 1) })
	taker = launch(t, t.TempDir(), append(settings, ofTaker)...)
	until(t, "the second replica takes part", func() bool { return takesPart(taker) })
	return owner, taker
}

// TestTracesOfReplicas: what one replica publishes is in the trace of the request that another one has taken. The
// request and its commit are spans of the one that took it, the publishing is a span of the owner, under the request;
// so also of an event that was held, and of a notice.
func TestTracesOfReplicas(t *testing.T) {
	t.Parallel()
	collector := tracingtest.Start(t)
	settings, read := beginOnKafka(t)
	settings = append(settings, prefix+"TRUSTED_PROXIES=127.0.0.1/32", prefix+"HOLD_DONE=1m",
		"OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL)
	owner, taker := ownerAndTaker(t, settings, "OTEL_SERVICE_NAME=owner", "OTEL_SERVICE_NAME=taker")
	now := time.Now()
	session, soon := now.Unix()-100, now.Add(time.Minute)
	publish := streamCallback("PUBLISH", "room1", session, soon, "")
	taker.sendTraced(t, traceOfDone, streamCallback("PUBLISH_DONE", "room1", session, soon, ""), 200)
	until(t, "the end is held", func() bool { return owner.metrics(t)["livebridge_held_events"] == 1 })
	taker.sendTraced(t, traceOfPublish, publish, 200)
	taker.sendTraced(t, traceOfRepeat, publish, 200)
	taker.sendTraced(t, traceOfExpired, streamCallback("PUBLISH", "room3", session, now.Add(-time.Hour), ""), 401)
	until(t, "all is decided", func() bool {
		m := owner.metrics(t)
		return duplicates(m) == 1 && m[`livebridge_callbacks_quarantined_total{reason="expired"}`] == 1
	})
	messages := read(t, taker)
	taker.terminate(t)
	owner.terminate(t)
	spans, _ := collector.Spans()
	checkServices(t, spans, map[string]string{"server": "taker", "internal": "taker", "producer": "owner"})
	checkRequests(t, spans, map[int]string{
		traceOfDone:    "POST /live/stream 200 accepted under 1",
		traceOfPublish: "POST /live/stream 200 accepted under 2",
		traceOfRepeat:  "POST /live/stream 200 accepted under 3",
		traceOfExpired: "POST /live/stream 401 accepted expired under 5",
	})
	checkMessages(t, messages, spans, "kafka", map[int]string{traceOfDone: "live.events",
		traceOfPublish: "live.events", traceOfExpired: "live.quarantine"})
}
