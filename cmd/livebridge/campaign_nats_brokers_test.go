//go:build brokers

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/transports/nats"
	"livebridge/transports/nats/lease"
	"livebridge/transports/nats/natstest"
)

// cutTime is longer than servers wait for a leader of which they hear nothing: 9 seconds at most.
const cutTime = 10 * time.Second

// campaignStreams are the streams, by what they are for, that a campaign takes the leader of.
func campaignStreams() map[string]string {
	return map[string]string{"intake": "LIVE_EVENTS_INTAKE", "state": "LIVE_EVENTS_STATE", "events": "LIVE_EVENTS",
		"leases": "KV_LIVE_EVENTS_livebridge"}
}

// natsCampaign is the campaign's side of NATS: three servers.
type natsCampaign struct {
	t       *testing.T
	cluster *natstest.Cluster
	js      jetstream.JetStream
	cuts    int
}

// TestReplicaCampaignNATS runs the campaign on three servers, of which the leaders of streams are killed and stepped
// down, all are restarted one after the other, and the network between two is cut. In the end all servers have the same
// state.
func TestReplicaCampaignNATS(t *testing.T) {
	n := &natsCampaign{t: t, cluster: natstest.StartCluster(t)}
	n.js = natstest.Connect(t, n.cluster.URLs(), natsgo.MaxReconnects(-1), natsgo.ReconnectWait(100*time.Millisecond))
	b := natsReplicas(n.cluster.URLs())
	b.settings = append(b.settings, prefix+"NATS_REPLICAS=3", fmt.Sprint(prefix, "NATS_PARTITIONS=", campaignPartitions))
	consume := b.consume
	b.consume = func(ctx context.Context, out func([]byte) error) error {
		n.awaitCurrent() // whoever begins to read while no stream has a leader is told so
		return consume(ctx, out)
	}
	down := campaignAct{name: "leaders step down", do: n.stepDown}
	runCampaign(t, &campaignBroker{
		replicaBroker: b, outLived: lease.Time + time.Second, least: 10,
		acts: map[int]campaignAct{
			3: n.killLeader("state"), 4: down, 5: {name: "servers are restarted one after the other", do: n.restartAll},
			6: {name: "the network between two servers is cut", do: n.cut}, 9: n.killLeader("intake"),
			11: n.killLeader("events"), 13: n.killLeader("leases"),
		},
		stop: func() { n.signal(syscall.SIGSTOP) }, resume: func() { n.signal(syscall.SIGCONT) },
		open: n.open, published: n.published, read: n.read, check: n.check,
	})
}

func (n *natsCampaign) signal(s syscall.Signal) {
	for i := range natstest.Servers {
		n.cluster.Signal(n.t, i, s)
	}
}

func (n *natsCampaign) open(ctx context.Context) (campaignMember, error) {
	o := nats.DefaultOptions()
	o.URL, o.Partitions, o.Replicas = n.cluster.URLs(), campaignPartitions, natstest.Servers
	return nats.OpenReplicas(ctx, o, "livebridge")
}

func (n *natsCampaign) published() int64 {
	ctx, cancel := context.WithTimeout(n.t.Context(), time.Second)
	defer cancel()
	s, err := n.js.Stream(ctx, campaignStreams()["events"])
	if err != nil {
		return 0
	}
	return int64(s.CachedInfo().State.LastSeq)
}

// leader returns the server that leads a stream.
func (n *natsCampaign) leader(stream string) (i int) {
	n.t.Helper()
	name := natstest.Led(n.t, n.js, stream).CachedInfo().Cluster.Leader
	if _, err := fmt.Sscanf(name, natstest.NameFormat, &i); err != nil {
		n.t.Fatalf("the leader of %s is %q: %v", stream, name, err)
	}
	return i
}

// awaitCurrent waits until every server has everything. One that is killed while another one lacks something may take
// along what only it has: three replicas allow for the loss of one.
func (n *natsCampaign) awaitCurrent() {
	n.t.Helper()
	for _, stream := range campaignStreams() {
		within(n.t, campaignPatience, "all servers have all of "+stream, func() bool {
			return natstest.Current(n.t, n.js, stream, natstest.Servers)
		})
	}
}

// killLeader is the act that kills the server which leads the stream for a use.
func (n *natsCampaign) killLeader(use string) campaignAct {
	return campaignAct{name: "the leader of the " + use + " is killed", kill: true, do: func(*campaign) {
		n.awaitCurrent()
		i := n.leader(campaignStreams()[use])
		n.cluster.Kill(i)
		n.cluster.Begin(n.t, i)
		n.cluster.Await(n.t, i)
	}}
}

func (n *natsCampaign) stepDown(*campaign) {
	for _, stream := range campaignStreams() {
		natstest.StepDown(n.t, n.js, stream, "")
	}
}

// restartAll restarts one server after the other, as an update does.
func (n *natsCampaign) restartAll(*campaign) {
	for i := range natstest.Servers {
		n.awaitCurrent()
		n.cluster.Terminate(n.t, i)
		n.cluster.Begin(n.t, i)
		n.cluster.Await(n.t, i)
	}
}

// cut cuts the network between the leader of the state, and every other time of the intake, and another server. Their
// connections stay at first, and break the next time. Callbacks are answered 200 meanwhile.
func (n *natsCampaign) cut(c *campaign) {
	stream := campaignStreams()[[]string{"state", "intake"}[n.cuts/2%2]]
	i := n.leader(stream)
	j := (i + 1 + rand.IntN(natstest.Servers-1)) % natstest.Servers
	n.cluster.Cut(i, j, n.cuts%2 == 1)
	n.cuts++
	c.answerFor(cutTime)
	if !n.cluster.Mend(i, j) {
		n.t.Error("the servers had nothing to say to each other while the network was cut")
	}
}
