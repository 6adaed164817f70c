//go:build brokers

package main

import (
	"context"
	"maps"

	"github.com/twmb/franz-go/pkg/kgo"

	"livebridge/bridge/checker"
)

// judge compares what was answered 200 with what is out, and what is out and in the state with what the intake implies.
// The topics are read by a client that is not ours.
func (c *campaign) judge() {
	c.t.Helper()
	c.load.p.judgeReplicas(c.t, joined(c.cluster))
	for _, p := range c.replicas {
		p.terminate(c.t)
	}
	events, answered := c.read("live.events"), c.load.p.answered()
	c.checkEvents(events, answered)
	intake, state := c.read("live.events.intake"), c.read("live.events.state")
	for p := range campaignPartitions {
		compareReplay(c.t, p, intake[p], state[p], events[p])
	}
	if n := c.cluster.CountCommitted(c.t, "live.events"); n != len(answered) {
		c.t.Errorf("Java's consumer counts %d events, %d callbacks were answered 200", n, len(answered))
	}
}

// answered returns what was answered 200.
func (p *playedProvider) answered() map[checker.Occurrence]bool {
	all := make(map[checker.Occurrence]bool)
	for _, s := range p.sent {
		if s.Status == 200 {
			all[s.Occurrence] = true
		}
	}
	return all
}

// checkEvents checks that every callback that was answered 200 is out once, and nothing else is.
func (c *campaign) checkEvents(partitions [][]*kgo.Record, answered map[checker.Occurrence]bool) {
	c.t.Helper()
	left := maps.Clone(answered)
	for _, records := range partitions {
		for _, r := range records {
			e, err := checker.ParseEvent(r.Value)
			if err != nil {
				c.t.Fatal(err)
			}
			if !left[e.Occurrence] {
				c.t.Errorf("%v is out twice, or was never sent", e.Occurrence)
			}
			delete(left, e.Occurrence)
		}
	}
	if len(left) > 0 {
		c.t.Errorf("%d callbacks that were answered 200 are lost", len(left))
	}
}

// read returns the committed records of a topic, by partition.
func (c *campaign) read(topic string) [][]*kgo.Record {
	c.t.Helper()
	var ends []int64
	until(c.t, "the brokers say where the topic ends", func() bool {
		ends = offsetsEnd(c.t, c.client, topic)
		return ends != nil
	})
	from, left := make(map[int32]kgo.Offset), 0
	for p, end := range ends {
		if from[int32(p)] = kgo.NewOffset().AtStart(); end > 0 {
			left++
		}
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(c.cluster.Brokers()...), kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		c.t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(c.t.Context(), 2*patience)
	defer cancel()
	out := make([][]*kgo.Record, campaignPartitions)
	for left > 0 {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			c.t.Fatalf("topic %s cannot be read to its ends %v: %v", topic, ends, fetches.Err())
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				out[r.Partition] = append(out[r.Partition], r)
			}
			if r.Offset == ends[r.Partition]-1 {
				left--
			}
		})
	}
	return out
}
