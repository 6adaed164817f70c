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
	r := &reader{js: js, opts: opts, f: f}
	stream, err := r.await(ctx)
	if err != nil {
		return fmt.Errorf("consume stream %s: %w", opts.Stream, err)
	}
	r.next = start.first(stream.CachedInfo().State)
	return r.run(ctx)
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

// await returns the stream once it exists and its server answers.
func (r *reader) await(ctx context.Context) (jetstream.Stream, error) {
	for {
		stream, err := r.stream(ctx)
		switch {
		case errors.Is(err, jetstream.ErrStreamNotFound):
		case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
			r.interrupted(err)
		default:
			return stream, err
		}
		if !pauseAfterFailure(ctx) {
			return nil, ctx.Err()
		}
	}
}

// stream asks for the stream. A request that a server of a cluster loses, such as while leaders are elected, ends long
// before ctx does.
func (r *reader) stream(ctx context.Context) (jetstream.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return r.js.Stream(ctx, r.opts.Stream)
}

// interrupted logs the first failure in a row.
func (r *reader) interrupted(err error) {
	if !r.logged {
		r.logged = true
		r.opts.Log.Warn("stream interrupted; consuming resumes when the server responds", zap.Error(err))
	}
}

// pauseAfterFailure waits, and reports false if ctx ends before.
func pauseAfterFailure(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(consumeRetryPause):
		return true
	}
}

func (r *reader) run(ctx context.Context) error {
	for {
		err := r.read(ctx)
		var stop errStop
		switch {
		case errors.As(err, &stop):
			return stop.error
		case ctx.Err() != nil:
			return ctx.Err()
		}
		r.interrupted(err)
		if !pauseAfterFailure(ctx) {
			return ctx.Err()
		}
	}
}

// read reads until something fails.
func (r *reader) read(ctx context.Context) error {
	stream, err := r.stream(ctx)
	if err != nil {
		return err
	}
	if have := stream.CachedInfo().State; r.next > have.LastSeq+1 {
		r.next = StartAll.first(have) // another stream of the same name
	}
	consumer, err := r.consumer(ctx, stream)
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

// consumer makes one that begins where the reader is.
func (r *reader) consumer(ctx context.Context, stream jetstream.Stream) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.next,
		FilterSubjects: []string{r.opts.SubjectPrefix + ".>"},
		// The client by itself would ask for the next sequence for ever, also of a stream that was created anew.
		MaxResetAttempts: 1,
	})
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
