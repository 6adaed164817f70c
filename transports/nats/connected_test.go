package nats

import (
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// TestBrokerConnected: without any event the log says where the publisher is connected, and whether the stream was
// there.
func TestBrokerConnected(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, &server.Options{})
	for n, user := range []string{"user:secret@", "secret@"} { // with a password, and with a token
		o, logs := watchedLog()
		created := n == 0
		o.URL = strings.Replace(s.URL, "nats://", "nats://"+user, 1)
		p := natstest.Must(Dial(o))
		defer transporttest.CloseSoon(p)
		transporttest.Eventually(t, "the publisher is connected", p.Connected)
		transporttest.Eventually(t, "that is logged",
			func() bool { return logs.FilterMessage("broker connected").Len() == 1 })
		line := logs.FilterMessage("broker connected").All()[0].ContextMap()
		if at := line["server"].(string); strings.Contains(at, "secret") ||
			!strings.HasSuffix(at, strings.TrimPrefix(s.URL, "nats://")) ||
			line["stream"] != o.Stream || line["created"] != created {
			t.Errorf("connected to %v", line)
		}
		s.Kill()
		transporttest.Eventually(t, "the publisher is not connected", func() bool { return !p.Connected() })
		transporttest.Eventually(t, "that is logged", func() bool {
			return logs.FilterMessage("broker unavailable: cannot connect to NATS; retrying").Len() == 1
		})
		if err := transporttest.Try(t, p, natstest.Event("a", 1)); err == nil || !strings.Contains(err.Error(),
			"connection refused") {
			t.Errorf("the answer is %v", err)
		}
		s.Restart(t)
		transporttest.Eventually(t, "the connection is logged again",
			func() bool { return logs.FilterMessage("broker connected").Len() == 2 })
	}
}

// TestNeverConnectedCause: an address where nobody listens is named as such, without any event.
func TestNeverConnectedCause(t *testing.T) {
	t.Parallel()
	o, logs := watchedLog()
	o.URL = "nats://127.0.0.1:1"
	p := natstest.Must(Dial(o))
	defer transporttest.CloseSoon(p)
	transporttest.Eventually(t, "it is logged", func() bool { return logs.Len() > 0 })
	if line := logs.All()[0]; !strings.HasPrefix(line.Message, "broker unavailable: ") ||
		!strings.Contains(line.ContextMap()["error"].(string), "connection refused") {
		t.Errorf("the log has %v", logs.All())
	}
	if err := transporttest.Try(t, p, natstest.Event("a", 1)); err == nil || !strings.Contains(err.Error(),
		"connection refused") || p.Connected() {
		t.Errorf("the answer is %v", err)
	}
}

// TestFirstEventsWait: a healthy start fails no event, though it is published before the streams are checked.
func TestFirstEventsWait(t *testing.T) {
	t.Parallel()
	o := testOptions()
	o.URL = natstest.Start(t, &server.Options{}).URL
	if err := transporttest.Try(t, dial(t, o), natstest.Event("a", 1)); err != nil {
		t.Errorf("the first event failed: %v", err)
	}
}

// TestHeldEventsEnd: events that wait for the first check are answered when the publisher is closed before.
func TestHeldEventsEnd(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, &server.Options{})
	o := testOptions()
	o.URL = s.URL
	p := natstest.Must(Dial(o))
	transporttest.Eventually(t, "the stream is usable", p.Connected)
	p.streams.stop() // as if it had never been checked
	p.streams.events.recheck()
	p.streams.events.hold.ended = false
	answer := make(chan error, 1)
	p.Publish(natstest.Event("a", 1), func(err error) { answer <- err })
	transporttest.CloseSoon(p)
	transporttest.Receive(t, answer)
}

// TestServerWithoutTLS: settings for TLS do not fit a server without, and the log says what to set.
func TestServerWithoutTLS(t *testing.T) {
	t.Parallel()
	o, logs := watchedLog()
	o.URL = strings.Replace(natstest.Start(t, &server.Options{}).URL, "nats://", "tls://", 1)
	p := natstest.Must(Dial(o))
	defer transporttest.CloseSoon(p)
	transporttest.Eventually(t, "what to set is logged", func() bool {
		return logs.FilterMessageSnippet("the NATS server does not use TLS; set NATS_URL to nats://").Len() == 1
	})
}
