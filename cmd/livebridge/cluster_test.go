package main

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// natsCluster is three NATS servers that know each other.
type natsCluster struct {
	options [3]*server.Options
	servers [3]*server.Server
}

func startCluster(t *testing.T) *natsCluster {
	t.Helper()
	c := &natsCluster{}
	var routes []*url.URL
	for range c.options {
		routes = append(routes, &url.URL{Scheme: "nats", Host: transporttest.FreeAddress(t)})
	}
	for i := range c.options {
		host, port := hostPort(t, transporttest.FreeAddress(t))
		routeHost, routePort := hostPort(t, routes[i].Host)
		c.options[i] = &server.Options{
			ServerName: fmt.Sprint("n", i), Host: host, Port: port, StoreDir: natstest.StoreDir(t),
			JetStream: true, JetStreamMaxStore: natstest.StoreLimit, NoSigs: true, NoLog: true,
			Cluster: server.ClusterOpts{Name: "three", Host: routeHost, Port: routePort}, Routes: routes,
		}
		c.start(t, i)
	}
	t.Cleanup(func() {
		for _, s := range c.servers {
			s.Shutdown()
		}
	})
	until(t, "the cluster has a leader", func() bool {
		for _, s := range c.servers {
			if s.JetStreamIsLeader() {
				return true
			}
		}
		return false
	})
	return c
}

func (c *natsCluster) start(t *testing.T, i int) {
	t.Helper()
	o := *c.options[i]
	s, err := server.NewServer(&o)
	if err != nil {
		t.Fatal(err)
	}
	c.servers[i] = s
	go s.Start()
}

func (c *natsCluster) urls() string {
	var all []string
	for _, o := range c.options {
		all = append(all, fmt.Sprintf("nats://%s:%d", o.Host, o.Port))
	}
	return strings.Join(all, ",")
}

// leader returns the server that leads the stream of the events, once there is one and all three have the whole stream.
func (c *natsCluster) leader(t *testing.T) (leader int) {
	t.Helper()
	conn, err := natsgo.Connect(c.urls())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the stream has a leader and three copies", func() bool {
		stream, err := js.Stream(t.Context(), "LIVE_EVENTS")
		if err != nil {
			return false
		}
		in := stream.CachedInfo().Cluster
		if in == nil || in.Leader == "" || len(in.Replicas) != 2 || !in.Replicas[0].Current || !in.Replicas[1].Current {
			return false
		}
		_, err = fmt.Sscanf(in.Leader, "n%d", &leader)
		return err == nil
	})
	return leader
}

// TestClusterLosesItsLeader stops the leader of the stream in a cluster of three, again and again, under a simulated
// load that goes on until it has lost all of them: every callback is answered 200, and all of it comes out, in order.
func TestClusterLosesItsLeader(t *testing.T) {
	t.Parallel()
	c, l := startCluster(t), newLoad(t)
	service := launch(t, t.TempDir(), append(l.settings, prefix+"NATS_URL="+c.urls(), prefix+"NATS_REPLICAS=3")...)
	l.begin(t, 400, 0)
	for n := range int64(unlessShort(3, 1)) {
		l.await(t, 600*(n+1))
		lost := c.leader(t)
		c.servers[lost].Shutdown()
		c.servers[lost].WaitForShutdown()
		before := service.metrics(t)["livebridge_events_published_total{kind=\"stream\"}"]
		until(t, "publishing goes on without it", func() bool {
			return service.metrics(t)["livebridge_events_published_total{kind=\"stream\"}"] > before
		})
		c.start(t, lost)
	}
	l.stop()
	l.end(t)
	if l.report.Unexpected > 0 {
		t.Errorf("%d answers were wrong: %v", l.report.Unexpected, l.report)
	}
	c.leader(t)
	l.judge(t, service)
}

// streamOf returns the events' stream of a server.
func streamOf(t *testing.T, url string) (jetstream.JetStream, jetstream.Stream) {
	t.Helper()
	js := administrator(t, url)
	stream, err := js.Stream(t.Context(), "LIVE_EVENTS")
	if err != nil {
		t.Fatal(err)
	}
	return js, stream
}

// TestStreamDeleted deletes the stream under a load: callbacks are answered 200 all the while, the stream is made
// again, and what comes out of the two together is whole and in order.
func TestStreamDeleted(t *testing.T) {
	t.Parallel()
	url := broker(t, natstest.StoreDir(t), server.RANDOM_PORT).ClientURL()
	dir, p := t.TempDir(), newProvider()
	service := launch(t, dir, prefix+"NATS_URL="+url)
	p.playAll(t, service, 0, 30)
	until(t, "all is published", func() bool { return service.metrics(t)["livebridge_outbox_events"] == 0 })
	js, _ := streamOf(t, url)
	before := tailed(t, url, counting(messages(t, url)))
	if err := js.DeleteStream(t.Context(), "LIVE_EVENTS"); err != nil {
		t.Fatal(err)
	}
	p.playAll(t, service, 30, 60)
	until(t, "all is published", func() bool { return service.metrics(t)["livebridge_outbox_events"] == 0 })
	if n := p.total.Load(); n != 240 {
		t.Errorf("%d of 240 callbacks were answered 200", n)
	}
	p.judgeLines(t, append(before, tailed(t, url, counting(messages(t, url)))...))
}

// counting is for tailed: n lines.
func counting(n int) func(string) bool {
	return func(string) bool { n--; return n == 0 }
}

// TestStreamAtItsLimits: a stream that keeps a few events only, as the settings ask for or by subject, drops old ones
// as configured; publishing goes on, and whoever reads along gets everything, in order.
func TestStreamAtItsLimits(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]jetstream.StreamConfig{
		"bytes": {MaxBytes: 20_000}, "messages of a subject": {MaxMsgsPerSubject: 2},
	} {
		t.Run(name, func(t *testing.T) {
			url := broker(t, natstest.StoreDir(t), server.RANDOM_PORT).ClientURL()
			js := administrator(t, url)
			limit.Name, limit.Subjects = "LIVE_EVENTS", []string{"live.events.>"}
			if _, err := js.CreateStream(t.Context(), limit); err != nil {
				t.Fatal(err)
			}
			lines := make(chan string, 1000)
			if _, err := js.Conn().Subscribe("live.events.>", func(m *natsgo.Msg) { lines <- string(m.Data) }); err != nil {
				t.Fatal(err)
			}
			if err := js.Conn().Flush(); err != nil {
				t.Fatal(err)
			}
			p := newProvider()
			service := launch(t, t.TempDir(), prefix+"NATS_URL="+url, prefix+"NATS_MAX_BYTES=20000")
			p.playAll(t, service, 0, 50)
			var all []string
			for range 200 {
				select {
				case line := <-lines:
					all = append(all, line)
				case <-time.After(patience):
					t.Fatalf("%d of 200 events have come", len(all))
				}
			}
			p.judgeLines(t, all)
			if n := messages(t, url); n >= 200 {
				t.Errorf("the stream has %d events: it was not at its limit", n)
			}
		})
	}
}
