package cluster

import (
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/cluster/clustertest"
)

// TestShareOfLimits: what is limited in all partitions together is limited to a share in each, and to one at least
// unless it is nothing.
func TestShareOfLimits(t *testing.T) {
	t.Parallel()
	opts := DefaultOptions("caches")
	opts.Intake = clustertest.New(4, func() bridge.Millis { return 0 }).Replica(nil)
	opts.Limits = limits()
	opts.Limits.HeldMax, opts.Limits.QuarantineMax, opts.Limits.DedupeMax, opts.Limits.LanesCached = 10, 3, 1000, 0
	got := opts.processorOptions(2)
	if got.HeldMax != 2 || got.QuarantineMax != 1 || got.DedupeMax != 250 || got.LanesCached != 0 ||
		got.Partition != "2" {
		t.Errorf("one of four partitions has the limits %+v", got)
	}
	if got.Limits != opts.Limits.Limits || got.DeadLettersMax < 1<<30 {
		t.Errorf("limits that are no partition's are %+v", got)
	}
}
