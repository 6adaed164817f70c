package producer

import (
	"go.uber.org/zap"

	"livebridge/bridge"
)

// ReportPositions has stored told where each event is stored, see bridge.PositionReporter. To be called before the
// first Publish.
func (s *Producer) ReportPositions(stored func(*bridge.Event, bridge.Position)) { s.stored = stored }

// tellStored tells and logs where the broker stored each event of a batch. Without an offset it is a batch that an
// earlier request has written.
func (s *Producer) tellStored(p *Partition, b *batch) {
	debug := s.opts.Log.Core().Enabled(zap.DebugLevel)
	if s.stored == nil && !debug {
		return
	}
	for i := range b.records {
		e, offset := b.records[i].Event, b.offset
		if e == nil {
			continue
		}
		if offset >= 0 {
			offset += int64(i)
		}
		s.reportStored(p, e, offset)
		if debug {
			s.logStored(p, e, offset)
		}
	}
}

// reportStored tells who asks for it where an event is stored.
func (s *Producer) reportStored(p *Partition, e *bridge.Event, offset int64) {
	if s.stored != nil {
		s.stored(e, bridge.Position{Topic: p.topic.Name, Partition: p.number, Offset: offset})
	}
}

func (s *Producer) logStored(p *Partition, e *bridge.Event, offset int64) {
	fields := []zap.Field{zap.Stringer("id", e.ID), zap.Uint64("sequence", e.Sequence),
		zap.String("topic", p.topic.Name), zap.Int32("partition", p.number)}
	if offset >= 0 {
		fields = append(fields, zap.Int64("offset", offset))
	}
	s.opts.Log.Debug("event stored by Kafka", fields...)
}
