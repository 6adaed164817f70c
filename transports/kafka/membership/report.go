package membership

import (
	"context"
	"time"

	"github.com/segmentio/kafka-go"
)

// reportInterval is how often the group's offsets are committed.
const reportInterval = 2 * time.Second

// Processed says how far a partition is processed: the offset that is read next. The group's offsets follow it for
// tools that show lag. No owner reads them: they are outside of the transactions.
func (g *Group) Processed(partition int, next uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next[partition] = next
}

// report commits the offsets until the group is left.
func (g *Group) report() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ticker := time.NewTicker(reportInterval)
	defer ticker.Stop()
	for {
		select {
		case <-g.left:
			return
		case <-ticker.C:
		}
		if r := g.offsets(); r != nil {
			asking, cancel := context.WithTimeout(ctx, reportInterval)
			_, _ = g.opts.Client().OffsetCommit(asking, r) // the next one says the same and more
			cancel()
		}
	}
}

// offsets returns what is new since the last report; nil: nothing.
func (g *Group) offsets() *kafka.OffsetCommitRequest {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.current == nil || len(g.next) == 0 {
		return nil
	}
	var all []kafka.OffsetCommit
	for p, next := range g.next {
		all = append(all, kafka.OffsetCommit{Partition: p, Offset: int64(next)})
	}
	clear(g.next)
	return &kafka.OffsetCommitRequest{GroupID: g.opts.ID, GenerationID: int(g.current.ID), MemberID: g.current.MemberID,
		Topics: map[string][]kafka.OffsetCommit{g.opts.Topic: all}}
}
