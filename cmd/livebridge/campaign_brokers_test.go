//go:build brokers

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"livebridge/bridge"
)

var (
	campaignKills = flag.Int("campaign.kills", 1, "how often a campaign of replicas kills or stops something, at least")
	campaignTime  = flag.Duration("campaign.time", time.Hour, "after which a campaign of replicas kills nothing more")
	outageTime    = flag.Duration("campaign.outage", 3*time.Second, "how long a campaign of replicas stops all brokers")
)

const (
	campaignReplicas   = 3
	campaignPartitions = 4
	// campaignHold is longer than the campaign: no hold ends by time, so that the intake alone decides what comes out.
	campaignHold = 24 * time.Hour
	// campaignPatience is for what brokers may be started, and sessions end, before.
	campaignPatience = 3 * time.Minute
)

// campaignBroker is the brokers of a campaign: what replicas share, and what may be done to it.
type campaignBroker struct {
	*replicaBroker
	outLived time.Duration       // longer than a replica that is stopped keeps its partitions
	acts     map[int]campaignAct // the broker's own, by their place in a round
	least    int                 // acts of the shortened campaign

	stop, resume func() // all brokers
	open         func(ctx context.Context) (campaignMember, error)
	published    func() int64 // how far the events have come; it does not grow while no broker answers
	read         func() *campaignLogs
	check        func(answered int) // what else is to be right in the end
}

// campaignMember takes part in the group of replicas without working.
type campaignMember interface {
	Join() (bridge.Membership, error)
	Close(ctx context.Context) error
}

// campaignAct is something that a campaign does.
type campaignAct struct {
	name string
	kill bool // something is killed, or stopped
	do   func(c *campaign)
}

// campaign is replicas and their brokers, of which something is killed, stopped or replaced at any time while callbacks
// come in.
type campaign struct {
	t        *testing.T
	broker   *campaignBroker
	load     *campaignLoad
	dirs     [campaignReplicas]string
	replicas [campaignReplicas]*program
	urls     [campaignReplicas]atomic.Pointer[string]
	logs     []*logBuffer // of all replicas that there were
}

// runCampaign has replicas restarted one after the other, members join and leave, all brokers unreachable, replicas
// killed, and stopped past their session, and the broker's own acts, while several writers send callbacks. Every
// callback that was answered 200 comes out once, and both what came out and the state are, byte by byte, what one
// processor makes of the intake when it reads it from its beginning.
func runCampaign(t *testing.T, b *campaignBroker) {
	t.Helper()
	c := &campaign{t: t, broker: b}
	t.Cleanup(c.saveLogs)
	for i := range c.replicas {
		c.dirs[i] = t.TempDir()
		c.begin(i)
	}
	c.load = startCampaignLoad(t, c.urls[:])
	began, kills, did := time.Now(), 0, make(map[string]int)
	for n := 0; n < b.least || kills < *campaignKills && time.Since(began) < *campaignTime; n++ {
		act := c.act(n)
		if did[act.name]++; act.kill {
			kills++
		}
		c.perform(n, act)
	}
	c.load.stop()
	c.judge()
	t.Logf("%d callbacks answered 200; %d kills", c.load.p.total.Load(), kills)
	for _, name := range slices.Sorted(maps.Keys(did)) {
		t.Logf("%d times: %s", did[name], name)
	}
}

// perform does what is next, and waits until work has gone on after it.
func (c *campaign) perform(n int, act campaignAct) {
	c.t.Helper()
	begun := time.Now()
	act.do(c)
	acted := time.Since(begun)
	c.awaitProgress()
	c.t.Logf("%d: %s took %v, and %v until it went on", n, act.name, acted.Round(time.Millisecond),
		(time.Since(begun) - acted).Round(time.Millisecond))
}

// begin starts a replica, which may be one that has been here before.
func (c *campaign) begin(i int) {
	c.replicas[i] = c.broker.launch(c.t, c.dirs[i], prefix+"HOLD_DONE="+campaignHold.String(),
		prefix+"HOLD_NEXT="+campaignHold.String(), prefix+"AUTH_MAX_AHEAD=12h")
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

// awaitProgress waits until more callbacks are answered, and every other time until more events are out: without that a
// part of what is killed next had nothing to lose.
func (c *campaign) awaitProgress() {
	c.t.Helper()
	answered, published := c.load.p.total.Load(), c.broker.published()
	c.awaitAnswers(answered)
	if rand.IntN(2) > 0 {
		within(c.t, campaignPatience, "events are published", func() bool {
			return c.broker.published() > published+100
		})
	}
}

// awaitAnswers waits until more callbacks than these were answered 200.
func (c *campaign) awaitAnswers(before int64) {
	c.t.Helper()
	within(c.t, campaignPatience, "callbacks are answered 200", func() bool {
		return c.load.p.total.Load() > before+100
	})
}
