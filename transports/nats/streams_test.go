package nats

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"livebridge/transports/nats/natstest"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// lossyJetStream is a JetStream that loses the first questions put to it, as a cluster does while it has no leader.
type lossyJetStream struct {
	jetstream.JetStream
	conn  *nats.Conn
	loses int
	has   jetstream.Stream
}

// Conn implements jetstream.JetStream.
func (f *lossyJetStream) Conn() *nats.Conn { return f.conn }

// Stream implements jetstream.JetStream.
func (f *lossyJetStream) Stream(ctx context.Context, _ string) (jetstream.Stream, error) {
	if f.loses--; f.loses >= 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return f.has, nil
}

// eventsOnServer returns the stream of events on a server of its own.
func eventsOnServer(t *testing.T, o *Options) (*nats.Conn, jetstream.Stream) {
	t.Helper()
	s := natstest.Start(t, &server.Options{})
	conn, err := nats.Connect(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	has, err := s.JetStream(t).CreateStream(t.Context(), eventsStream(o).want)
	if err != nil {
		t.Fatal(err)
	}
	return conn, has
}

// TestLostRequests: a question about the streams that is lost holds publishing up for a moment, and one lost after the
// other are asked again less and less often, but never more than a check and a pause apart.
func TestLostRequests(t *testing.T) {
	o := testOptions()
	o.Quarantine = ""
	conn, has := eventsOnServer(t, &o)
	for loses, want := range map[int]time.Duration{
		0: 0, 1: time.Second, 2: 2500 * time.Millisecond, 3: 5 * time.Second, 4: 9500 * time.Millisecond,
		6: 20500 * time.Millisecond,
	} {
		synctest.Test(t, func(t *testing.T) {
			begun, streams := time.Now(), newStreams(&o)
			streams.start(&lossyJetStream{conn: conn, loses: loses, has: has})
			defer streams.stop()
			streams.recheck()
			for synctest.Wait(); streams.events.ready() != nil; synctest.Wait() {
				time.Sleep(time.Millisecond)
			}
			if took := time.Since(begun); took != want {
				t.Errorf("with %d questions lost the streams are known after %v, want %v", loses, took, want)
			}
		})
	}
}

// TestQuarantineComesSecond: the stream of the quarantine, which is created where it fits, is not looked at before that
// of events is known: a first question without an answer does not let it take the room of that. It does not wait for
// ever.
func TestQuarantineComesSecond(t *testing.T) {
	o := testOptions()
	conn, has := eventsOnServer(t, &o)
	synctest.Test(t, func(t *testing.T) {
		streams := newStreams(&o)
		known := func() bool {
			select {
			case <-streams.quarantine.checkAfter:
				return true
			default:
				return false
			}
		}
		streams.events.check(t.Context(), &lossyJetStream{conn: conn, loses: 1}, checkFirst)
		if known() {
			t.Error("it is looked at though nothing is known of the stream of events")
		}
		streams.events.check(t.Context(), &lossyJetStream{conn: conn, has: has}, checkFirst)
		if !known() {
			t.Error("it is not looked at though the stream of events is known")
		}
		streams = newStreams(&o)
		if streams.events.check(t.Context(), &lossyJetStream{conn: conn, loses: 1}, checkTimeout); !known() {
			t.Error("it is not looked at though there may never be an answer")
		}
	})
}

// TestConsumerAsksAgain: a question that is lost holds a consumer up for a moment, however long its caller would wait.
func TestConsumerAsksAgain(t *testing.T) {
	o := testOptions()
	conn, has := eventsOnServer(t, &o)
	synctest.Test(t, func(t *testing.T) {
		r, begun := &reader{js: &lossyJetStream{conn: conn, loses: 2, has: has}, opts: &o}, time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if stream, err := r.await(ctx); stream != has || err != nil {
			t.Errorf("%v, %v", stream, err)
		}
		if took, want := time.Since(begun), 2*(checkTimeout+consumeRetryPause); took != want {
			t.Errorf("it took %v, want %v", took, want)
		}
	})
}
