package dispatch

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
)

// harness is a dispatcher that runs between a fake outbox and a fake publisher, inside a synctest bubble.
type harness struct {
	t        *testing.T
	outbox   *fakeOutbox
	d        *Dispatcher
	registry *prometheus.Registry
	logs     *observer.ObservedLogs
	stop     func()             // ends publishing
	expire   context.CancelFunc // ends the grace
	ended    chan struct{}
}

func run(t *testing.T, p bridge.Publisher, opts Options) *harness {
	t.Helper()
	core, logs := observer.New(zapcore.InfoLevel)
	r := &harness{t: t, outbox: newFakeOutbox(), registry: prometheus.NewRegistry(), logs: logs,
		ended: make(chan struct{})}
	r.start(p, opts, zap.New(core))
	return r
}

// start starts the dispatcher of a harness.
func (r *harness) start(p bridge.Publisher, opts Options, log *zap.Logger) {
	r.t.Helper()
	r.d = New(r.outbox, p, opts, log, r.registry)
	grace, expire := context.WithCancel(r.t.Context())
	r.expire = expire
	var once sync.Once
	r.stop = func() {
		once.Do(func() {
			go func() {
				defer close(r.ended)
				r.d.Shutdown(grace)
			}()
		})
	}
	go r.d.Run()
	r.t.Cleanup(func() { r.stop(); expire() })
}

// drain lets the dispatcher work until nothing is left, then ends it. It waits for what is settled and does not look
// again and again: a dispatcher that stands still is found as soon as nothing else has to be waited for.
func (r *harness) drain(atMost time.Duration) {
	r.t.Helper()
	for late := time.After(atMost); r.outbox.pending() > 0; {
		select {
		case <-r.outbox.settled:
		case <-late:
			r.t.Fatalf("%d events are left after %v", r.outbox.pending(), atMost)
		}
	}
	r.end()
}

func (r *harness) end() {
	r.stop()
	select {
	case <-r.ended:
	case <-time.After(time.Hour):
		r.t.Fatal("the dispatcher does not end")
	}
	r.expire()
	if len(r.outbox.misuse) > 0 {
		r.t.Error(r.outbox.misuse)
	}
}

func lane(i int) bridge.Lane {
	return bridge.Lane{Kind: bridge.KindStream, Domain: "push.example.com", App: "live", Stream: fmt.Sprint("room", i)}
}

// events makes n events for each of some lanes, in order.
func events(lanes, n int) []*bridge.Event {
	var out []*bridge.Event
	for s := range n {
		for l := range lanes {
			out = append(out, &bridge.Event{Lane: lane(l), Sequence: uint64(s + 1)})
		}
	}
	return out
}
