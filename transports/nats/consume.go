package nats

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Start says where a consumer begins.
type Start int

// The starts.
const (
	StartNew Start = iota // what is published from now on
	StartAll              // everything that the stream has
)

// Record is one message of a stream as a consumer sees it.
type Record struct {
	Subject string
	Header  map[string][]string
	Payload []byte
}

// Consume calls f for every event of the stream, in the order of the stream, until ctx ends or f returns an error. It
// reconnects by itself, and waits for a stream that is not there yet.
func Consume(ctx context.Context, opts Options, start Start, f func(Record) error) error {
	options, err := opts.connectOptions()
	if err != nil {
		return err
	}
	conn, err := nats.Connect(opts.URL, append(options, nats.RetryOnFailedConnect(false))...)
	if err != nil {
		return fmt.Errorf("connect to NATS at %s: %w", opts.URL, err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	policy := jetstream.DeliverNewPolicy
	if start == StartAll {
		policy = jetstream.DeliverAllPolicy
	}
	consumer, err := orderedConsumer(ctx, js, opts.Stream, policy)
	if err != nil {
		return fmt.Errorf("consume stream %s: %w", opts.Stream, err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		if err := f(Record{Subject: m.Subject(), Header: m.Headers(), Payload: m.Data()}); err != nil {
			return err
		}
	}
}

// orderedConsumer waits until the stream is there.
func orderedConsumer(ctx context.Context, js jetstream.JetStream, stream string, policy jetstream.DeliverPolicy) (jetstream.Consumer, error) {
	for {
		c, err := js.OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{DeliverPolicy: policy})
		if !errors.Is(err, jetstream.ErrStreamNotFound) {
			return c, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lookAgain):
		}
	}
}
