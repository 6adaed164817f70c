package nats

import (
	"errors"
	"net"

	"github.com/nats-io/nats-server/v2/server"
)

// ownConnections is how many connections of this process the embedded server has: the publisher, and the gate. They
// need no file descriptor.
const ownConnections = 2

// maxConnections is the limit on connections that the server is given; 0: its own default.
func (o EmbeddedOptions) maxConnections() int {
	if o.MaxConsumers == 0 {
		return 0
	}
	return o.MaxConsumers + ownConnections
}

// InProcessConn implements nats.InProcessConnProvider. Consumers cannot keep us out: when they have taken every
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

// closeNewest closes the newest of most connections that comes from outside.
func closeNewest(s *server.Server, limit int) {
	z, err := s.Connz(&server.ConnzOptions{Sort: server.ByCid, Limit: limit})
	if err != nil {
		return
	}
	for i := len(z.Conns) - 1; i >= 0; i-- {
		if c := z.Conns[i]; c.IP != "" { // one inside the process has no address
			_ = s.DisconnectClientByID(c.Cid) // an error says that it has gone by itself
			return
		}
	}
}
