package dispatch

import (
	"context"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"livebridge/bridge"
)

func BenchmarkDispatch(b *testing.B) {
	out := &endlessOutbox{lanes: make(chan *bridge.Event, 1000)}
	for i := range cap(out.lanes) {
		out.lanes <- &bridge.Event{Lane: lane(i)}
	}
	out.left = b.N
	d := New(out, &fakeInstant{}, Options{}, zap.NewNop(), prometheus.NewRegistry())
	b.ReportAllocs()
	b.ResetTimer()
	out.cancel = d.quit
	d.Run()
}

// endlessOutbox is an outbox whose lanes never run dry.
type endlessOutbox struct {
	lanes  chan *bridge.Event
	left   int
	cancel context.CancelFunc
	batch  []*bridge.Event
}

func (r *endlessOutbox) Next(ctx context.Context) ([]*bridge.Event, error) {
	if r.left <= 0 {
		r.cancel()
		return nil, ctx.Err()
	}
	r.batch = r.batch[:0]
	for range min(256, len(r.lanes)) {
		r.batch = append(r.batch, <-r.lanes)
	}
	r.left -= len(r.batch)
	return r.batch, nil
}

func (r *endlessOutbox) Settle(e *bridge.Event, _ bridge.Settlement) { r.lanes <- e }

func (*endlessOutbox) Trim(context.Context, func(context.Context) error) error { return nil }

// fakeInstant acknowledges at once.
type fakeInstant struct{}

func (fakeInstant) Publish(_ *bridge.Event, done func(error)) { done(nil) }

func (fakeInstant) Close(context.Context) error { return nil }
