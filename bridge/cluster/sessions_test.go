package cluster

import (
	"fmt"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/processor/processortest"
)

// TestOpenSessions: a replica that owns nothing lists the open sessions of all partitions, those of a domain or all of
// them.
func TestOpenSessions(t *testing.T) {
	t.Parallel()
	const partitions, streams = 3, 12
	b := newBroker(partitions)
	owner, first := newReplica(t, b)
	first.Assign(0, 1, 2)
	other, _ := newReplica(t, b)
	for i := range streams {
		stream := fmt.Sprintf("s%02d", i)
		elsewhere := processortest.Push(stream, session, bridge.PhasePublish)
		elsewhere.Event.Lane.Domain, elsewhere.Event.ID[0] = "push.example.com.cn", elsewhere.Event.ID[0]+1
		elsewhere.Signature = bridge.Signature{}
		appendTo(t, other, elsewhere)
		appendTo(t, other, processortest.Push(stream, session, bridge.PhasePublish))
	}
	list := func(domain string) []bridge.OpenSession {
		open, err := other.OpenSessions(t.Context(), domain)
		if err != nil {
			t.Fatal(err)
		}
		return open
	}
	eventually(t, "all are open", func() bool { return len(list("")) == 2*streams })
	for i := range streams - 1 {
		appendTo(t, other, processortest.Push(fmt.Sprintf("s%02d", i), session, bridge.PhaseDone))
	}
	eventually(t, "one is open", func() bool { return len(list("push.example.com")) == 1 })
	want := bridge.OpenSession{Domain: "push.example.com", App: "live", Stream: "s11", Session: session}
	if open := list("push.example.com"); open[0] != want || len(list("")) != streams+1 {
		t.Errorf("%+v is open, want %+v", open[0], want)
	}
	if !owner.Owns(2) || other.Owns(2) {
		t.Error("the wrong replica owns a partition")
	}
}
