package processor_test

import (
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// inOrder returns callbacks of one stream, session by session, each in order.
func inOrder(sessions int) (all []*bridge.Arrival) {
	for i := range sessions {
		for _, phase := range []bridge.Phase{bridge.PhasePublish, bridge.PhaseDone} {
			all = append(all, push("a", 1.7e12+bridge.Millis(i)*1000, phase))
		}
	}
	return all
}

// BenchmarkApply is a callback through the processor, without a commit.
func BenchmarkApply(b *testing.B) {
	arrivals := inOrder(b.N/2 + 1)
	p, eff := bare(b, defaults())
	b.ReportAllocs()
	b.ResetTimer()
	for _, a := range arrivals[:b.N] {
		take(b, p, a, eff)
	}
}

// bare is a processor on a view that shows nothing.
func bare(b testing.TB, o processor.Options) (*processor.Processor, *processor.Effects) {
	b.Helper()
	p, err := processor.New(o, emptyView{}, processor.Counters{}, processor.Kept{}, processor.MomentOf(0, begin))
	if err != nil {
		b.Fatal(err)
	}
	return p, new(processor.Effects)
}

func take(b testing.TB, p *processor.Processor, a *bridge.Arrival, eff *processor.Effects) {
	b.Helper()
	in := processor.Input{Arrival: a, Now: processor.MomentOf(time.Second, begin.Add(time.Second))}
	if err := p.Apply(in, eff); err != nil {
		b.Fatal(err)
	}
	p.Committed()
	eff.Reset()
}

type emptyView struct{}

func (emptyView) Lane(bridge.Lane, processor.Moment) (l processor.LaneState, found bool, err error) {
	return l, found, err
}

func (emptyView) Entry(processor.EntryRef) (e processor.Entry, found bool, err error) {
	return e, found, err
}

func (emptyView) Name(processor.Name) (u processor.SignatureUse, found bool, err error) {
	return u, found, err
}

// TestAllocations: without filters and events of sessions a callback in order costs one allocation, its copy.
func TestAllocations(t *testing.T) {
	const sessions = 2000
	arrivals := inOrder(sessions)
	p, eff := bare(t, defaults())
	take(t, p, arrivals[0], eff)
	n := 1
	got := testing.AllocsPerRun(2*sessions-3, func() { take(t, p, arrivals[n], eff); n++ })
	if got > 1 {
		t.Errorf("%v allocations", got)
	}
}
