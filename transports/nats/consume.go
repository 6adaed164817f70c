package nats

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// Start is where a consumer begins.
type Start int

// The starts.
const (
	StartNew Start = iota // events published from now on
	StartAll              // all events of the stream
)

// first returns the sequence to start from.
func (s Start) first(have jetstream.StreamState) uint64 {
	if s == StartNew {
		return have.LastSeq + 1
	}
	return max(have.FirstSeq, 1)
}

// Record is one message of a stream as a consumer sees it.
type Record struct {
	Subject string
	Header  map[string][]string
	Payload []byte
}

// consumeRetryPause is how long a consumer waits after a failure.
const consumeRetryPause = 500 * time.Millisecond

// Consume calls f for every event of the stream, in the stream's order and once each, until ctx ends or f returns an
// error, and returns that. It waits for a stream that does not exist yet, survives the loss of the server, and resumes
// where it was.
func Consume(ctx context.Context, opts Options, start Start, f func(Record) error) error {
	l, err := newConnector(&opts)
	if err != nil {
		return err
	}
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	conn, err := l.connect(opts.URL, nats.RetryOnFailedConnect(false), nats.CustomInboxPrefix(opts.inbox()),
		onDenial(func(d denial) { end(d.missingPermission()) }))
	if err != nil {
		return fmt.Errorf("cannot connect to NATS at %s: %w", Redacted(opts.URL), err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	return denialOr(ctx, consume(ctx, js, &opts, start, f))
}

// denialOr returns the missing permission if that has ended ctx, otherwise err.
func denialOr(ctx context.Context, err error) error {
	var denied *unusableError
	if errors.As(context.Cause(ctx), &denied) {
		return denied
	}
	return err
}

func consume(ctx context.Context, js jetstream.JetStream, opts *Options, start Start, f func(Record) error) error {
	stream, err := await(ctx, js, opts.Stream)
	if err != nil {
		return fmt.Errorf("consume stream %s: %w", opts.Stream, err)
	}
	r := &reader{js: js, opts: opts, next: start.first(stream.CachedInfo().State), f: f}
	return r.run(ctx)
}

// await returns the stream once it exists.
func await(ctx context.Context, js jetstream.JetStream, name string) (jetstream.Stream, error) {
	for {
		stream, err := js.Stream(ctx, name)
		if !errors.Is(err, jetstream.ErrStreamNotFound) {
			return stream, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(consumeRetryPause):
		}
	}
}

// reader reads a stream from a sequence onwards.
type reader struct {
	js     jetstream.JetStream
	opts   *Options
	next   uint64
	f      func(Record) error
	logged bool
}

// errStop wraps an error of f, which ends the consumer.
type errStop struct{ error }

// Unwrap returns the error of f.
func (e errStop) Unwrap() error { return e.error }

func (r *reader) run(ctx context.Context) error {
	for {
		err := r.read(ctx)
		var stop errStop
		switch {
		case errors.As(err, &stop):
			return stop.error
		case ctx.Err() != nil:
			return ctx.Err()
		case !r.logged:
			r.logged = true
			r.opts.Log.Warn("stream interrupted; consuming resumes when the server responds", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(consumeRetryPause):
		}
	}
}

// read reads until something fails.
func (r *reader) read(ctx context.Context) error {
	stream, err := r.js.Stream(ctx, r.opts.Stream)
	if err != nil {
		return err
	}
	if have := stream.CachedInfo().State; r.next > have.LastSeq+1 {
		r.next = StartAll.first(have) // another stream of the same name
	}
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.next,
		FilterSubjects: []string{r.opts.SubjectPrefix + ".>"},
		// The client by itself would ask for the next sequence for ever, also of a stream that was created anew.
		MaxResetAttempts: 1,
	})
	if err != nil {
		return err
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
		if err := r.deliver(m); err != nil {
			return err
		}
	}
}

func (r *reader) deliver(m jetstream.Msg) error {
	meta, err := m.Metadata()
	if err != nil {
		return err
	}
	r.logged = false
	if meta.Sequence.Stream < r.next {
		return nil
	}
	r.next = meta.Sequence.Stream + 1
	if err := r.f(Record{Subject: m.Subject(), Header: m.Headers(), Payload: m.Data()}); err != nil {
		return errStop{err}
	}
	return nil
}
