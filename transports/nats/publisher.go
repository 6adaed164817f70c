package nats

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/bridge"
)

// Publisher publishes events to JetStream and tells of the server's acknowledgement. It implements bridge.Publisher.
type Publisher struct {
	opts    Options
	conn    *nats.Conn
	js      jetstream.JetStream
	streams *streams

	mu       sync.Mutex
	underWay map[*nats.Msg]func(error)
	idle     chan struct{} // closed when Close waits and nothing is under way
	closed   atomic.Bool
}

// Dial makes a Publisher and returns at once: connecting, and looking after the streams, goes on in the background for as
// long as it takes. The error is one of the options.
func Dial(opts Options) (*Publisher, error) {
	options, err := opts.connectOptions()
	if err != nil {
		return nil, err
	}
	p := &Publisher{opts: opts, underWay: make(map[*nats.Msg]func(error))}
	p.streams = newStreams(&p.opts)
	wake := func(*nats.Conn) { p.streams.look() }
	options = append(options, nats.ConnectHandler(wake), nats.ReconnectHandler(wake))
	if p.conn, err = nats.Connect(opts.URL, options...); err != nil {
		return nil, fmt.Errorf("connect to NATS_URL: %w", err)
	}
	p.js, err = jetstream.New(p.conn,
		jetstream.WithPublishAsyncMaxPending(1<<20), jetstream.WithPublishAsyncTimeout(opts.AckTimeout),
		jetstream.WithPublishAsyncAckHandler(func(_ jetstream.JetStream, m *nats.Msg, _ *jetstream.PubAck) { p.done(m, nil) }),
		jetstream.WithPublishAsyncErrHandler(func(_ jetstream.JetStream, m *nats.Msg, err error) { p.done(m, p.classify(err)) }))
	if err != nil {
		return nil, errors.Join(err, p.Close(context.Background()))
	}
	p.streams.watch(p.js)
	return p, nil
}

// Failed delivers the error of streams that cannot be used as they are, until somebody changes them or the settings.
func (p *Publisher) Failed() <-chan error { return p.streams.refused }

// Publish implements bridge.Publisher.
func (p *Publisher) Publish(e *bridge.Event, done func(error)) {
	if e.Quarantined() && p.opts.Quarantine == "" {
		done(nil)
		return
	}
	if err := p.ready(); err != nil {
		done(err)
		return
	}
	m := p.opts.message(e)
	if limit := min(p.conn.MaxPayload(), p.streams.limit(e)); size(m) > limit {
		done(bridge.Rejected("the message has %d bytes, the broker takes %d", size(m), limit))
		return
	}
	p.mu.Lock()
	p.underWay[m] = done
	p.mu.Unlock()
	if _, err := p.js.PublishMsgAsync(m, jetstream.WithRetryAttempts(0)); err != nil {
		p.done(m, p.classify(err))
	}
}

// ready returns an Unavailable error while nothing can be published.
func (p *Publisher) ready() error {
	switch {
	case p.closed.Load():
		return bridge.Unavailable("the publisher is closed")
	case !p.conn.IsConnected():
		return bridge.Unavailable("not connected to NATS: %w", cause(p.conn.LastError(), nats.ErrConnectionClosed))
	}
	return p.streams.ready()
}

func cause(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// done tells of one outcome, once.
func (p *Publisher) done(m *nats.Msg, err error) {
	p.mu.Lock()
	f, found := p.underWay[m]
	delete(p.underWay, m)
	if p.idle != nil && len(p.underWay) == 0 {
		close(p.idle)
		p.idle = nil
	}
	p.mu.Unlock()
	if found {
		f(err)
	}
}

// Close implements bridge.Publisher.
func (p *Publisher) Close(ctx context.Context) error {
	p.closed.Store(true)
	p.mu.Lock()
	idle := make(chan struct{})
	if len(p.underWay) == 0 {
		close(idle)
	} else {
		p.idle = idle
	}
	p.mu.Unlock()
	var err error
	select {
	case <-idle:
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.streams.stop()
	p.conn.Close()
	p.abandon()
	return err
}

// abandon answers what is still under way.
func (p *Publisher) abandon() {
	p.mu.Lock()
	left := p.underWay
	p.underWay = make(map[*nats.Msg]func(error))
	p.mu.Unlock()
	for _, f := range left {
		f(bridge.Unavailable("the publisher is closed"))
	}
}
