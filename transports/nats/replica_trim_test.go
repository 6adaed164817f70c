package nats

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// trimmed are options of a replica that removes sourced events often.
func trimmed(t *testing.T) Options {
	o := replicaOptions(t, natstest.Start(t, &server.Options{}).URL, "TRIMMED")
	o.trimInterval = 20 * time.Millisecond
	return o
}

// commitEvents takes the partition and commits so many events, a few at a time, with sequences from first.
func commitEvents(t *testing.T, r *Replicas, first uint64, n int) {
	t.Helper()
	p, err := r.Take(t.Context(), 0, 0, func([]bridge.Row, uint64) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	for i := range n {
		c := bridge.PartitionCommit{Events: transporttest.Events(1, first+uint64(i), 1),
			Rows: []bridge.Row{{Key: []byte("row"), Value: fmt.Append(nil, i)}}}
		if _, err := p.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
}

// eventsIn returns how many events a stream of the state has.
func eventsIn(t *testing.T, js jetstream.JetStream, o Options) int {
	t.Helper()
	s := natstest.Must(js.Stream(t.Context(), o.Stream+stateSuffix))
	filter := jetstream.WithSubjectFilter(o.Stream + stateSuffix + ".*.e.>")
	return len(natstest.Must(s.Info(t.Context(), filter)).State.Subjects)
}

func messagesIn(t *testing.T, js jetstream.JetStream, stream string) uint64 {
	t.Helper()
	return natstest.Must(js.Stream(t.Context(), stream)).CachedInfo().State.Msgs
}

// TestSourcedEventsAreRemoved: the state does not keep events that the output has, and keeps those that it has not.
func TestSourcedEventsAreRemoved(t *testing.T) {
	t.Parallel()
	o := trimmed(t)
	r := openReplicas(t, o)
	js := natstest.Connect(t, o.URL)
	commitEvents(t, r, 1, 50)
	transporttest.Eventually(t, "the state has one event", func() bool {
		r.committed.Store(true)
		return eventsIn(t, js, o) == 1
	})
	if n := len(sourcedOf(t, o, 0)); n != 50 {
		t.Errorf("the output has %d events", n)
	}
	config := natstest.Must(js.Stream(t.Context(), o.Stream)).CachedInfo().Config
	sources := config.Sources
	config.Sources, config.Subjects = nil, []string{"nobody"}
	natstest.Must(js.UpdateStream(t.Context(), config))
	commitEvents(t, r, 51, 20)
	for range 3 {
		if err := r.trimAll(); err != nil {
			t.Fatal(err)
		}
	}
	if n := eventsIn(t, js, o); n != 21 {
		t.Errorf("the state has %d events, of which 20 were not sourced", n)
	}
	config.Sources, config.Subjects = sources, nil
	natstest.Must(js.UpdateStream(t.Context(), config))
	transporttest.Eventually(t, "the output has all", func() bool { return messagesIn(t, js, o.Stream) == 70 })
}

// TestTrimmingEndsInSilence: what fails because the replica is closed is no failure; what fails before is told.
func TestTrimmingEndsInSilence(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, &server.Options{})
	o := replicaOptions(t, s.URL, "SILENT")
	core, logs := observer.New(zapcore.WarnLevel)
	o.Log = zap.New(core)
	r, err := OpenReplicas(t.Context(), o, "replicas")
	if err != nil {
		t.Fatal(err)
	}
	told := func() int {
		r.trimOnce(new(bridge.Reminders))
		return logs.FilterMessageSnippet("is not removed").Len()
	}
	if err := natstest.Connect(t, o.URL).DeleteStream(t.Context(), o.Stream); err != nil {
		t.Fatal(err)
	}
	if told() != 1 {
		t.Errorf("without its stream: %v", logs.All())
	}
	if err := r.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if told() != 1 || r.trimAll() == nil {
		t.Errorf("closed: %v", logs.All())
	}
}

// TestNewStateGoesOnBehindTheOld: an output takes nothing from a source that was made anew before that has come to
// where the old one was.
func TestNewStateGoesOnBehindTheOld(t *testing.T) {
	t.Parallel()
	o := trimmed(t)
	r := openReplicas(t, o)
	commitEvents(t, r, 1, 10)
	js := natstest.Connect(t, o.URL)
	transporttest.Eventually(t, "the output has all", func() bool { return messagesIn(t, js, o.Stream) == 10 })
	_ = r.Close(t.Context())
	for _, name := range []string{o.Stream + stateSuffix, o.Stream + intakeSuffix} {
		if err := js.DeleteStream(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	openReplicas(t, o)
	all := natstest.Messages(t, js, o.Stream)
	last := sequenceOf(t, all[len(all)-1])
	first := natstest.Must(js.Stream(t.Context(), o.Stream+stateSuffix)).CachedInfo().Config.FirstSeq
	if first != last+1 {
		t.Errorf("the new state begins at %d, and the output has come to %d", first, last)
	}
}

// TestTrimRights: what the handbook permits is enough to remove sourced events, and each right of it is needed.
func TestTrimRights(t *testing.T) {
	t.Parallel()
	all := replicating()
	s := natstest.Start(t, all.options())
	o, _ := replicaUser(t, s.URL)
	admin := o
	admin.User, admin.trimInterval = "admin", time.Hour
	a := openReplicas(t, admin)
	commitEvents(t, a, 1, 3)
	p, err := a.Take(t.Context(), 0, 0, func([]bridge.Row, uint64) error { return nil })
	if err == nil {
		_, err = p.Commit(t.Context(), bridge.PartitionCommit{Events: []*bridge.Event{natstest.Notice(1)}})
	}
	if err != nil {
		t.Fatal(err)
	}
	transporttest.Eventually(t, "both have their events", func() bool {
		_, js := a.connection()
		return messagesIn(t, js, o.Stream) == 3 && messagesIn(t, js, QuarantineStream) == 1
	})
	for _, right := range []string{"", "$JS.API.STREAM.PURGE.LIVE_EVENTS_STATE", "$JS.API.DIRECT.GET.LIVE_EVENTS",
		"$JS.API.DIRECT.GET.LIVE_QUARANTINE"} {
		all.allExcept(right).give(t, s)
		o.trimInterval = time.Hour
		if err := openGroup(t, o, "livebridge").trimAll(); (err == nil) != (right == "") {
			t.Errorf("without %q: %v", right, err)
		}
	}
}
