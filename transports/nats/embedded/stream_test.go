package embedded

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/nats-io/nats.go/jetstream"

	"livebridge/bridge"
	"livebridge/transports/nats"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// TestEmbeddedStreamLimit: a message that the stream refuses is rejected although it has no answer of its own in a
// batch, and those beside it are stored.
func TestEmbeddedStreamLimit(t *testing.T) {
	t.Parallel()
	e := embedded(t, t.TempDir(), nil)
	defer transporttest.Close(t, e)
	if err := transporttest.Publish(t, e, natstest.Event("a", 1)); err != nil {
		t.Fatal(err)
	}
	js := adminOf(t, e)
	config := natstest.Must(js.Stream(t.Context(), "LIVE_EVENTS")).CachedInfo().Config
	config.MaxMsgSize = 4096
	natstest.Must(js.UpdateStream(t.Context(), config))
	const n = 300
	answers := make([]chan error, n)
	for i := range answers {
		answers[i] = make(chan error, 1)
		ev := natstest.Numbered(i)
		if i%50 == 7 {
			ev.Data = []byte(`{"x":"` + strings.Repeat("x", 8192) + `"}`)
		}
		e.Publish(ev, func(err error) { answers[i] <- err })
	}
	for i, answer := range answers {
		if err := transporttest.Receive(t, answer); bridge.IsRejected(err) != (i%50 == 7) || i%50 != 7 && err != nil {
			t.Errorf("event %d: %v", i, err)
		}
	}
}

// TestEmbeddedStreamTakenByAnother: the same on our own server, where many messages share an answer.
func TestEmbeddedStreamTakenByAnother(t *testing.T) {
	t.Parallel()
	e := embedded(t, t.TempDir(), func(o *nats.Options) { o.CheckInterval = time.Hour })
	defer transporttest.Close(t, e)
	for n := range uint64(3) {
		if err := transporttest.Publish(t, e, natstest.Event("a", n+1)); err != nil {
			t.Fatal(err)
		}
	}
	js := adminOf(t, e)
	config := natstest.Must(js.Stream(t.Context(), "LIVE_EVENTS")).CachedInfo().Config
	config.Subjects = []string{"elsewhere.>"}
	natstest.Must(js.UpdateStream(t.Context(), config))
	natstest.Must(js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "THIEF", Subjects: []string{"live.events.>"}}))
	answers := make(chan error, 500)
	for n := range cap(answers) {
		e.Publish(natstest.Numbered(n), func(err error) { answers <- err })
	}
	for range cap(answers) {
		if err := transporttest.Receive(t, answers); err == nil || bridge.IsRejected(err) {
			t.Fatalf("answered %v", err)
		}
	}
	if n := natstest.Must(js.Stream(t.Context(), "THIEF")).CachedInfo().State.LastSeq; n != 0 {
		t.Errorf("%d messages are in the other stream", n)
	}
	natstest.AwaitUnavailable(t, e, natstest.Event("a", 4), "stream THIEF of the embedded server", "NATS_STREAM")
}

// TestOwnStreamFollowsSettings: the stream on our own server is as the settings of this start say, whatever it was made
// with.
func TestOwnStreamFollowsSettings(t *testing.T) {
	t.Parallel()
	const window = 10 * time.Second
	dir := t.TempDir()
	for n, age := range []time.Duration{time.Hour, 2 * time.Hour} {
		e := embedded(t, dir, func(o *nats.Options) { o.MaxAge = age })
		if err := transporttest.Publish(t, e,
			natstest.Event("a", uint64(n+1))); err != nil { // none is accepted before the stream is usable
			t.Fatal(err)
		}
		have := natstest.Must(consumerJS(t, e).Stream(t.Context(), e.publish.Stream)).CachedInfo().Config
		if have.MaxAge != age || have.Duplicates != window {
			t.Errorf("the stream keeps events for %v and drops repeats for %v, want %v and %v", have.MaxAge, have.Duplicates,
				age, window)
		}
		transporttest.Close(t, e)
	}
}

// TestStoredEventsAreLogged with stream and sequence, though the server acknowledges events together otherwise.
func TestStoredEventsAreLogged(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.DebugLevel)
	e := embedded(t, t.TempDir(), func(o *nats.Options) { o.Log = zap.New(core) })
	defer transporttest.Close(t, e)
	all := transporttest.Events(200, 1, 2)
	transporttest.Deliver(t, e, all)
	stored := make(map[string]uint64)
	for _, m := range natstest.Messages(t, adminOf(t, e), e.publish.Stream) {
		stored[string(m.Data())] = natstest.Must(m.Metadata()).Sequence.Stream
	}
	for _, event := range all {
		lines := logs.FilterMessage("event stored by NATS").FilterField(zap.Stringer("id", event.ID)).All()
		if len(lines) != 1 {
			t.Fatalf("%d lines about %v %d", len(lines), event.Lane, event.Sequence)
		}
		got, want := lines[0].ContextMap(), stored[string(event.AppendStructured(nil))]
		if got["sequence"] != event.Sequence || got["stream"] != e.publish.Stream || got["stream_sequence"] != want {
			t.Errorf("%v, want stream sequence %d", got, want)
		}
	}
}
