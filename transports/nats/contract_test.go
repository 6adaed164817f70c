package nats

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/bridge"
	"livebridge/transports/transporttest"
)

// contract is what the suite has to know about NATS.
func contract(open func(*testing.T, Options) *transporttest.Topic) transporttest.Harness {
	o := testOptions()
	return transporttest.Harness{
		Open: func(t *testing.T, binary bool) *transporttest.Topic {
			o := testOptions()
			o.Binary = binary
			return open(t, o)
		},
		Fits: server.MAX_PAYLOAD_SIZE - 1024, TooLarge: server.MAX_PAYLOAD_SIZE - 200, Key: o.subject,
		HeaderPrefix: headerPrefix, HeaderValue: func(s string) string { return escapeHeader([]byte(s)) },
		DropsRepeats: true, Away: 2*o.AckTimeout + time.Second,
	}
}

func testOptions() Options {
	o := DefaultOptions()
	o.AckTimeout = 2 * time.Second
	return o
}

func TestContractEmbedded(t *testing.T) {
	t.Parallel()
	transporttest.Run(t, contract(func(t *testing.T, o Options) *transporttest.Topic {
		e, err := StartEmbedded(EmbeddedOptions{StoreDir: t.TempDir(), Listen: "127.0.0.1:0", watch: time.Hour}, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closeSoon(e) })
		return &transporttest.Topic{
			Publisher: e.Publisher,
			Events:    func(t *testing.T) []transporttest.Record { return records(t, adminOf(t, e), o.Stream) },
			Quarantine: func(t *testing.T) []transporttest.Record {
				return records(t, adminOf(t, e), QuarantineStream)
			},
			Stop: func(*testing.T) { e.host.stop() },
			Start: func(t *testing.T) {
				if err := e.restart(); err != nil {
					t.Fatal(err)
				}
			},
		}
	}))
}

func closeSoon(p bridge.Publisher) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = p.Close(ctx)
}

func TestContractServer(t *testing.T) {
	t.Parallel()
	transporttest.Run(t, contract(func(t *testing.T, o Options) *transporttest.Topic {
		s := startServer(t, &server.Options{})
		o.URL = s.url
		p, err := Dial(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closeSoon(p) })
		read := func(stream string) func(*testing.T) []transporttest.Record {
			return func(t *testing.T) []transporttest.Record { return records(t, s.admin(t), stream) }
		}
		return &transporttest.Topic{
			Publisher: p, Events: read(o.Stream), Quarantine: read(QuarantineStream), Stop: s.stop, Start: s.start,
		}
	}))
}

// testServer is a NATS server on TCP that can be stopped and started again.
type testServer struct {
	opts *server.Options
	s    *server.Server
	url  string
}

func startServer(t testing.TB, o *server.Options) *testServer {
	t.Helper()
	o.Host, o.Port, o.StoreDir, o.JetStream, o.NoSigs, o.NoLog = "127.0.0.1", server.RANDOM_PORT, t.TempDir(), true, true, true
	s := &testServer{opts: o}
	s.begin(t)
	s.url, s.opts.Port = s.s.ClientURL(), s.s.Addr().(*net.TCPAddr).Port
	t.Cleanup(func() { s.s.Shutdown(); s.s.WaitForShutdown() })
	return s
}

func (s *testServer) begin(t testing.TB) {
	t.Helper()
	o := *s.opts
	var err error
	if s.s, err = server.NewServer(&o); err != nil {
		t.Fatal(err)
	}
	go s.s.Start()
	if !s.s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server has not started")
	}
}

func (s *testServer) start(t *testing.T) { s.begin(t) }

func (s *testServer) stop(*testing.T) {
	s.s.Shutdown()
	s.s.WaitForShutdown()
}

func (s *testServer) admin(t testing.TB) jetstream.JetStream { return connect(t, s.url) }

// adminOf connects to an embedded server as the bridge does.
func adminOf(t testing.TB, e *Embedded) jetstream.JetStream {
	t.Helper()
	return connect(t, "", nats.InProcessServer(e.host), nats.UserInfo(bridgeUser, e.host.authenticator.secret))
}

func connect(t testing.TB, url string, options ...nats.Option) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(url, append(options, nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// records returns everything in a stream.
func records(t *testing.T, js jetstream.JetStream, stream string) []transporttest.Record {
	t.Helper()
	var out []transporttest.Record
	for _, m := range messages(t, js, stream) {
		r := transporttest.Record{Key: m.Subject(), Headers: make(map[string]string), Payload: bytes.Clone(m.Data())}
		for name, values := range m.Headers() {
			r.Headers[name] = values[0]
		}
		out = append(out, r)
	}
	return out
}

// led returns the stream once it has a leader: a cluster that has just come back may still be choosing one.
func led(t *testing.T, js jetstream.JetStream, name string) jetstream.Stream {
	t.Helper()
	return answered(t, "stream "+name, func(ctx context.Context) (jetstream.Stream, error) {
		s, err := js.Stream(ctx, name)
		if err == nil && s.CachedInfo().Cluster != nil && s.CachedInfo().Cluster.Leader == "" {
			return nil, context.DeadlineExceeded
		}
		return s, err
	})
}

// answered asks until the cluster has leaders that answer: what it is asked before that is lost.
func answered[T any](t *testing.T, what string, ask func(context.Context) (T, error)) T {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		answer, err := ask(ctx)
		cancel()
		if err == nil {
			return answer
		}
		var api *jetstream.APIError
		leaderless := errors.Is(err, context.DeadlineExceeded) || errors.As(err, &api) && api.Code == 503
		if !leaderless || time.Now().After(end) {
			t.Fatalf("%s: %v", what, err)
		}
		<-time.After(50 * time.Millisecond)
	}
}

// messages returns everything in a stream.
func messages(t *testing.T, js jetstream.JetStream, stream string) []jetstream.Msg {
	t.Helper()
	s := led(t, js, stream)
	left := int(s.CachedInfo().State.Msgs)
	if left == 0 {
		return nil
	}
	c := answered(t, "consumer of "+stream, func(ctx context.Context) (jetstream.Consumer, error) {
		return s.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	})
	it, err := c.Messages()
	if err != nil {
		t.Fatal(err)
	}
	defer it.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out []jetstream.Msg
	for ; left > 0; left-- {
		m, err := it.Next(jetstream.NextContext(ctx))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}
