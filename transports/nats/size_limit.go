package nats

import (
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"livebridge/bridge"
)

const (
	// sizeLimitTTL is how long an answer about the server's limit holds.
	sizeLimitTTL     = time.Second
	sizeQueryTimeout = 2 * time.Second
)

// sizeLimit is what is known of the server's limit of a message, beyond what it said when the connection was made: a server
// whose configuration is reloaded tells nobody of a new max_payload.
type sizeLimit struct {
	mu      sync.Mutex
	limit   int64
	at      time.Time
	queries sync.WaitGroup
}

// rejectTooLarge answers an event that is larger than the server took when we connected. It is rejected if it still is; else
// it comes again when a new connection has told the client of the new limit.
func (p *Publisher) rejectTooLarge(size, known int64, done func(error)) {
	if p.opts.inProcess != nil {
		done(rejectedSize(size, known))
		return
	}
	p.sizeLimit.queries.Go(func() {
		switch limit, err := p.currentSizeLimit(known); {
		case err != nil:
			done(err)
		case size > limit:
			done(rejectedSize(size, limit))
		default:
			done(bridge.Unavailable("max_payload of the server has been raised: reconnecting"))
		}
	})
}

func rejectedSize(size, limit int64) error {
	return bridge.Rejected("message of %d bytes exceeds the server's max_payload (%d): "+
		"raise it, then retry the dead letter",
		size, limit)
}

// currentSizeLimit asks the server by a connection of its own, and makes ours anew if the limit has been raised. When it
// cannot be asked, what is known holds. The error says that there is no server to ask.
func (p *Publisher) currentSizeLimit(known int64) (int64, error) {
	s := &p.sizeLimit
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.at) > sizeLimitTTL {
		server := p.conn.Load().ConnectedUrl()
		if server == "" {
			return 0, bridge.Unavailable("not connected to NATS: %w", nats.ErrDisconnected)
		}
		s.limit, s.at = p.querySizeLimit(server, known), time.Now()
		if s.limit > known {
			_ = p.conn.Load().ForceReconnect() // it fails when the publisher is closed
		}
	}
	return s.limit, nil
}

func (p *Publisher) querySizeLimit(server string, known int64) int64 {
	l, err := newConnector(&p.opts)
	if err != nil {
		return known
	}
	conn, err := l.connect(server, nats.NoReconnect(), nats.RetryOnFailedConnect(false), nats.Timeout(sizeQueryTimeout))
	if err != nil {
		return known
	}
	defer conn.Close()
	return conn.MaxPayload()
}
