//go:build brokers

package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"
)

const (
	campaignRound = 16 // acts, after which they come again
	outageRounds  = 3  // after which all brokers are stopped again
)

// act returns what is next: mostly kills, and in the first round the rarer acts first, since the shortened campaign is
// a part of it.
func (c *campaign) act(n int) campaignAct {
	at := n % campaignRound
	if own, is := c.broker.acts[at]; is {
		return own
	}
	switch {
	case n%(outageRounds*campaignRound) == 2:
		return campaignAct{name: "all brokers are stopped", do: (*campaign).stopBrokers}
	case at == 0:
		return campaignAct{name: "replicas are restarted one after the other", do: (*campaign).restartAll}
	case at == 1:
		return campaignAct{name: "members join and leave", do: (*campaign).storm}
	case at == 8:
		return campaignAct{name: "a replica is stopped past its leases or session", kill: true, do: (*campaign).zombie}
	}
	return campaignAct{name: "a replica is killed", kill: true, do: (*campaign).kill}
}

func (c *campaign) kill() {
	i := rand.IntN(campaignReplicas)
	c.replicas[i].kill()
	c.replicas[i].end(c.t)
	c.begin(i)
}

// zombie stops a replica until the others have its partitions, and lets it go on.
func (c *campaign) zombie() {
	p := c.replicas[rand.IntN(campaignReplicas)]
	p.signal(c.t, syscall.SIGSTOP)
	<-time.After(c.broker.outLived)
	p.signal(c.t, syscall.SIGCONT)
}

// restartAll replaces one replica after the other, as an update does.
func (c *campaign) restartAll() {
	for i, p := range c.replicas {
		p.terminate(c.t)
		c.begin(i)
	}
}

// stopBrokers makes all brokers unreachable for a while, in which callbacks are answered 200.
func (c *campaign) stopBrokers() {
	c.broker.stop()
	c.answerFor(*outageTime)
	c.broker.resume()
}

// answerFor waits for so long, and until callbacks were answered 200 meanwhile.
func (c *campaign) answerFor(d time.Duration) {
	c.t.Helper()
	ended := time.After(d)
	c.awaitAnswers(c.load.p.total.Load())
	<-ended
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
}

func (c *campaign) joinAndLeave() {
	ctx, cancel := context.WithTimeout(c.t.Context(), campaignPatience)
	defer cancel()
	r, err := c.broker.open(ctx)
	if err != nil {
		c.t.Error(err)
		return
	}
	defer func() { _ = r.Close(ctx) }()
	m, err := r.Join()
	if err == nil {
		_, err = m.Next(ctx) // of which nothing is worked on
	}
	if err != nil {
		c.t.Log("a member that has joined:", err) // the storm itself may put it out
	}
	if err := m.Leave(ctx); err != nil {
		c.t.Error(err)
	}
}
