package transaction

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/addpartitionstotxn"
	"github.com/segmentio/kafka-go/protocol/produce"
	"github.com/segmentio/kafka-go/protocol/rawproduce"
)

var errNoAnswer = errors.New("the response lacks a partition")

// notAttempted is the code of partitions that were not added because of others, whose code says why. The library gives
// it another name.
const notAttempted = 55

// added returns why partitions were not added to the transaction.
func added(m protocol.Message) error {
	answer, ok := m.(*addpartitionstotxn.Response)
	if !ok {
		return fmt.Errorf("unexpected response %T to a request to add partitions", m)
	}
	var other error
	for _, t := range answer.Results {
		for _, p := range t.Results {
			switch p.ErrorCode {
			case 0:
			case notAttempted:
				other = kafka.Error(p.ErrorCode)
			default:
				return kafka.Error(p.ErrorCode)
			}
		}
	}
	return other
}

// produce sends the batches: one of each partition at a time, in their order.
func (p *Producer) produce(ctx context.Context, batches []*Batch) error {
	queues := make(map[target][]int)
	for i, b := range batches {
		queues[b.target()] = append(queues[b.target()], i)
	}
	for len(queues) > 0 {
		var round []int
		for at, queue := range queues {
			round = append(round, queue[0])
			if queues[at] = queue[1:]; len(queue) == 1 {
				delete(queues, at)
			}
		}
		slices.Sort(round)
		if err := p.round(ctx, batches, round); err != nil {
			return err
		}
	}
	return nil
}

// round sends one batch of each partition until all are settled: a sequence can be used again only if it is certain
// that the broker does not have it.
func (p *Producer) round(ctx context.Context, batches []*Batch, left []int) error {
	for _, i := range left {
		b := batches[i]
		p.encoder.Transactional(b.Set, p.number, p.epoch, p.sequences[b.target()])
	}
	var refused *TooLarge
	err := p.repeat(ctx, "produce in a transaction", func(ctx context.Context) error {
		answers := p.attempt(ctx, batches, left)
		var unsettled []int
		var worst error
		for k, i := range left {
			switch judge(answers[k]) {
			case done:
				p.advance(batches[i])
			case tooLarge:
				if refused == nil || i < refused.Batch {
					refused = &TooLarge{Batch: i, Err: answers[k]}
				}
			default:
				unsettled = append(unsettled, i)
				if worst == nil || judge(answers[k]) > judge(worst) {
					worst = answers[k]
				}
			}
		}
		left = unsettled
		return worst
	})
	if err == nil && refused != nil {
		return refused
	}
	return err
}

// attempt sends the batches once, those of one leader in one request, and returns the answer to each.
func (p *Producer) attempt(ctx context.Context, batches []*Batch, these []int) []error {
	answers := make([]error, len(these))
	byLeader, err := p.leaders(ctx, batches, these)
	if err != nil {
		return slices.Repeat([]error{err}, len(these))
	}
	var work sync.WaitGroup
	for _, group := range byLeader {
		work.Go(func() {
			var request []*Batch
			for _, k := range group {
				request = append(request, batches[these[k]])
			}
			for i, err := range p.request(ctx, request) {
				answers[group[i]] = err
			}
		})
	}
	work.Wait()
	return answers
}

// leaders groups batches by the brokers that lead their partitions: a request goes to one broker.
func (p *Producer) leaders(ctx context.Context, batches []*Batch, these []int) (map[int][]int, error) {
	var topics []string
	for _, i := range these {
		if !slices.Contains(topics, batches[i].Topic) {
			topics = append(topics, batches[i].Topic)
		}
	}
	answer, err := p.brokers.Client().Metadata(ctx, &kafka.MetadataRequest{Topics: topics})
	if err != nil {
		return nil, err
	}
	leader := make(map[target]int)
	for _, t := range answer.Topics {
		for _, part := range t.Partitions {
			leader[target{t.Name, part.ID}] = part.Leader.ID
		}
	}
	out := make(map[int][]int)
	for k, i := range these {
		at := leader[batches[i].target()]
		out[at] = append(out[at], k)
	}
	return out, nil
}

// request sends batches to their common leader.
func (p *Producer) request(ctx context.Context, batches []*Batch) []error {
	r := &rawproduce.Request{TransactionalID: p.id, Acks: int16(kafka.RequireAll),
		Timeout: int32(askTimeout.Milliseconds() / 2)}
	for _, b := range batches {
		r.Topics = append(r.Topics, rawproduce.RequestTopic{Topic: b.Topic, Partitions: []rawproduce.RequestPartition{{
			Partition: int32(b.Partition), RecordSet: protocol.RawRecordSet{Reader: bytes.NewReader(b.Set)}}}})
	}
	client := p.brokers.Client()
	m, err := client.Transport.RoundTrip(ctx, client.Addr, r)
	answer, ok := m.(*produce.Response)
	if err == nil && !ok {
		err = fmt.Errorf("unexpected response %T to a produce request", m)
	}
	out := make([]error, len(batches))
	for i, b := range batches {
		if out[i] = err; err == nil {
			out[i] = b.answered(answer)
		}
	}
	return out
}

// answered returns what the response says about the batch.
func (b *Batch) answered(r *produce.Response) error {
	for _, t := range r.Topics {
		for _, p := range t.Partitions {
			if t.Topic != b.Topic || int(p.Partition) != b.Partition {
				continue
			}
			if b.Offset = p.BaseOffset; p.ErrorCode == 0 {
				return nil
			}
			if p.ErrorMessage != "" {
				return fmt.Errorf("%w: %s", kafka.Error(p.ErrorCode), p.ErrorMessage)
			}
			return kafka.Error(p.ErrorCode)
		}
	}
	return errNoAnswer
}
