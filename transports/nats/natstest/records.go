package natstest

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"livebridge/transports/transporttest"
)

// Records returns everything in a stream.
func Records(t testing.TB, js jetstream.JetStream, stream string) []transporttest.Record {
	t.Helper()
	var out []transporttest.Record
	for _, m := range Messages(t, js, stream) {
		out = append(out, RecordOf(m.Subject(), m.Headers(), m.Data()))
	}
	return out
}

// Led returns the stream once it has a leader: a cluster that has just come back may still be choosing one.
func Led(t testing.TB, js jetstream.JetStream, name string) jetstream.Stream {
	t.Helper()
	return Answered(t, "stream "+name, func(ctx context.Context) (jetstream.Stream, error) {
		s, err := js.Stream(ctx, name)
		if err == nil && s.CachedInfo().Cluster != nil && s.CachedInfo().Cluster.Leader == "" {
			return nil, context.DeadlineExceeded
		}
		return s, err
	})
}

// Answered asks until the cluster has leaders that answer: what it is asked before that is lost.
func Answered[T any](t testing.TB, what string, ask func(context.Context) (T, error)) T {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		answer, err := ask(ctx)
		cancel()
		if err == nil {
			return answer
		}
		var api *jetstream.APIError
		leaderless := errors.Is(err, context.DeadlineExceeded) || errors.As(err, &api) && api.Code == 503
		if !leaderless || time.Now().After(end) {
			t.Fatalf("%s: %v", what, err)
		}
		<-time.After(50 * time.Millisecond)
	}
}

// Messages returns everything in a stream.
func Messages(t testing.TB, js jetstream.JetStream, stream string) []jetstream.Msg {
	t.Helper()
	s := Led(t, js, stream)
	left := int(s.CachedInfo().State.Msgs)
	if left == 0 {
		return nil
	}
	c := Answered(t, "consumer of "+stream, func(ctx context.Context) (jetstream.Consumer, error) {
		return s.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	})
	it, err := c.Messages()
	if err != nil {
		t.Fatal(err)
	}
	defer it.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out []jetstream.Msg
	for ; left > 0; left-- {
		m, err := it.Next(jetstream.NextContext(ctx))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

// RecordOf is a message as the suite compares it.
func RecordOf(subject string, headers map[string][]string, payload []byte) transporttest.Record {
	r := transporttest.Record{Key: subject, Headers: make(map[string]string), Payload: bytes.Clone(payload)}
	for name, values := range headers {
		r.Headers[name] = values[0]
	}
	return r
}

// Foreign puts a message that is no event into a stream.
func Foreign(t testing.TB, js jetstream.JetStream, subject string, payload []byte) {
	t.Helper()
	Answered(t, "publish to "+subject, func(ctx context.Context) (*jetstream.PubAck, error) {
		return js.Publish(ctx, subject, payload)
	})
}
