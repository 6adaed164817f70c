package nats

import (
	"cmp"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"livebridge/bridge"
)

// reopenAfter is the pause before connecting again once the client has given up a connection.
const reopenAfter = 250 * time.Millisecond

// connect makes a connection and starts checking the streams through it. It does not wait for a server.
func (p *Publisher) connect() error {
	conn, err := p.connector.connect(p.opts.URL, nats.CustomInboxPrefix(p.opts.inbox()), nats.ConnectHandler(p.connected),
		nats.ReconnectHandler(p.connected), nats.DisconnectErrHandler(p.disconnected), nats.ClosedHandler(p.closed),
		onDenial(p.denied))
	if err != nil {
		return settingError("NATS_URL", err)
	}
	p.conn.Store(conn)
	js, err := jetstream.New(conn)
	if err == nil {
		err = p.listen(conn)
	}
	if err != nil {
		conn.SetClosedHandler(nil)
		conn.Close()
		return fmt.Errorf("NATS client: %w", err)
	}
	p.streams.start(js)
	return nil
}

// listen receives the server's answers. They need no limit: there are never more of them than events in flight.
func (p *Publisher) listen(conn *nats.Conn) error {
	sub, err := conn.Subscribe(p.acks.prefix+"*", func(m *nats.Msg) { p.acks.answer(m.Subject, m, nil) })
	if err != nil {
		return err
	}
	return sub.SetPendingLimits(-1, -1)
}

func (p *Publisher) connected(*nats.Conn) {
	p.online.Store(true)
	p.streams.recheck()
}

// disconnected fails what is in flight: the server may have it or not, and it is safe to publish it again.
func (p *Publisher) disconnected(c *nats.Conn, err error) {
	if !c.IsConnected() {
		p.online.Store(false)
		p.streams.release()
	}
	lost := bridge.Unavailable("the connection to NATS was lost: %w", firstError(err, nats.ErrDisconnected))
	p.acks.abandon(0, lost)
	if p.batches != nil {
		p.batches.abandon(lost, p.opts.AckTimeout)
	}
}

func firstError(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// closed starts another connection. The client gives one up for good on server errors that it does not know, such as
// the one for a message above a max_payload that has been lowered.
func (p *Publisher) closed(*nats.Conn) { go p.reopen() }

func (p *Publisher) reopen() {
	for p.wait(reopenAfter) {
		p.connMu.Lock()
		err := p.reconnect()
		p.connMu.Unlock()
		if err == nil {
			return
		}
		p.opts.Log.Warn("cannot reconnect to NATS; retrying", zap.Error(err))
	}
}

// wait reports false when the publisher is closed.
func (p *Publisher) wait(d time.Duration) bool {
	select {
	case <-p.stop:
		return false
	case <-time.After(d):
		return true
	}
}

// reconnect is connect after a lost connection.
func (p *Publisher) reconnect() error {
	select {
	case <-p.stop:
		return nil
	default:
	}
	p.streams.stop()
	return p.connect()
}

// reconnectSoon reconnects after a pause.
func (p *Publisher) reconnectSoon() {
	if p.reconnecting.Swap(true) {
		return
	}
	time.AfterFunc(cmp.Or(p.opts.CheckInterval, recheckInterval), func() {
		p.reconnecting.Store(false)
		_ = p.conn.Load().ForceReconnect() // fails only when the publisher is closed
	})
}
