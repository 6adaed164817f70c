package embedded

import (
	"encoding/json"
	"strings"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

// The requests that create a consumer, and the subjects on which the proxy receives those from outside.
const (
	createAPI    = "$JS.API.CONSUMER.CREATE."
	createProxy  = "_LIVEBRIDGE_PROXY.CREATE."
	durableAPI   = "$JS.API.CONSUMER.DURABLE.CREATE."
	durableProxy = "_LIVEBRIDGE_PROXY.DURABLE."
)

const (
	proxyRequests = 64 // handled concurrently
	proxyTimeout  = 5 * time.Second
)

// consumerProxy forwards requests to create consumers. It rejects push consumers that would deliver anywhere but to a
// client's inbox, such as into a stream.
type consumerProxy struct {
	conn  *natsgo.Conn
	log   *zap.Logger
	slots chan struct{}
}

// startConsumerProxy serves requests until the connection ends.
func startConsumerProxy(conn *natsgo.Conn, log *zap.Logger) error {
	g := &consumerProxy{conn: conn, log: log, slots: make(chan struct{}, proxyRequests)}
	for from, to := range map[string]string{createProxy: createAPI, durableProxy: durableAPI} {
		_, err := conn.Subscribe(from+">", func(m *natsgo.Msg) {
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

func (g *consumerProxy) serve(m *natsgo.Msg, api string) {
	answer := consumerError(400, "a push consumer must deliver to a subject that begins with _INBOX.")
	if deliversToInbox(m.Data) {
		answer = consumerError(503, "no response from the embedded NATS server: retry")
		if r, err := g.conn.Request(api, m.Data, proxyTimeout); err == nil {
			answer = r.Data
		}
	}
	if err := m.Respond(answer); err != nil {
		g.log.Warn("cannot respond to a consumer of the embedded NATS server", zap.Error(err))
	}
}

// deliversToInbox decodes the request as the server does, with the same library: both use the last of duplicate
// members.
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

// consumerError returns a response to a failed request as the server writes it.
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
