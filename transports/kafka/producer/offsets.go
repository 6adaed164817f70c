package producer

import (
	"context"
	"fmt"
	"slices"

	"github.com/segmentio/kafka-go"
)

// Gap is a partition that has lost acknowledged events.
type Gap struct {
	partition int32
	end, now  int64 // end offsets: as acknowledged, and as found
}

// String is for logs.
func (g Gap) String() string {
	return fmt.Sprintf("partition %d: end offset was %d and is now %d", g.partition, g.end, g.now)
}

// recordOffset records a batch's offset, and reports whether it is below the end of what was acknowledged before: the
// partition was recreated, or lost its end. The lock is held.
func (p *Partition) recordOffset(b *batch) (lost bool) {
	if b.offset < 0 {
		return false // a duplicate, whose offset the broker does not report
	}
	if lost = b.offset < p.endOffset; lost {
		p.gaps = append(p.gaps, Gap{p.number, p.endOffset, b.offset})
	}
	p.endOffset = b.offset + int64(len(b.records))
	return lost
}

// FindGaps returns the partitions of a topic that have lost acknowledged events since the last call. Partitions in use
// show it in the offsets of their batches; of the others, each check queries the broker about one in turn, and about
// all once a gap is found.
func (s *Producer) FindGaps(ctx context.Context, all []*Partition, turn int) []Gap {
	var gone []Gap
	var idle []*Partition
	s.mu.Lock()
	for _, p := range all {
		if gone = append(gone, p.gaps...); len(p.gaps) > 0 {
			p.gaps = nil
		} else if p.endOffset > 0 && p.leader != NoLeader {
			idle = append(idle, p)
		}
	}
	one := slices.IndexFunc(idle, func(p *Partition) bool { return p.endLower })
	s.mu.Unlock()
	if len(gone) == 0 && len(idle) > 0 {
		if one < 0 {
			one = turn % len(idle)
		}
		gone = s.compare(ctx, idle[one:one+1])
		idle = slices.Delete(idle, one, one+1)
	}
	if len(gone) > 0 {
		gone = append(gone, s.compare(ctx, idle)...)
	}
	return gone
}

// compare queries the end offsets of partitions of one topic, and returns those that are below what was acknowledged.
// It requires two such answers: a broker that was briefly away may believe that it is still the leader. What a failed
// query misses shows later.
func (s *Producer) compare(ctx context.Context, all []*Partition) (gone []Gap) {
	if len(all) == 0 {
		return nil
	}
	name, ends := all[0].topic.Name, make(map[int]int64)
	var asked []kafka.OffsetRequest
	s.mu.Lock()
	for _, p := range all {
		ends[int(p.number)] = p.endOffset
		asked = append(asked, kafka.LastOffsetOf(int(p.number)))
	}
	s.mu.Unlock()
	last, err := s.lastOffsets(ctx, name, asked)
	if err != nil {
		return nil
	}
	again := false
	s.mu.Lock()
	for _, p := range all {
		end, known := last[int(p.number)]
		before := p.endLower
		p.endLower = known && end < ends[int(p.number)] && p.endOffset == ends[int(p.number)]
		if again = again || p.endLower && !before; p.endLower && before {
			gone = append(gone, Gap{p.number, p.endOffset, end})
			p.endOffset, p.endLower = end, false
		}
	}
	s.mu.Unlock()
	if again {
		s.opts.RequestCheck()
	}
	return gone
}

// lastOffsets queries the end offsets of partitions, by their numbers. Those that the broker does not tell are absent.
func (s *Producer) lastOffsets(ctx context.Context, topic string, asked []kafka.OffsetRequest) (map[int]int64, error) {
	answer, err := s.brokers.Client().ListOffsets(ctx,
		&kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: asked}})
	if err != nil {
		return nil, err
	}
	last := make(map[int]int64)
	for _, a := range answer.Topics[topic] {
		if a.Error == nil {
			last[a.Partition] = a.LastOffset
		}
	}
	return last, nil
}

// Restart resets the end offsets of recreated partitions, and returns those that had acknowledged events.
func (s *Producer) Restart(all []*Partition) (gone []Gap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range all {
		if p.endOffset > 0 {
			gone = append(gone, Gap{p.number, p.endOffset, 0})
		}
		p.endOffset, p.gaps = 0, nil
	}
	return gone
}
