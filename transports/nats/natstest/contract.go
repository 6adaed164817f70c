package natstest

import (
	"fmt"
	"strings"

	"github.com/nats-io/nats-server/v2/server"

	"livebridge/bridge"
	"livebridge/transports/transporttest"
)

// Contract describes NATS, with the default settings, to the suite of transporttest. What is missing is how to open a
// topic, and how long an answer takes without a broker.
func Contract() transporttest.Harness {
	return transporttest.Harness{
		Fits: server.MAX_PAYLOAD_SIZE - 1024, TooLarge: server.MAX_PAYLOAD_SIZE - 200, Key: Subject,
		HeaderPrefix: "ce-", HeaderValue: header, DropsRepeats: true,
	}
}

// Subject is the subject of an event or a notice, written a second time.
func Subject(e *bridge.Event) string {
	if e.Quarantined() {
		return "live.quarantine." + e.Lane.Kind.String()
	}
	var tokens []string
	for _, part := range []string{e.Lane.Domain, e.Lane.App, e.Lane.Stream} {
		token := string(bridge.AppendEscaped(nil, part, bridge.EscapeDot))
		if part == "" {
			token = "%00"
		}
		tokens = append(tokens, token)
	}
	return "live.events." + strings.Join(tokens, ".") + "." + e.Lane.Kind.String()
}

// header is the value of a header as the NATS binding of CloudEvents writes it, written a second time.
func header(value string) string {
	var out strings.Builder
	for _, c := range []byte(value) {
		if c > ' ' && c < 0x7f && c != '"' && c != '%' {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}
