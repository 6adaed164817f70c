package store

import (
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// partition is a processor on a cache, as an owner has it, and the rows of all its commits.
type partition struct {
	*Cache
	t       testing.TB
	p       *processor.Processor
	now     processor.Moment
	effects processor.Effects
	results []CommandResult // of the commit in the making
	commits [][]bridge.Row
}

func newPartition(t testing.TB) *partition {
	t.Helper()
	p := &partition{Cache: openCache(t, vfs.NewMem(), time.Now), t: t, now: processor.Moment{Wall: begin}}
	t.Cleanup(func() { closeCache(t, p.Cache) })
	p.State().Origin, p.State().Counters.Floor = 1, processor.FirstFloor(bridge.MillisOf(begin))
	kept, err := p.Kept()
	p.must(err)
	o := defaults()
	o.SessionEvents = true
	p.p, err = processor.New(o, p.Cache, p.State().CopyCounters(), kept, p.now)
	p.must(err)
	return p
}

func (p *partition) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// pass lets time pass.
func (p *partition) pass(by time.Duration) {
	p.now = processor.MomentOf(time.Duration(p.now.At)+by, p.now.Wall.Add(by))
}

// do commits inputs and returns the rows.
func (p *partition) do(inputs ...processor.Input) []bridge.Row {
	p.t.Helper()
	for _, in := range inputs {
		in.Now = p.now
		p.must(p.p.Apply(in, &p.effects))
	}
	rows, err := p.Rows(&p.effects, p.State().Next+uint64(len(inputs)), p.results)
	p.must(err)
	p.must(p.Apply(rows, uint64(len(p.commits)+1)))
	p.p.Committed()
	p.effects.Reset()
	p.results, p.commits = nil, append(p.commits, rows)
	return rows
}

// arrive commits callbacks together.
func (p *partition) arrive(arrivals ...*bridge.Arrival) []bridge.Row {
	p.t.Helper()
	return p.do(inputs(arrivals...)...)
}

// rejected is the input of an event that the broker will never take.
func rejected(a *bridge.Arrival, sequence uint64) processor.Input {
	e := a.Event
	e.Sequence = sequence
	return processor.Input{Action: processor.Reject,
		Rejected: processor.Rejection{Event: &e, Reason: bridge.RejectionTooLarge, Detail: "9 bytes exceed 8"}}
}
