package main

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"livebridge/bridge"
	"livebridge/bridge/admin"
	"livebridge/bridge/ingress"
)

// engine is what is behind the port for callbacks: it makes a callback durable, decides it and publishes what that
// emits.
type engine interface {
	ingress.Journal
	admin.Operator
	brokerState

	Ready() error            // nil while it takes callbacks
	Failed() <-chan struct{} // closed when nothing more may be answered, until a restart
	Err() error              // why; nil: it has not failed
	failure() <-chan error   // of what the broker is in this process; nil: it is elsewhere
	Backlog() bridge.Backlog // what waits for the broker
	run(alive context.Context, group *errgroup.Group)

	// leads reports whether this process does what only one of many replicas should do.
	leads() bool

	// pending returns how many events wait for the broker.
	pending() int
	// drain waits until what was there at an instant is published, or everything if that is zero. It returns an error
	// when ctx ends before, or when the broker is not available.
	drain(ctx context.Context, since time.Time) error
	// refuse makes it take no more callbacks. finish then ends what runs, and returns how many events are left for the
	// next start, and close what is open.
	refuse()
	finish(end time.Time) (left int)
	close(end time.Time) error
}

// brokerState is the broker as the status page and the credentials' files see it.
type brokerState interface {
	Connected() bool // it responds, and the stream or topic of events is usable
	Available() bool // publishing succeeds
	Topic() (bridge.TopicState, bool)
	Reload() error // reads the files of credentials again
}
