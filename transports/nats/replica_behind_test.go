package nats

import (
	"slices"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// TestOutputs: how far the streams of consumers are behind is told while they take nothing, and no more once they have
// all.
func TestOutputs(t *testing.T) {
	t.Parallel()
	o := trimmed(t)
	o.Quarantine = "live.quarantine"
	r, js := openReplicas(t, o), natstest.Connect(t, o.URL)
	config := natstest.Must(js.Stream(t.Context(), o.Stream)).CachedInfo().Config
	sources := config.Sources
	config.Sources, config.Subjects = nil, []string{"nobody"}
	natstest.Must(js.UpdateStream(t.Context(), config))
	p, err := r.Take(t.Context(), 0, 0, ignore)
	if err != nil {
		t.Fatal(err)
	}
	c := bridge.PartitionCommit{Events: []*bridge.Event{natstest.Notice(1), natstest.Event("a", 1)},
		Rows: []bridge.Row{{Key: []byte("row"), Value: []byte("value")}}}
	if _, err := p.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	transporttest.Eventually(t, "the notices are there, and the events are not", func() bool {
		all := r.Outputs()
		return len(all) == 2 && all[0].Stream == o.Stream && all[0].Behind > 0 && all[1].Behind == 0 &&
			messagesIn(t, js, QuarantineStream) == 1
	})
	config.Sources, config.Subjects = sources, nil
	natstest.Must(js.UpdateStream(t.Context(), config))
	transporttest.Eventually(t, "all is there", func() bool {
		return !slices.ContainsFunc(r.Outputs(), func(s bridge.OutputState) bool { return s.Behind > 0 || s.Waiting > 0 })
	})
	if n := messagesIn(t, js, o.Stream); n != 1 {
		t.Errorf("the output has %d events", n)
	}
}

// TestBehind: it is the age of the oldest commit that is missing, to a second.
func TestBehind(t *testing.T) {
	t.Parallel()
	var b behind
	begun := time.Unix(1000, 0)
	for n := range 50 {
		b.committed(uint64(100+n), begun.Add(time.Duration(n)*100*time.Millisecond))
	}
	for sourced, want := range map[uint64]time.Duration{0: 9 * time.Second, 108: 9 * time.Second, 109: 8 * time.Second,
		148: 5 * time.Second, 149: 0} {
		some := behind{marks: slices.Clone(b.marks)}
		some.sourced(sourced)
		if age, _ := some.state(begun.Add(9 * time.Second)); age != want {
			t.Errorf("a stream that has %d is %v behind, want %v", sourced, age, want)
		}
	}
}
