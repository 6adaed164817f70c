package nats

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"

	"livebridge/bridge"
)

// Publisher publishes events to JetStream and reports their acknowledgements. It implements bridge.Publisher.
type Publisher struct {
	opts         Options
	connector    *connector
	conn         atomic.Pointer[nats.Conn]
	streams      *streams
	acks         *acks
	batches      *batches // nil: every message gets its own acknowledgement, since others write too or each is logged
	messagePool  *messagePool
	stored       func(*bridge.Event, bridge.Position) // hears where events are stored; nil: nobody asks
	sizeLimit    sizeLimit
	online       atomic.Bool
	reconnecting atomic.Bool // a reconnect is scheduled
	connMu       sync.Mutex  // guards replacing the connection
	closing      sync.Once
	stop         chan struct{}
}

// Dial makes a Publisher and returns at once: it connects and checks the streams in the background, for as long as it
// takes. It returns an error only for invalid options.
func Dial(opts Options) (*Publisher, error) {
	if err := opts.Check(); err != nil {
		return nil, err
	}
	p := &Publisher{opts: opts, stop: make(chan struct{})}
	p.streams, p.messagePool = newStreams(&p.opts), newMessagePool(&p.opts)
	p.acks = newAcks(p.opts.inbox() + "." + nats.NewInbox()[len(nats.InboxPrefix):] + ".")
	p.acks.interpret = p.interpret
	p.opts.tlsClient().Warn(p.opts.Log, settingNames("NATS_TLS_VERIFY"))
	if opts.InProcess != nil && !p.opts.debug() {
		p.batches = &batches{messagePool: p.messagePool, post: p.postEvent}
	}
	var err error
	if p.connector, err = newConnector(&p.opts); err != nil {
		return nil, err
	}
	p.streams.events.onUsable = func() { p.connector.connected(p.streams.events) }
	if err := p.connect(); err != nil {
		return nil, err
	}
	go p.acks.expireOverdue(p.opts.AckTimeout, p.stop)
	return p, nil
}

// interpret returns the error in the answer to a message for a stream.
func (p *Publisher) interpret(to *stream, answer *nats.Msg) error {
	err := outcome(answer, to.want.Name, to.ack)
	if err == nil {
		return nil
	}
	if contradictsCheck(err) {
		to.recheck()
	}
	return classify(err)
}

// Connected reports whether a server is connected and the stream of events is usable.
func (p *Publisher) Connected() bool { return p.ready(p.streams.events) == nil }

// Reload reads the files of credentials again and reconnects when they have changed. A file in the error cannot be
// used, and its previous content stays active.
func (p *Publisher) Reload() error { return p.connector.reload() }

// Publish implements bridge.Publisher.
func (p *Publisher) Publish(e *bridge.Event, done func(error)) {
	to := p.streams.of(e)
	if to == nil {
		done(nil)
		return
	}
	if err := p.ready(to); err != nil {
		if !p.conn.Load().IsConnected() || !to.hold.add(func() { p.Publish(e, done) }) {
			done(err)
		}
		return
	}
	d := p.messagePool.of(e)
	if size, known := d.size(), p.conn.Load().MaxPayload(); size > known {
		p.messagePool.release(d)
		p.rejectTooLarge(size, known, done)
		return
	}
	if p.batches != nil && !e.Quarantined() {
		p.batches.add(e, d, done)
		return
	}
	p.post(d, to, p.handlerOf(e, to, done))
	p.messagePool.release(d)
}

// postEvent is post for the events' stream.
func (p *Publisher) postEvent(d *message, w ackHandler) { p.post(d, p.streams.events, w) }

// post hands a message to the client. w, if not nil, gets its outcome on another goroutine.
func (p *Publisher) post(d *message, to *stream, w ackHandler) {
	d.msg.Reply = ""
	if w == nil {
		_ = p.conn.Load().PublishMsg(&d.msg) // a failure shows in the count of stored messages
		return
	}
	reply, open := p.acks.add(w, to, d.msg.Subject)
	if !open {
		go w.handleAck(nil, errClosed())
		return
	}
	d.msg.Reply = reply
	if err := p.conn.Load().PublishMsg(&d.msg); err != nil {
		go p.acks.answer(reply, nil, classify(err))
	}
}

// ready returns an unavailable error while nothing can be published to a stream.
func (p *Publisher) ready(to *stream) error {
	if !p.online.Load() {
		return bridge.Unavailable("not connected to NATS: %w", p.connector.cause())
	}
	return to.ready()
}

func errClosed() error { return bridge.Unavailable("the publisher is closed") }

// Close implements bridge.Publisher.
func (p *Publisher) Close(ctx context.Context) (err error) {
	p.closing.Do(func() {
		select {
		case <-p.acks.drained():
		case <-ctx.Done():
			err = ctx.Err()
		}
		p.acks.close(errClosed())
		close(p.stop)
		p.connMu.Lock()
		defer p.connMu.Unlock()
		p.streams.stop()
		p.conn.Load().Close()
		p.streams.release()
		p.sizeLimit.queries.Wait()
	})
	return err
}
