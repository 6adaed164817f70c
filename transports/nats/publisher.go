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
	link    *link
	conn    *nats.Conn
	streams *streams
	acks    *acks
	batches *batches // nil: others may write to the stream too, and every message has an answer of its own
	drafts  *drafts
	largest atomic.Int64 // the server's limit of a message; 0: not connected
	closing sync.Once
	stop    chan struct{}
}

// Dial makes a Publisher and returns at once: connecting, and looking after the streams, goes on in the background for as
// long as it takes. The error is one of the options.
func Dial(opts Options) (*Publisher, error) {
	if err := opts.Check(); err != nil {
		return nil, err
	}
	p := &Publisher{opts: opts, stop: make(chan struct{})}
	p.streams, p.drafts = newStreams(&p.opts), newDrafts(&p.opts)
	var err error
	if p.link, err = newLink(&p.opts); err != nil {
		return nil, err
	}
	options := []nats.Option{nats.CustomInboxPrefix(inboxPrefix), nats.ConnectHandler(p.connected),
		nats.ReconnectHandler(p.connected), nats.DisconnectErrHandler(p.disconnected)}
	p.acks = newAcks(nats.NewInbox()[len(nats.InboxPrefix):] + ".")
	p.acks.prefix = inboxPrefix + "." + p.acks.prefix
	if opts.inProcess != nil {
		p.batches = &batches{drafts: p.drafts, post: p.post}
	}
	if p.conn, err = p.link.connect(options...); err != nil {
		return nil, settingError("NATS_URL", err)
	}
	return p, p.begin()
}

// begin starts what goes on in the background.
func (p *Publisher) begin() error {
	js, err := jetstream.New(p.conn)
	if err == nil {
		err = p.listen()
	}
	if err != nil {
		p.conn.Close()
		return fmt.Errorf("NATS client: %w", err)
	}
	go p.acks.sweep(p.opts.AckTimeout, p.stop)
	p.streams.watch(js)
	return nil
}

// listen takes the server's answers. There are never more of them than events under way.
func (p *Publisher) listen() error {
	sub, err := p.conn.Subscribe(p.acks.prefix+"*", func(m *nats.Msg) {
		err := outcome(m)
		if err != nil {
			if errors.Is(err, errNoStream) {
				p.streams.look()
			}
			err = classify(err)
		}
		p.acks.answer(m.Subject, m, err)
	})
	if err != nil {
		return err
	}
	return sub.SetPendingLimits(-1, -1)
}

func (p *Publisher) connected(c *nats.Conn) {
	p.link.connected()
	p.largest.Store(c.MaxPayload())
	p.streams.look()
}

// disconnected answers what is under way: whether the server has it is not known, and it is safe to publish it again.
func (p *Publisher) disconnected(c *nats.Conn, err error) {
	if !c.IsConnected() {
		p.largest.Store(0)
	}
	lost := bridge.Unavailable("the connection to NATS was lost: %w", orElse(err, nats.ErrDisconnected))
	p.acks.abandon(0, lost)
	if p.batches != nil {
		p.batches.abandon(lost, p.opts.AckTimeout)
	}
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// Reload reads the files of credentials again and connects anew when they have changed. The error is of files that cannot
// be used: what they said before stays in force.
func (p *Publisher) Reload() error { return p.link.reload() }

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
	d := p.drafts.of(e)
	if size, limit := d.size(), min(p.largest.Load(), p.streams.limit(e)); size > limit && limit > 0 {
		p.drafts.release(d)
		done(bridge.Rejected("the message has %d bytes, the broker takes %d", size, limit))
		return
	}
	if p.batches != nil && !e.Quarantined() {
		p.batches.add(e, d, done)
		return
	}
	p.post(d, outcomeOf(done))
	p.drafts.release(d)
}

// post hands a message to the client. w is told of its outcome, from another goroutine; nil: nobody is.
func (p *Publisher) post(d *draft, w waiter) {
	d.msg.Reply = ""
	if w == nil {
		_ = p.conn.PublishMsg(&d.msg) // whoever counts the messages that are stored will know
		return
	}
	reply, open := p.acks.add(w)
	if !open {
		go w.answered(nil, errClosed())
		return
	}
	d.msg.Reply = reply
	if err := p.conn.PublishMsg(&d.msg); err != nil {
		go p.acks.answer(reply, nil, classify(err))
	}
}

// ready returns an Unavailable error while nothing can be published.
func (p *Publisher) ready() error {
	if p.largest.Load() == 0 {
		return bridge.Unavailable("not connected to NATS: %w", orElse(p.conn.LastError(), nats.ErrNoServers))
	}
	return p.streams.ready()
}

func errClosed() error { return bridge.Unavailable("the publisher is closed") }

// Close implements bridge.Publisher.
func (p *Publisher) Close(ctx context.Context) (err error) {
	p.closing.Do(func() {
		select {
		case <-p.acks.wait():
		case <-ctx.Done():
			err = ctx.Err()
		}
		p.acks.close(errClosed())
		close(p.stop)
		p.streams.stop()
		p.conn.Close()
	})
	return err
}
