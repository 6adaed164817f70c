package nats

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

// The requests that make a consumer, and where those from outside come to first.
const (
	createAPI    = "$JS.API.CONSUMER.CREATE."
	createProxy  = "_LIVEBRIDGE_GATE.CREATE."
	durableAPI   = "$JS.API.CONSUMER.DURABLE.CREATE."
	durableProxy = "_LIVEBRIDGE_GATE.DURABLE."
)

const (
	proxyRequests = 64 // looked at, at once
	proxyTimeout  = 5 * time.Second
)

// consumerProxy passes requests for consumers on, but for those of a push consumer that would deliver anywhere else than to a
// client's inbox: into a stream, for example.
type consumerProxy struct {
	conn  *nats.Conn
	log   *zap.Logger
	slots chan struct{}
}

// startConsumerProxy begins to serve requests. It ends with the connection.
func startConsumerProxy(conn *nats.Conn, log *zap.Logger) error {
	g := &consumerProxy{conn: conn, log: log, slots: make(chan struct{}, proxyRequests)}
	for from, to := range map[string]string{createProxy: createAPI, durableProxy: durableAPI} {
		_, err := conn.Subscribe(from+">", func(m *nats.Msg) {
			g.slots <- struct{}{}
			go func() {
				defer func() { <-g.slots }()
				g.serve(m, to+strings.TrimPrefix(m.Subject, from))
			}()
		})
		if err != nil {
			return err
		}
	}
	return conn.Flush()
}

func (g *consumerProxy) serve(m *nats.Msg, api string) {
	answer := consumerError(400, "a push consumer must deliver to a subject that begins with _INBOX.")
	if deliversToInbox(m.Data) {
		answer = consumerError(503, "the server has not answered")
		if r, err := g.conn.Request(api, m.Data, proxyTimeout); err == nil {
			answer = r.Data
		}
	}
	if err := m.Respond(answer); err != nil {
		g.log.Warn("a consumer of the embedded NATS server could not be answered", zap.Error(err))
	}
}

// deliversToInbox reads the request as the server does, with the same library: of a member that is there twice, both
// take the last.
func deliversToInbox(request []byte) bool {
	var r struct {
		Config struct {
			DeliverSubject string `json:"deliver_subject"`
		} `json:"config"`
	}
	if json.Unmarshal(request, &r) != nil {
		return false
	}
	return r.Config.DeliverSubject == "" || strings.HasPrefix(r.Config.DeliverSubject, "_INBOX.")
}

// consumerError writes the server's answer to a request that failed.
func consumerError(code int, why string) []byte {
	type apiError struct {
		Code        int    `json:"code"`
		ErrCode     int    `json:"err_code"`
		Description string `json:"description"`
	}
	const invalidDeliverSubject = 10112
	text, err := json.Marshal(struct {
		Type  string   `json:"type"`
		Error apiError `json:"error"`
	}{"io.nats.jetstream.api.v1.consumer_create_response", apiError{code, invalidDeliverSubject, why}})
	if err != nil {
		return nil
	}
	return text
}
