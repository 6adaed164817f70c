package main

import (
	"time"

	"livebridge/bridge"
	"livebridge/bridge/cluster"
)

// Inspect implements bridge.JournalAdmin: the partitions as this replica knows them, with their sums, and what it keeps
// for the broker. Until the broker is found there are no partitions.
func (r *replica) Inspect() (s bridge.JournalStats, err error) {
	s.Format, s.Partitions = "partitions at the broker", []bridge.PartitionStats{}
	if r.queue != nil {
		s.FreeBytes = r.queue.FreeBytes()
		s.Intake = &bridge.IntakeStats{Callbacks: r.fallback.Total(), Bytes: r.queue.Bytes(), Queued: r.fallback.Queued()}
	}
	o := r.opened.Load()
	if o == nil {
		return s, nil
	}
	now, wall := o.cluster.Now()
	for _, p := range o.cluster.Stats() {
		s.Commit += p.StateCommits
		s.Held.Entries += uint64(p.Holding)
		s.Quarantine.Entries += p.Quarantine.Entries
		s.Quarantine.Bytes += p.Quarantine.Bytes
		s.DeadLetters.Entries += p.DeadLetters.Entries
		s.DeadLetters.Bytes += p.DeadLetters.Bytes
		s.Partitions = append(s.Partitions, partitionStats(p, now, wall))
	}
	return s, nil
}

// partitionStats shows what a replica knows of a partition at an instant.
func partitionStats(p cluster.Stats, now time.Duration, wall time.Time) bridge.PartitionStats {
	shown := bridge.PartitionStats{
		Partition: p.Partition, State: string(p.State), Epoch: p.Epoch,
		Commits: p.StateCommits, Next: p.Next, Backlog: p.Backlog,
		Behind: p.Behind.Round(time.Millisecond).String(), BehindSeconds: p.Behind.Seconds(),
		Takeovers: p.Takeovers, Taken: changeOf(p.Taken), GivenUp: changeOf(p.GivenUp),
		Restored: p.Restored, RestoredRows: p.RestoredRows,
		Committed: p.Commits, Aborted: p.Aborts, Fenced: p.Fenced, Failures: p.Failures,
		Held: p.Holding, Quarantine: p.Quarantine, DeadLetters: p.DeadLetters,
	}
	if p.Since > 0 {
		shown.Since = shownInstant(wall.Add(p.Since - now))
	}
	if shown.Taken != nil {
		shown.Taken.Took = p.TakeoverTime.Seconds()
	}
	return shown
}

// changeOf shows a change of ownership; nil: there was none.
func changeOf(c cluster.Change) *bridge.PartitionChange {
	if c == (cluster.Change{}) {
		return nil
	}
	return &bridge.PartitionChange{At: shownInstant(c.At), Why: string(c.Why)}
}

// shownInstant is in milliseconds.
func shownInstant(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
