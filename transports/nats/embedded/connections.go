package embedded

import (
	"errors"
	"net"

	"github.com/nats-io/nats-server/v2/server"
)

// ownConnections is how many connections this process has to the embedded server: those of the publisher and of the
// consumer proxy. They need no file descriptor.
const ownConnections = 2

// maxConnections is the server's limit on connections; 0: its default.
func (o Options) maxConnections() int {
	if o.MaxConsumers == 0 {
		return 0
	}
	return o.MaxConsumers + ownConnections
}

// InProcessConn implements nats.InProcessConnProvider. Consumers cannot lock the bridge out: when they use every
// connection, the newest of theirs is closed.
func (h *serverHost) InProcessConn() (net.Conn, error) {
	s := h.server()
	if s == nil {
		return nil, errors.New("the embedded NATS server is not running")
	}
	if limit := h.opts.maxConnections(); limit > 0 && s.NumClients() >= limit {
		closeNewest(s, limit)
	}
	return s.InProcessConn()
}

// closeNewest closes the newest of the connections from outside.
func closeNewest(s *server.Server, limit int) {
	z, err := s.Connz(&server.ConnzOptions{Sort: server.ByCid, Limit: limit})
	if err != nil {
		return
	}
	for i := len(z.Conns) - 1; i >= 0; i-- {
		if c := z.Conns[i]; c.IP != "" { // in-process connections have no address
			_ = s.DisconnectClientByID(c.Cid) // fails when the connection has already ended
			return
		}
	}
}
