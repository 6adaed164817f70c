package kafka

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"livebridge/bridge/certificate/certificatetest"
	"livebridge/transports/transporttest"
)

// awaitConnected waits until the publisher says that it is connected, or that it is not.
func awaitConnected(t *testing.T, p *Publisher, want bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); p.Connected() != want; <-time.After(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("connected is %v, want %v", !want, want)
		}
	}
}

// TestBrokerConnected: without any event the log says where the publisher is connected, and whether the topic was
// there.
func TestBrokerConnected(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	for _, created := range []bool{true, false} {
		o, logs := observed()
		o.checkInterval = 50 * time.Millisecond
		p := f.dial(t, o)
		awaitConnected(t, p, true)
		line := logs.FilterMessage("broker connected").All()
		if len(line) != 1 {
			t.Fatalf("the log has %v", logs.All())
		}
		fields := line[0].ContextMap()
		if fields["server"] != joined(f.addrs) || fields["topic"] != o.Topic || fields["created"] != created ||
			fields["partitions"] != int64(12) {
			t.Errorf("connected to %v", fields)
		}
		f.Close()
		awaitConnected(t, p, false)
		transporttest.AwaitLog(t, logs, "broker unavailable: cannot reach Kafka")
		f.restart(t)
		awaitConnected(t, p, true)
		if n := logs.FilterMessage("broker connected").Len(); n != 2 {
			t.Errorf("logged %d times", n)
		}
	}
}

// TestConnectsForTemplates: a template names no topic before the first event, and the brokers are connected to all the
// same.
func TestConnectsForTemplates(t *testing.T) {
	t.Parallel()
	o, logs := observed()
	o.Topic, o.Quarantine, o.Brokers = "live.{kind}", "", "127.0.0.1:1"
	p := dial(t, o)
	transporttest.AwaitLog(t, logs, "broker unavailable: cannot reach Kafka")
	if p.Connected() {
		t.Error("connected to nothing")
	}
	f := startFake(t)
	p = f.dial(t, o)
	awaitConnected(t, p, true)
	transporttest.AwaitLog(t, logs, "broker connected")
	transporttest.Deliver(t, p, transporttest.Events(2, 1, 1))
}

// TestCauseOfADeadBroker: events are answered with why the broker cannot be reached, not that it has no such topic.
func TestCauseOfADeadBroker(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	o := testOptions()
	o.AckTimeout = time.Second
	p := f.dial(t, o)
	transporttest.Deliver(t, p, transporttest.Events(3, 1, 1))
	f.Close()
	for sequence := range uint64(5) {
		err := transporttest.Try(t, p, transporttest.Events(1, sequence+2, 1)[0])
		if err == nil || strings.Contains(err.Error(), "not found") || !strings.Contains(err.Error(), "connection refused") &&
			!strings.Contains(err.Error(), "EOF") && !strings.Contains(err.Error(), "reset") { // which ended the first request
			t.Errorf("attempt %d: %v", sequence+1, err)
		}
	}
}

// TestFirstEventsWaitForLeaders: the first events of a topic that is just being created do not fail.
func TestFirstEventsWaitForLeaders(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Err: kerr.LeaderNotAvailable, Count: 6})
	o, logs := observed()
	p := f.dial(t, o)
	if err := transporttest.Try(t, p, transporttest.Events(1, 1, 1)[0]); err != nil {
		t.Errorf("the first event failed: %v", err)
	}
	if n := logs.FilterMessage("topic unavailable; retrying").Len(); n != 0 {
		t.Errorf("the log has %v", logs.All())
	}
}

// TestWhatToSet: settings that do not fit the listener are named with what they should be.
func TestWhatToSet(t *testing.T) {
	t.Parallel()
	plain, secure := startFake(t),
		startFake(t, kfake.TLS(serving(certificatetest.NewAuthority(t).Issue(t, "broker", "127.0.0.1"))))
	plain.ControlKey(int16(kmsg.SASLHandshake), func(r kmsg.Request) (kmsg.Response, error, bool) { // as Kafka does
		plain.KeepControl()
		answer := r.ResponseKind().(*kmsg.SASLHandshakeResponse)
		answer.ErrorCode = kerr.IllegalSaslState.Code
		return answer, nil, true
	})
	for name, c := range map[string]struct {
		addrs []string
		set   func(*Options)
		want  []string
	}{
		"SASL at a listener without": {plain.addrs, func(o *Options) {
			o.SASL, o.User, o.Password = "plain", "user",
				"secret"
		}, []string{"does not use SASL", "set KAFKA_SASL to none"}},
		"TLS at a listener without": {[]string{closing(t)}, func(o *Options) { o.TLS = true },
			[]string{"does not seem to use TLS", "set KAFKA_TLS to false"}},
		"no TLS at a listener with": {secure.addrs, func(*Options) {}, []string{"uses TLS", "set KAFKA_TLS to true"}},
	} {
		t.Run(name, func(t *testing.T) {
			o, logs := observed()
			c.set(&o)
			o.Brokers = joined(c.addrs)
			dial(t, o)
			for _, text := range c.want {
				transporttest.AwaitLog(t, logs, text)
			}
		})
	}
}

// closing returns the address of a server that closes each connection when it has received something, as Kafka does
// with a request of an absurd length.
func closing(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4))
			_ = conn.Close()
		}
	}()
	return l.Addr().String()
}

// TestPartitionsDiffer: a topic that was there with another number of partitions is warned of.
func TestPartitionsDiffer(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	o, logs := observed()
	p := f.dial(t, o)
	awaitConnected(t, p, true)
	if n := logs.FilterMessageSnippet("KAFKA_PARTITIONS").Len(); n != 0 {
		t.Errorf("the log has %v", logs.All())
	}
	o.Partitions = 5
	f.dial(t, o)
	transporttest.AwaitLog(t, logs, "the topic has 12 partitions and KAFKA_PARTITIONS is 5")
}
