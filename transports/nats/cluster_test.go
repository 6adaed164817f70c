package nats

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

// startCluster runs three servers with a JetStream of their own.
func startCluster(t *testing.T) []*server.Server {
	t.Helper()
	var routes []*url.URL
	for range 3 { // all are there at once: none is ready alone
		routes = append(routes, &url.URL{Scheme: "nats-route", Host: transporttest.FreeAddress(t)})
	}
	var all []*server.Server
	for n, route := range routes {
		s := natstest.Must(server.NewServer(&server.Options{ServerName: fmt.Sprint("n", n), Host: "127.0.0.1",
			Port:      server.RANDOM_PORT,
			JetStream: true, JetStreamMaxStore: natstest.StoreLimit, StoreDir: natstest.StoreDir(t), NoSigs: true, NoLog: true,
			Cluster: server.ClusterOpts{Name: "test", Host: route.Hostname(), Port: natstest.Must(strconv.Atoi(route.Port()))},
			Routes:  routes}))
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		go s.Start()
		all = append(all, s)
	}
	for _, s := range all {
		if !s.ReadyForConnections(30 * time.Second) {
			t.Fatal("a server has not started")
		}
	}
	return all
}

// TestReplicas: on a cluster the streams are made with the replicas of the settings, and events go on through the loss
// of the server that leads them.
func TestReplicas(t *testing.T) {
	t.Parallel()
	servers := startCluster(t)
	o := testOptions()
	o.URL, o.Replicas = urlsOf(servers), 3
	p, err := Dial(o)
	if err != nil {
		t.Fatal(err)
	}
	defer transporttest.Close(t, p)
	for n := range uint64(20) {
		if err := transporttest.Publish(t, p, natstest.Event("a", n+1)); err != nil {
			t.Fatal(err)
		}
	}
	info := natstest.Must(natstest.Must(natstest.Connect(t, o.URL).Stream(t.Context(), o.Stream)).Info(t.Context()))
	if info.Config.Replicas != 3 || info.Config.Storage != jetstream.FileStorage {
		t.Errorf("the stream has %d replicas, storage %v", info.Config.Replicas, info.Config.Storage)
	}
	for _, s := range servers {
		if s.Name() == info.Cluster.Leader {
			s.Shutdown()
			s.WaitForShutdown()
		}
	}
	for n := range uint64(20) {
		if err := transporttest.Publish(t, p, natstest.Event("a", n+21)); err != nil {
			t.Fatal(err)
		}
	}
	for i, r := range consumedBy(t, o, 40) {
		if want := fmt.Sprintf(`"sequence":"%020d"`, i+1); !strings.Contains(string(r.Payload), want) {
			t.Errorf("message %d is %s", i, r.Payload)
		}
	}
}

// TestStreamThatIsThere is used as it is when it has our subjects.
func TestStreamThatIsThere(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, &server.Options{})
	js := s.JetStream(t)
	natstest.Must(js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "MINE", Subjects: []string{"live.>"},
		MaxMsgs: minMessages}))
	o := testOptions()
	o.URL, o.Stream, o.Quarantine = s.URL, "MINE", ""
	p, err := Dial(o)
	if err != nil {
		t.Fatal(err)
	}
	defer transporttest.Close(t, p)
	if err := transporttest.Publish(t, p, natstest.Event("a", 1)); err != nil {
		t.Fatal(err)
	}
	info := natstest.Must(natstest.Must(js.Stream(t.Context(), "MINE")).Info(t.Context()))
	if info.State.Msgs != 1 || info.Config.MaxMsgs != minMessages {
		t.Errorf("%d messages; %+v", info.State.Msgs, info.Config)
	}
}
