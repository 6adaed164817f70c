package producer

import (
	"go.uber.org/zap"
)

// logStored logs where the broker stored each event of a batch. Without an offset it is a batch that an earlier request
// has written.
func (s *Producer) logStored(p *Partition, b *batch) {
	if !s.opts.Log.Core().Enabled(zap.DebugLevel) {
		return
	}
	for i := range b.records {
		e := b.records[i].Event
		if e == nil {
			continue
		}
		fields := []zap.Field{zap.Stringer("id", e.ID), zap.Uint64("sequence", e.Sequence),
			zap.String("topic", p.topic.Name), zap.Int32("partition", p.number)}
		if b.offset >= 0 {
			fields = append(fields, zap.Int64("offset", b.offset+int64(i)))
		}
		s.opts.Log.Debug("event stored by Kafka", fields...)
	}
}
