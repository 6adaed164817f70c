package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
	"livebridge/bridge/cluster"
	"livebridge/bridge/processor"
	"livebridge/bridge/session"
	"livebridge/bridge/tally"
)

// notZero returns the metrics that are not 0, as lines of name, labels and value; of histograms the count.
func notZero(t *testing.T, g prometheus.Gatherer) (lines []string) {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			value := m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			if value != 0 {
				lines = append(lines, strings.TrimPrefix(f.GetName(), "livebridge_")+labelsOf(m)+fmt.Sprint(" ", value))
			}
		}
	}
	return lines
}

func labelsOf(m *dto.Metric) (text string) {
	for _, l := range m.GetLabel() {
		text += " " + l.GetValue()
	}
	return text
}

// TestReplicaCounts: what a replica decides and publishes is counted as a journal and its dispatcher do it, and what
// goes to the quarantine is logged.
func TestReplicaCounts(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	registry, published := prometheus.NewRegistry(), 0
	c := newReplicaCounts(zap.New(core), registry, func() bool { return true },
		func(*bridge.Event, time.Time) { published++ })
	registry.MustRegister(c.tally)
	stream := bridge.Lane{Kind: bridge.KindStream, Domain: "d", App: "a", Stream: "s"}
	late := &bridge.Event{Lane: stream, Marks: bridge.MarkLate, Type: "com.huaweicloud.live.stream.publish"}
	ended := &bridge.Event{Lane: stream, Type: session.TypeEnded}
	ended.Lane.Kind = bridge.KindSession
	unseen := &bridge.Event{Lane: stream, Marks: bridge.MarkStartUnseen, Recorded: 1000}
	suspect := processor.Quarantined{Event: &bridge.Event{Reason: bridge.ReasonTampered}}
	suspect.What.Reason = bridge.ReasonTampered
	eff := &processor.Effects{Now: processor.MomentOf(0, time.UnixMilli(11_000)),
		Emitted: []*bridge.Event{late, ended, unseen}, Held: []*bridge.Event{late}, Released: []*bridge.Event{unseen},
		Filtered: []*bridge.Event{late}, Quarantined: []processor.Quarantined{suspect}, Duplicates: 2,
		QuarantineEvicted: 3, IdentitiesEvicted: 4}
	c.committed(0, eff)
	c.committed(1, &processor.Effects{})
	all := []*bridge.Event{late, ended}
	c.attempted(all, time.Second, nil)
	c.attempted(all, time.Second, bridge.Unavailable("away"))
	c.attempted(all, time.Second, fmt.Errorf("commit: %w", bridge.ErrFenced))
	c.attempted(all, time.Second, context.Canceled)
	c.attempted(all, time.Second, &bridge.RejectedEvent{Index: 1, Err: bridge.Rejected(bridge.RejectionTooLarge, "large")})
	want := []string{"broker_available 1", "callbacks_duplicate_total 2", "callbacks_quarantined_total tampered 1",
		"dedupe_evicted_total 4", "events_filtered_total com.huaweicloud.live.stream.publish 1",
		"events_marked_total late 1", "events_marked_total start_unseen 1", "events_published_total session 1",
		"events_published_total stream 1", "hold_duration_seconds given_up 1", "holds_total 1",
		"publish_duration_seconds 5", "publish_failures_total rejected 1", "publish_failures_total unavailable 2",
		"quarantine_evicted_total 3", "session_events_total " + session.TypeEnded + " 1"}
	if got := notZero(t, registry); !slices.Equal(got, want) {
		t.Errorf("counted\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if published != 3 || logs.FilterMessageSnippet("callback quarantined").Len() != 1 {
		t.Errorf("%d events are shown; the log has %v", published, logs.All())
	}
}

// TestLevelsOfAReplica: what lies in partitions of others is theirs to show.
func TestLevelsOfAReplica(t *testing.T) {
	mine := cluster.Stats{State: cluster.Owner, Holding: 1, OldestHold: 9, Quarantine: bridge.Usage{Entries: 2},
		DeadLetters: bridge.Usage{Entries: 3}}
	older, other := mine, mine
	older.OldestHold, other.OldestHold, other.State = 7, 5, cluster.NotOwner
	want := tally.Levels{Held: 2, OldestHold: 7, Quarantine: 4, DeadLetters: 6}
	if got := levelsOf([]cluster.Stats{mine, other, older}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestReplicaMetrics: with INTAKE=broker there are the metrics of INTAKE=local about what was decided and published.
func TestReplicaMetrics(t *testing.T) {
	have := make(map[string]*family)
	readFamilies(have, replicaFamilies(t))
	for _, name := range []string{"callbacks_duplicate_total", "callbacks_quarantined_total", "dead_letters",
		"dedupe_evicted_total", "events_filtered_total", "events_marked_total", "events_published_total", "held_events",
		"held_oldest_age_seconds", "hold_duration_seconds", "holds_total", "publish_duration_seconds",
		"publish_failures_total", "quarantine_entries", "quarantine_evicted_total", "redelivery_interval_seconds",
		"session_events_total", "broker_available"} {
		if have["livebridge_"+name] == nil {
			t.Errorf("livebridge_%s is missing", name)
		}
	}
}
