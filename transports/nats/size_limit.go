package nats

import (
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"livebridge/bridge"
)

const (
	// sizeLimitTTL is how long a query of the server's limit is valid.
	sizeLimitTTL     = time.Second
	sizeQueryTimeout = 2 * time.Second
)

// sizeLimit is the server's current limit of a message, which may differ from what it announced when we connected: a
// server whose configuration is reloaded does not announce a new max_payload.
type sizeLimit struct {
	mu      sync.Mutex
	limit   int64
	at      time.Time
	queries sync.WaitGroup
}

// rejectTooLarge fails an event that exceeds the limit announced when we connected. The event is rejected if it still
// does; otherwise it is unavailable until a new connection has announced the new limit to the client.
func (p *Publisher) rejectTooLarge(size, known int64, done func(error)) {
	if p.opts.InProcess != nil {
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
			done(bridge.Unavailable("max_payload of the NATS server has been raised: reconnecting"))
		}
	})
}

func rejectedSize(size, limit int64) error {
	return bridge.Rejected(bridge.RejectionTooLarge, "message of %d bytes exceeds the server's max_payload (%d): "+
		"raise it, then retry the dead letter", size, limit)
}

// currentSizeLimit queries the server's limit on a separate connection, and reconnects if the limit has been raised.
// When the query fails, the known limit stays valid. An error means that we are not connected to a server.
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
			_ = p.conn.Load().ForceReconnect() // fails only when the publisher is closed
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
