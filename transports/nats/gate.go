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
	createAPI   = "$JS.API.CONSUMER.CREATE."
	createGate  = "_LIVEBRIDGE_GATE.CREATE."
	durableAPI  = "$JS.API.CONSUMER.DURABLE.CREATE."
	durableGate = "_LIVEBRIDGE_GATE.DURABLE."
)

const (
	gateRequests = 64 // looked at, at once
	gateTimeout  = 5 * time.Second
)

// gate passes requests for consumers on, but for those of a push consumer that would deliver anywhere else than to a
// client's inbox: into a stream, for example.
type gate struct {
	conn   *nats.Conn
	log    *zap.Logger
	places chan struct{}
}

// openGate begins to serve requests. It ends with the connection.
func openGate(conn *nats.Conn, log *zap.Logger) error {
	g := &gate{conn: conn, log: log, places: make(chan struct{}, gateRequests)}
	for from, to := range map[string]string{createGate: createAPI, durableGate: durableAPI} {
		_, err := conn.Subscribe(from+">", func(m *nats.Msg) {
			g.places <- struct{}{}
			go func() {
				defer func() { <-g.places }()
				g.serve(m, to+strings.TrimPrefix(m.Subject, from))
			}()
		})
		if err != nil {
			return err
		}
	}
	return conn.Flush()
}

func (g *gate) serve(m *nats.Msg, api string) {
	answer := refuseConsumer(400, "a push consumer must deliver to a subject that begins with _INBOX.")
	if deliversToInbox(m.Data) {
		answer = refuseConsumer(503, "the server has not answered")
		if r, err := g.conn.Request(api, m.Data, gateTimeout); err == nil {
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

// refuseConsumer writes the server's answer to a request that failed.
func refuseConsumer(code int, why string) []byte {
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
