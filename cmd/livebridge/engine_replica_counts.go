package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/cluster"
	"livebridge/bridge/dispatch"
	"livebridge/bridge/processor"
	"livebridge/bridge/tally"
)

// replicaCounts counts and logs what a replica decides and publishes, as a journal and its dispatcher do it.
type replicaCounts struct {
	tally     *tally.Tally
	published func(*bridge.Event, time.Time)
	metrics   *dispatch.Metrics

	mu          sync.Mutex
	quarantined *tally.QuarantineLog
}

func newReplicaCounts(
	log *zap.Logger, r prometheus.Registerer, available func() bool, published func(*bridge.Event, time.Time),
) *replicaCounts {
	return &replicaCounts{tally: tally.New(), published: published, metrics: dispatch.NewMetrics(r, available),
		quarantined: tally.NewQuarantineLog(log)}
}

// committed counts what the inputs of a commit have come to.
func (c *replicaCounts) committed(_ int, eff *processor.Effects) {
	c.tally.Count(eff, &tally.Counted{})
	now := time.Now()
	for _, e := range eff.Emitted {
		c.published(e, now)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range eff.Quarantined {
		c.quarantined.Report(tally.QuarantinedFields(&eff.Quarantined[i]))
	}
}

// attempted counts an attempt to commit events. One that this replica had to give up says nothing of the broker.
func (c *replicaCounts) attempted(events []*bridge.Event, took time.Duration, err error) {
	var one *bridge.RejectedEvent
	switch {
	case errors.Is(err, bridge.ErrFenced), errors.Is(err, context.Canceled):
		return
	case errors.As(err, &one):
		events = events[one.Index : one.Index+1] // the others are committed with the next attempt
	}
	for _, e := range events {
		c.metrics.Observe(took, e.Trace)
		c.metrics.Count(e, err)
	}
}

// levelsOf returns what lies in the partitions that a replica works on: the sum over all replicas is what there is.
func levelsOf(all []cluster.Stats) (l tally.Levels) {
	for i := range all {
		s := &all[i]
		if s.State != cluster.Owner {
			continue
		}
		l.Held += s.Holding
		l.Quarantine += s.Quarantine.Entries
		l.DeadLetters += s.DeadLetters.Entries
		if s.OldestHold != 0 && (l.OldestHold == 0 || s.OldestHold < l.OldestHold) {
			l.OldestHold = s.OldestHold
		}
	}
	return l
}
