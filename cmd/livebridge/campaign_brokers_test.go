//go:build brokers

package main

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"livebridge/transports/kafka"
	"livebridge/transports/kafka/kafkatest"
)

var (
	campaignKills = flag.Int("campaign.kills", 1, "how often TestReplicaCampaign kills or stops something")
	campaignNodes = flag.Int("campaign.nodes", 1, "brokers of TestReplicaCampaign")
	outageTime    = flag.Duration("campaign.outage", 3*time.Second, "how long TestReplicaCampaign stops all brokers")
)

const (
	campaignReplicas   = 3
	campaignPartitions = 4
	// campaignHold is longer than the campaign: no hold ends by time, so that the intake alone decides what comes out.
	campaignHold = 24 * time.Hour
	// outLived is longer than the session of a member of the group.
	outLived = 11 * time.Second
)

// campaign is replicas and their brokers, of which something is killed, stopped or replaced at any time while callbacks
// come in.
type campaign struct {
	t        *testing.T
	cluster  *kafkatest.Cluster
	client   *kafkago.Client
	load     *campaignLoad
	dirs     [campaignReplicas]string
	replicas [campaignReplicas]*program
	urls     [campaignReplicas]atomic.Pointer[string]
	logs     []*logBuffer // of all replicas that there were

	kills, zombies, brokers, restarts, joins, outages int
}

// TestReplicaCampaign has replicas restarted one after the other, members join and leave, all brokers unreachable,
// replicas and brokers killed, and replicas stopped past their session, while several writers send callbacks. Every
// callback that was answered 200 comes out once, and both what came out and the state are, byte by byte, what one
// processor makes of the intake when it reads it from its beginning.
func TestReplicaCampaign(t *testing.T) {
	c := &campaign{t: t, cluster: kafkatest.Start(t, kafkatest.Options{Nodes: *campaignNodes})}
	c.client = &kafkago.Client{Addr: kafkago.TCP(c.cluster.Brokers()...), Timeout: 10 * time.Second}
	t.Cleanup(c.saveLogs)
	for i := range c.replicas {
		c.dirs[i] = t.TempDir()
		c.begin(i)
	}
	c.load = startCampaignLoad(t, c.urls[:])
	for n := 0; c.kills+c.zombies+c.brokers < *campaignKills; n++ {
		begun := time.Now()
		did := c.act(n)
		acted := time.Since(begun)
		c.awaitProgress()
		t.Logf("%d: %s took %v, and %v until it went on", n, did, acted.Round(time.Millisecond),
			(time.Since(begun) - acted).Round(time.Millisecond))
	}
	c.load.stop()
	c.judge()
	t.Logf("%d callbacks answered 200; %d kills of replicas, %d of brokers, %d zombies, %d restarts, %d joins, %d outages",
		c.load.p.total.Load(), c.kills, c.brokers, c.zombies, c.restarts, c.joins, c.outages)
}

// begin starts a replica, which may be one that has been here before.
func (c *campaign) begin(i int) {
	c.replicas[i] = launchReplica(c.t, c.dirs[i], joined(c.cluster), prefix+"HOLD_DONE="+campaignHold.String(),
		prefix+"HOLD_NEXT="+campaignHold.String())
	url := "http://" + c.replicas[i].listen + "/live/stream"
	c.urls[i].Store(&url)
	c.logs = append(c.logs, c.replicas[i].log)
}

// saveLogs keeps what the replicas have logged of a campaign that has failed.
func (c *campaign) saveLogs() {
	if !c.t.Failed() {
		return
	}
	dir, err := os.MkdirTemp("", "livebridge-campaign-*")
	for i, log := range c.logs {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, fmt.Sprintf("replica-%03d", i)), []byte(log.String()), 0o600))
	}
	c.t.Logf("the replicas' logs are in %s (%v)", dir, err)
}

// act does what is next, and returns what it was.
func (c *campaign) act(n int) string {
	c.t.Helper()
	const round, outageEvery = 8, 48 // the first round has the rarer ones first: the shortened campaign is a part of it
	acts := [round]struct {
		name string
		do   func()
	}{{"restarts", c.restartAll}, {"storm", c.storm}, {"kill", c.kill}, {"kill", c.kill}, {"broker's kill", c.killBroker},
		{"zombie", c.zombie}, {"kill", c.kill}, {"kill", c.kill}}
	if n%outageEvery == 2 {
		c.stopBrokers()
		return "outage"
	}
	acts[n%round].do()
	return acts[n%round].name
}

