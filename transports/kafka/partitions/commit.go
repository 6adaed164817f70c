package partitions

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"

	"livebridge/bridge"
	"livebridge/transports/kafka/producer"
	"livebridge/transports/kafka/transaction"
)

// Commit implements bridge.Partition.
func (p *partition) Commit(ctx context.Context, c bridge.PartitionCommit) (uint64, error) {
	if p.broken != nil {
		return 0, p.owned.failed(p.number, p.broken)
	}
	for most := 0; ; {
		plan, err := p.plan(c, most)
		if err != nil {
			return 0, p.owned.failed(p.number, err)
		}
		err = p.txn.Commit(ctx, plan.batches)
		var large *transaction.TooLarge
		if !errors.As(err, &large) {
			return p.committed(plan, c.Next, err)
		}
		if most, err = plan.smaller(large); err != nil {
			return 0, p.owned.failed(p.number, err)
		}
	}
}

// committed settles a commit.
func (p *partition) committed(plan *plan, next uint64, err error) (uint64, error) {
	if err != nil {
		p.broken = errors.New("a commit has failed before: " + err.Error()) // which is not of a later call's context
		if errors.Is(err, bridge.ErrFenced) {
			err = p.fenced(err)
		}
		return 0, p.owned.failed(p.number, err)
	}
	p.owned.opts.Processed(p.number, next)
	last := plan.batches[len(plan.batches)-1]
	if last.Offset >= 0 { // else a position from before, which is no less right
		p.state = uint64(last.Offset) + uint64(last.Records) - 1
	}
	return p.state, nil
}

// fenced tells the group, and returns the error with what is known of who has fenced this owner.
func (p *partition) fenced(err error) error {
	defer p.owned.opts.Fenced()
	var overdue *transaction.Overdue
	if !errors.As(err, &overdue) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), fencedTimeout)
	defer cancel()
	if p.owned.opts.Ours(ctx, p.number) {
		return overdue.TimedOut()
	}
	return err
}

// plan is the batches of a commit: first those of events, then those of the state, whose last record is the position.
type plan struct {
	owned   *Partitions
	batches []*transaction.Batch
	events  []int // of each batch of events: the index of its first one
}

// plan encodes a commit. No batch has more events than most; 0: as many as fit. An event that the topic is known not to
// take is told before anything is sent.
func (p *partition) plan(c bridge.PartitionCommit, most int) (*plan, error) {
	out := &plan{owned: p.owned}
	events, notices := p.split(c.Events)
	for _, o := range []*output{events, notices} {
		if err := out.add(o, most); err != nil {
			return nil, err
		}
	}
	rows, err := p.rows(c)
	for n := 0; err == nil && len(rows) > 0; rows = rows[n:] {
		n = fitting(rows, p.owned.opts.StateLimit(), 0)
		_, err = out.encode(p.owned.opts.State, p.number, rows[:n])
	}
	return out, err
}

// add encodes what goes to one topic.
func (p *plan) add(o *output, most int) error {
	if len(o.records) == 0 {
		return nil
	}
	to, err := o.to()
	if err != nil {
		return err
	}
	for begin, n := 0, 0; begin < len(o.records); begin += n {
		n = fitting(o.records[begin:], to.Limit, most)
		set, err := p.encode(to.Topic, to.Partition, o.records[begin:begin+n])
		if err != nil {
			return err
		}
		if n == 1 && to.Limit > 0 && int64(producer.Size(set)) > to.Limit {
			return p.rejected(to.Topic, o.index[begin], producer.Size(set), kafka.MessageSizeTooLarge)
		}
		p.events = append(p.events, o.index[begin])
	}
	return nil
}

// rows returns the records of the state.
func (p *partition) rows(c bridge.PartitionCommit) ([]producer.Record, error) {
	out := make([]producer.Record, 0, len(c.Rows)+1)
	for _, r := range c.Rows {
		if len(r.Key) == 0 {
			return nil, errors.New("a row of the state has no key")
		}
		out = append(out, producer.Record{Key: r.Key, Value: r.Value})
	}
	at := position{next: c.Next, partitions: p.owned.opts.Count}
	return append(out, producer.Record{Key: []byte{}, Value: at.encode()}), nil
}

// fitting returns how many records make a batch that its topic takes even if it cannot be compressed.
func fitting(records []producer.Record, limit int64, most int) int {
	target := producer.BatchWeight(limit)
	n := 0
	for weight := 0; n < len(records) && (most == 0 || n < most); n++ {
		weight += records[n].Weight()
		if n > 0 && weight > target {
			break
		}
	}
	return n
}

// encode appends a batch and returns its bytes.
func (p *plan) encode(topic string, number int, records []producer.Record) ([]byte, error) {
	b := &transaction.Batch{Topic: topic, Partition: number, Records: len(records)}
	set, err := p.owned.encoder.Bytes(records)
	if err != nil {
		return nil, fmt.Errorf("encode a batch: %w", err)
	}
	b.Set = set
	p.batches = append(p.batches, b)
	return set, nil
}

// smaller returns how many events the batches of another attempt may have, or why there is none.
func (p *plan) smaller(large *transaction.TooLarge) (int, error) {
	b := p.batches[large.Batch]
	switch {
	case large.Batch >= len(p.events):
		return 0, fmt.Errorf("topic %s does not take %d records of the state in %d bytes: raise its max.message.bytes: %w",
			b.Topic, b.Records, producer.Size(b.Set), large.Err)
	case b.Records > 1:
		return (b.Records + 1) / 2, nil
	}
	return 0, p.rejected(b.Topic, p.events[large.Batch], producer.Size(b.Set), large.Err)
}

// rejected returns the error of a commit because of one event.
func (*plan) rejected(topic string, index, size int, err error) error {
	return &bridge.RejectedEvent{Index: index, Err: producer.RejectTooLarge(topic, size, err)}
}
