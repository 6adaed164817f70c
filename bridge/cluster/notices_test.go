package cluster

import (
	"fmt"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/processor/processortest"
)

// TestNotices: each partition has a lane of notices, whose sequence goes on whoever owns it; no other partition has the
// lane.
func TestNotices(t *testing.T) {
	t.Parallel()
	const partitions, suspects = 3, 60
	b := newBroker(partitions)
	one, first := newReplica(t, b)
	_, second := newReplica(t, b)
	first.Assign(0, 1, 2)
	for i := range suspects {
		if i == suspects/2 {
			first.Assign(0)
			second.Assign(1, 2)
		}
		for _, a := range processortest.Suspects(bridge.ReasonExpired, fmt.Sprint("stream", i)) {
			appendTo(t, one, a)
		}
	}
	eventually(t, "all notices are out", func() bool { return len(outputs(b, partitions)) == suspects })
	for p := range partitions {
		last, lane := uint64(0), fmt.Sprint("stream/", p)
		for _, e := range b.Output(p) {
			if !e.Quarantined() || e.PartitionKey() != lane || last != 0 && e.Sequence != last+1 {
				t.Errorf("partition %d: %d of %q follows %d", p, e.Sequence, e.PartitionKey(), last)
			}
			last = e.Sequence
		}
		if last == 0 {
			t.Errorf("partition %d has no notices", p)
		}
	}
}
