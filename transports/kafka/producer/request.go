package producer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/produce"
	"github.com/segmentio/kafka-go/protocol/rawproduce"
)

// request sends the batches of partitions with one leader, and returns the outcome of each and the broker's throttle
// time.
func (s *Producer) request(batches []partitionBatch) ([]error, time.Duration) {
	ctx, cancel := context.WithTimeout(s.ctx, s.opts.AckTimeout)
	defer cancel()
	answers := make([]error, len(batches))
	client := s.brokers.Client()
	m, err := client.Transport.RoundTrip(ctx, client.Addr, s.requestOf(batches))
	response, ok := m.(*produce.Response)
	if err == nil && !ok {
		err = fmt.Errorf("unexpected response %T to a produce request", m)
	}
	err = s.routingCause(ctx, err)
	for i := range answers {
		if answers[i] = err; err == nil {
			answers[i] = answerFor(response, batches[i])
		}
	}
	if err != nil {
		s.opts.RequestCheck()
		return answers, 0
	}
	return answers, time.Duration(response.ThrottleTimeMs) * time.Millisecond
}

// requestOf returns what kafka.Client.RawProduce sends, for several partitions.
func (s *Producer) requestOf(batches []partitionBatch) *rawproduce.Request {
	r := &rawproduce.Request{Acks: int16(kafka.RequireAll), Timeout: int32(s.opts.AckTimeout.Milliseconds() / 2)}
	for _, f := range batches {
		i := slices.IndexFunc(r.Topics, func(t rawproduce.RequestTopic) bool { return t.Topic == f.p.topic.Name })
		if i < 0 {
			i = len(r.Topics)
			r.Topics = append(r.Topics, rawproduce.RequestTopic{Topic: f.p.topic.Name})
		}
		r.Topics[i].Partitions = append(r.Topics[i].Partitions, rawproduce.RequestPartition{
			Partition: f.p.number, RecordSet: protocol.RawRecordSet{Reader: bytes.NewReader(f.b.bytes)},
		})
	}
	return r
}

// notRouted is why the library knows no leader: nothing was sent.
type notRouted struct{ error }

// BeforeSending implements BeforeSending.
func (*notRouted) BeforeSending() {}

// Unwrap returns the cause.
func (n *notRouted) Unwrap() error { return n.error }

// routingCause returns why a request could not be routed. Without metadata the library says that the topic was not
// found, and tells only a request for metadata why it has none.
func (s *Producer) routingCause(ctx context.Context, err error) error {
	var routing *rawproduce.Error
	if !errors.As(err, &routing) {
		return err
	}
	if _, cause := s.brokers.Client().Metadata(ctx, &kafka.MetadataRequest{}); cause != nil {
		return &notRouted{fmt.Errorf("not connected to Kafka: %w", cause)}
	}
	return err
}

// errNoAnswer is a response without the partition.
var errNoAnswer = errors.New("the produce response lacks the partition")

// answerFor returns the outcome of one partition in the response.
func answerFor(r *produce.Response, f partitionBatch) error {
	for i := range r.Topics {
		if r.Topics[i].Topic != f.p.topic.Name {
			continue
		}
		for _, a := range r.Topics[i].Partitions {
			if a.Partition == f.p.number {
				f.b.offset = a.BaseOffset
				return partitionError(a)
			}
		}
	}
	return errNoAnswer
}

// recordsRejected is an error that names the rejected records of a batch.
type recordsRejected struct {
	err     error
	indexes map[int]bool
}

func (r *recordsRejected) Error() string { return r.err.Error() }

// Unwrap returns the broker's error.
func (r *recordsRejected) Unwrap() error { return r.err }

func partitionError(a produce.ResponsePartition) error {
	if a.ErrorCode == 0 {
		return nil
	}
	var err error = kafka.Error(a.ErrorCode)
	if a.ErrorMessage != "" {
		err = fmt.Errorf("%w: %s", err, a.ErrorMessage)
	}
	if len(a.RecordErrors) == 0 {
		return err
	}
	r := &recordsRejected{err: err, indexes: make(map[int]bool)}
	for _, e := range a.RecordErrors {
		r.indexes[int(e.BatchIndex)] = true
	}
	return r
}
