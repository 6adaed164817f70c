package partitions

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// What the client asks a server for at once.
const (
	pullMessages = 4000
	pullBytes    = 16 << 20
)

const (
	// heartbeat is how often a server says that it has nothing to send. A request to a new consumer is sometimes lost in
	// a cluster, and costs two of them.
	heartbeat = 500 * time.Millisecond
	// followTimeout bounds the wait for a new consumer, and consumerIdle is when the server forgets one that nobody asks.
	followTimeout = time.Second
	consumerIdle  = 30 * time.Second
)

// follower reads the messages of a stream under one subject in the order of their sequences, each that is there once,
// whatever happens to servers and connections.
type follower struct {
	connection  func() (*nats.Conn, jetstream.JetStream)
	stream      string
	subject     string
	headersOnly bool
	next        uint64 // sequence

	messages jetstream.MessagesContext // nil: there is no consumer
}

// message is one of a stream.
type message struct {
	jetstream.Msg
	sequence uint64
	time     time.Time
	left     uint64 // messages behind it, as far as the server knew when it sent this one
}

// read waits for the next message. An error is of ctx.
func (f *follower) read(ctx context.Context) (message, error) {
	for wait := firstPause; ; wait = pause(ctx, wait) {
		m, err := f.try(ctx)
		if err == nil {
			return m, nil
		}
		if ctx.Err() != nil {
			return message{}, fmt.Errorf("read stream %s: %w; the last answer: %w", f.stream, ctx.Err(), err)
		}
		f.close()
	}
}

func (f *follower) try(ctx context.Context) (message, error) {
	if f.messages == nil {
		if err := f.open(ctx); err != nil {
			return message{}, err
		}
	}
	for {
		m, err := f.messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return message{}, err
		}
		about, err := m.Metadata()
		if err != nil {
			return message{}, err
		}
		if about.Sequence.Stream >= f.next {
			f.next = about.Sequence.Stream + 1
			return message{m, about.Sequence.Stream, about.Timestamp, about.NumPending}, nil
		}
	}
}

// open makes a consumer.
func (f *follower) open(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, followTimeout)
	defer cancel()
	_, js := f.connection()
	consumer, err := js.OrderedConsumer(ctx, f.stream, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{f.subject}, HeadersOnly: f.headersOnly,
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: max(f.next, 1),
		InactiveThreshold: consumerIdle,
		MaxResetAttempts:  1, // who asks again is read
	})
	if err != nil {
		return err
	}
	f.messages, err = consumer.Messages(jetstream.PullMaxMessagesWithBytesLimit(pullMessages, pullBytes),
		jetstream.PullHeartbeat(heartbeat))
	return err
}

func (f *follower) close() {
	if f.messages != nil {
		f.messages.Stop()
		f.messages = nil
	}
}
