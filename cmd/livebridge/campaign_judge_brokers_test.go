//go:build brokers

package main

import (
	"maps"
	"time"

	"livebridge/bridge/checker"
)

// campaignRecord is a record of a log.
type campaignRecord struct {
	position   uint64
	at         time.Time
	key, value []byte
}

// campaignLogs are the records that a campaign has left, by partition: of the state all that were written, or the last
// of each key.
type campaignLogs struct{ intake, state, events [][]campaignRecord }

// judge compares what was answered 200 with what is out, and what is out and in the state with what the intake implies.
func (c *campaign) judge() {
	c.t.Helper()
	c.load.p.judgeTopic(c.t, c.broker.consume)
	for _, p := range c.replicas {
		p.terminate(c.t)
	}
	logs, answered := c.broker.read(), c.load.p.answered()
	c.checkEvents(logs.events, answered)
	for p := range campaignPartitions {
		compareReplay(c.t, p, logs.intake[p], logs.state[p], logs.events[p])
	}
	c.broker.check(len(answered))
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
func (c *campaign) checkEvents(partitions [][]campaignRecord, answered map[checker.Occurrence]bool) {
	c.t.Helper()
	left := maps.Clone(answered)
	for _, records := range partitions {
		for _, r := range records {
			e, err := checker.ParseEvent(r.value)
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