func (c *campaign) kill() {
	i := rand.IntN(campaignReplicas)
	c.kills++
	c.replicas[i].kill()
	c.replicas[i].end(c.t)
	c.begin(i)
}

func (c *campaign) killBroker() {
	i := rand.IntN(*campaignNodes)
	c.brokers++
	c.cluster.Kill(i)
	c.cluster.Begin(c.t, i)
	c.cluster.Await(c.t, i)
}

// zombie stops a replica until the others have its partitions, and lets it go on.
func (c *campaign) zombie() {
	p := c.replicas[rand.IntN(campaignReplicas)]
	c.zombies++
	p.signal(c.t, syscall.SIGSTOP)
	<-time.After(outLived)
	p.signal(c.t, syscall.SIGCONT)
}

// restartAll replaces one replica after the other, as an update does.
func (c *campaign) restartAll() {
	for i, p := range c.replicas {
		c.restarts++
		p.terminate(c.t)
		c.begin(i)
	}
}

// stopBrokers makes all brokers unreachable for a while, in which callbacks are answered 200.
func (c *campaign) stopBrokers() {
	c.outages++
	for i := range *campaignNodes {
		c.cluster.Signal(c.t, i, syscall.SIGSTOP)
	}
	ended := time.After(*outageTime)
	before := c.load.p.total.Load()
	until(c.t, "callbacks are answered 200 without a broker", func() bool { return c.load.p.total.Load() > before+100 })
	<-ended
	for i := range *campaignNodes {
		c.cluster.Signal(c.t, i, syscall.SIGCONT)
	}
}

// storm has members join and leave at once, several at a time: the group hands the partitions out again and again.
func (c *campaign) storm() {
	const members, times = 3, 3
	var work sync.WaitGroup
	for range members {
		work.Go(func() {
			for range times {
				c.joinAndLeave()
			}
		})
	}
	work.Wait()
	c.joins += members * times
}

func (c *campaign) joinAndLeave() {
	o := kafka.DefaultOptions()
	o.Brokers, o.Partitions = joined(c.cluster), campaignPartitions
	r, err := kafka.OpenReplicas(c.t.Context(), o, "livebridge")
	if err != nil {
		c.t.Error(err)
		return
	}
	defer func() { _ = r.Close(c.t.Context()) }()
	m, err := r.Join()
	if err == nil {
		_, err = m.Next(c.t.Context()) // of which nothing is worked on
	}
	if err != nil {
		c.t.Log("a member that has joined:", err) // the storm itself may put it out
	}
	if err := m.Leave(c.t.Context()); err != nil {
		c.t.Error(err)
	}
}

// awaitProgress waits until more callbacks are answered, and every other time until more events are out: without that a
// part of what is killed next had nothing to lose.
func (c *campaign) awaitProgress() {
	c.t.Helper()
	answered, published := c.load.p.total.Load(), c.published()
	until(c.t, "callbacks are answered", func() bool { return c.load.p.total.Load() > answered+100 })
	if rand.IntN(2) > 0 {
		until(c.t, "events are published", func() bool { return c.published() > published+100 })
	}
}

// published returns how far the topic of events has come; it does not grow while no broker answers.
func (c *campaign) published() (sum int64) {
	for _, end := range offsetsEnd(c.t, c.client, "live.events") {
		sum += end
	}
	return sum
}

// offsetsEnd returns the ends of a topic's partitions for readers of committed records; nil without an answer.
func offsetsEnd(t *testing.T, client *kafkago.Client, topic string) (ends []int64) {
	t.Helper()
	var asked []kafkago.OffsetRequest
	for p := range campaignPartitions {
		asked = append(asked, kafkago.LastOffsetOf(p))
	}
	answer, err := client.ListOffsets(t.Context(), &kafkago.ListOffsetsRequest{IsolationLevel: kafkago.ReadCommitted,
		Topics: map[string][]kafkago.OffsetRequest{topic: asked}})
	if err != nil {
		return nil
	}
	ends = make([]int64, campaignPartitions)
	for _, o := range answer.Topics[topic] {
		if o.Error != nil {
			return nil
		}
		ends[o.Partition] = o.LastOffset
	}
	return ends
}

func joined(c *kafkatest.Cluster) string { return strings.Join(c.Brokers(), ",") }
