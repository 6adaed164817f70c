package status

import (
	"testing"
	"time"

	"livebridge/bridge"
)

// newReplica returns one of many replicas at work, with every state that a partition may have.
func newReplica(t testing.TB) *example {
	t.Helper()
	e := newExample(t, nil)
	e.journal.stats.History = nil
	e.journal.stats.Partitions = examplePartitions()
	e.journal.stats.Intake = &bridge.IntakeStats{Callbacks: 3, Bytes: 2_412, Queued: 7_812}
	return e
}

func examplePartitions() []bridge.PartitionStats {
	change := func(why string, ago time.Duration, took float64) *bridge.PartitionChange {
		return &bridge.PartitionChange{At: noon.Add(-ago), Why: why, Took: took}
	}
	return []bridge.PartitionStats{
		{Partition: 0, State: "owner", Since: noon.Add(-2 * time.Hour), Epoch: 41, Commits: 90_112, Next: 1_204_551,
			Behind: "0s", Takeovers: 1, Taken: change("start", 2*time.Hour, 1.31), RestoredRows: 104_122,
			Committed: 71_002, Held: 2},
		{Partition: 1, State: "owner", Since: noon.Add(-9 * time.Minute), Epoch: 44, Commits: 88_021, Next: 1_188_002,
			Backlog: 1_412, Behind: "3.2s", BehindSeconds: 3.2, Takeovers: 2, Taken: change("after_fence", 9*time.Minute, 0.42),
			GivenUp: change("timed_out", 9*time.Minute, 0), RestoredRows: 12, Committed: 41_822, Aborted: 3, Fenced: 1},
		{Partition: 2, State: "restoring", Since: noon.Add(-2 * time.Second), Behind: "0s", Restored: 0.42,
			RestoredRows: 41_000},
		{Partition: 3, State: "waiting", Since: noon.Add(-time.Second), Epoch: 7, Next: 922_114, Behind: "0s",
			Takeovers: 1, Taken: change("assigned", time.Hour, 0.9), GivenUp: change("error", time.Second, 0),
			Committed: 9_100, Aborted: 1, Failures: 1},
		{Partition: 4, State: "fenced_out", Since: noon.Add(-time.Second), Epoch: 8, Next: 912_004, Behind: "0s",
			Takeovers: 1, Taken: change("assigned", time.Hour, 0.9), GivenUp: change("fenced", time.Second, 0), Fenced: 1},
		{Partition: 5, State: "other", Behind: "0s"},
	}
}
