package nats

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/bridge"
)

// Publisher publishes events to JetStream and tells of the server's acknowledgement. It implements bridge.Publisher.
type Publisher struct {
	opts    Options
	conn    *nats.Conn
	streams *streams
	acks    *acks
	batches *batches // nil: others may write to the stream too, and every message has an answer of its own
	drafts  *drafts
	sizes   sizes
	online  atomic.Bool
	renewal atomic.Bool // the connection is about to be made anew
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
	options, err := p.opts.connectOptions()
	if err != nil {
		return nil, err
	}
	options = append(options, nats.CustomInboxPrefix(p.opts.inbox()), nats.ConnectHandler(p.connected),
		nats.ReconnectHandler(p.connected), nats.DisconnectErrHandler(p.disconnected), onDenial(p.denied))
	p.acks = newAcks(p.opts.inbox() + "." + nats.NewInbox()[len(nats.InboxPrefix):] + ".")
	p.acks.judge = p.judge
	if opts.inProcess != nil {
		p.batches = &batches{drafts: p.drafts, post: p.postEvent}
	}
	if p.conn, err = nats.Connect(opts.URL, options...); err != nil {
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
	p.streams.start(js)
	return nil
}

// listen takes the server's answers. There are never more of them than events under way.
func (p *Publisher) listen() error {
	sub, err := p.conn.Subscribe(p.acks.prefix+"*", func(m *nats.Msg) {
		p.acks.answer(m.Subject, m, nil)
	})
	if err != nil {
		return err
	}
	return sub.SetPendingLimits(-1, -1)
}

// judge returns what the answer to a message for a stream tells of.
func (p *Publisher) judge(to *stream, answer *nats.Msg) error {
	err := outcome(answer, to.want.Name, to.ack)
	if err == nil {
		return nil
	}
	if doubtful(err) {
		to.recheck()
	}
	return classify(err)
}

func (p *Publisher) connected(*nats.Conn) {
	p.online.Store(true)
	p.streams.recheck()
}

// disconnected answers what is under way: whether the server has it is not known, and it is safe to publish it again.
func (p *Publisher) disconnected(c *nats.Conn, err error) {
	if !c.IsConnected() {
		p.online.Store(false)
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

// Publish implements bridge.Publisher.
func (p *Publisher) Publish(e *bridge.Event, done func(error)) {
	to := p.streams.of(e)
	if to == nil {
		done(nil)
		return
	}
	if err := p.ready(to); err != nil {
		done(err)
		return
	}
	d := p.drafts.of(e)
	if size, known := d.size(), p.conn.MaxPayload(); size > known {
		p.drafts.release(d)
		p.tooLarge(size, known, done)
		return
	}
	if p.batches != nil && !e.Quarantined() {
		p.batches.add(e, d, done)
		return
	}
	p.post(d, to, outcomeOf(done))
	p.drafts.release(d)
}

// postEvent is post for the events' stream.
func (p *Publisher) postEvent(d *draft, w waiter) { p.post(d, p.streams.events, w) }

// post hands a message to the client. w is told of its outcome, from another goroutine; nil: nobody is.
func (p *Publisher) post(d *draft, to *stream, w waiter) {
	d.msg.Reply = ""
	if w == nil {
		_ = p.conn.PublishMsg(&d.msg) // whoever counts the messages that are stored will know
		return
	}
	reply, open := p.acks.add(w, to, d.msg.Subject)
	if !open {
		go w.answered(nil, errClosed())
		return
	}
	d.msg.Reply = reply
	if err := p.conn.PublishMsg(&d.msg); err != nil {
		go p.acks.answer(reply, nil, classify(err))
	}
}

// ready returns an Unavailable error while nothing can be published to a stream.
func (p *Publisher) ready(to *stream) error {
	if !p.online.Load() {
		return bridge.Unavailable("not connected to NATS: %w", orElse(p.conn.LastError(), nats.ErrNoServers))
	}
	return to.ready()
}

// reconnectSoon makes the connection anew after a while.
func (p *Publisher) reconnectSoon() {
	if p.renewal.Swap(true) {
		return
	}
	time.AfterFunc(cmp.Or(p.opts.recheck, recheckInterval), func() {
		p.renewal.Store(false)
		_ = p.conn.ForceReconnect() // it fails when the publisher is closed
	})
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
		p.sizes.asking.Wait()
	})
	return err
}
