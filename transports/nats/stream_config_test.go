package nats

import (
	"strings"
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

// quickOptions check streams often, so that tests need not wait.
func quickOptions(url string) Options {
	o := testOptions()
	o.URL, o.CheckInterval = url, 20*time.Millisecond
	return o
}

func dial(t testing.TB, o Options) *Publisher {
	t.Helper()
	p, err := Dial(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { transporttest.CloseSoon(p) })
	return p
}

func hasAll(text string, texts []string) bool {
	for _, w := range texts {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// unusableConfigs are changes after which a stream does not retain what it acknowledges, or accepts nothing, with what
// the error has to name.
func unusableConfigs() map[string]struct {
	change func(*jetstream.StreamConfig)
	names  string
} {
	return map[string]struct {
		change func(*jetstream.StreamConfig)
		names  string
	}{
		"other subjects": {func(c *jetstream.StreamConfig) { c.Subjects = []string{"other.>"} }, "subjects"},
		"memory":         {func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage }, "memory"},
		"written later": {func(c *jetstream.StreamConfig) {
			c.PersistMode, c.AllowDirect = jetstream.AsyncPersistMode, false
		}, "persist_mode"},
		"no answers":   {func(c *jetstream.StreamConfig) { c.NoAck = true }, "no_ack"},
		"one message":  {func(c *jetstream.StreamConfig) { c.MaxMsgs = 1 }, "max_msgs"},
		"few messages": {func(c *jetstream.StreamConfig) { c.MaxMsgs = minMessages - 1 }, "max_msgs"},
		"few bytes":    {func(c *jetstream.StreamConfig) { c.MaxBytes = minBytes - 1 }, "max_bytes"},
		"short":        {func(c *jetstream.StreamConfig) { c.MaxAge = minAge - time.Second }, "max_age"},
		"counters":     {func(c *jetstream.StreamConfig) { c.AllowMsgCounter = true }, "allow_msg_counter"},
	}
}

// TestUnusableStreamAtStart: events wait for a stream that is mended, then all of them come.
func TestUnusableStreamAtStart(t *testing.T) {
	t.Parallel()
	for name, m := range unusableConfigs() {
		t.Run(name, func(t *testing.T) {
			s := natstest.Start(t, &server.Options{})
			js, o := s.JetStream(t), quickOptions(s.URL)
			want := eventsStream(&o).want
			unusable := want
			m.change(&unusable)
			natstest.Must(js.CreateStream(t.Context(), unusable))
			p := dial(t, o)
			natstest.AwaitUnavailable(t, p, natstest.Event("a", 1), o.Stream, m.names)
			if err := js.DeleteStream(t.Context(), o.Stream); err != nil {
				t.Fatal(err)
			}
			if err := transporttest.Publish(t, p, natstest.Event("a", 1)); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestStreamBecomesUnusable: the stream is changed while events go to it; the quarantine's stream goes on.
func TestStreamBecomesUnusable(t *testing.T) {
	t.Parallel()
	for name, m := range unusableConfigs() {
		if name == "memory" || name == "written later" || name == "counters" {
			continue // which the server changes of no stream
		}
		t.Run(name, func(t *testing.T) {
			s := natstest.Start(t, &server.Options{})
			js, o := s.JetStream(t), quickOptions(s.URL)
			p := dial(t, o)
			if err := transporttest.Publish(t, p, natstest.Event("a", 1)); err != nil {
				t.Fatal(err)
			}
			usable := natstest.Must(js.Stream(t.Context(), o.Stream)).CachedInfo().Config
			unusable := usable
			m.change(&unusable)
			natstest.Must(js.UpdateStream(t.Context(), unusable))
			natstest.AwaitUnavailable(t, p, natstest.Event("a", 2), o.Stream, m.names)
			if err := transporttest.Publish(t, p, natstest.Notice(1)); err != nil {
				t.Error(err)
			}
			natstest.Must(js.UpdateStream(t.Context(), usable))
			if err := transporttest.Publish(t, p, natstest.Event("a", 2)); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestSealedStream cannot be mended; it can be replaced.
func TestSealedStream(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, &server.Options{})
	js, o := s.JetStream(t), quickOptions(s.URL)
	p := dial(t, o)
	if err := transporttest.Publish(t, p, natstest.Event("a", 1)); err != nil {
		t.Fatal(err)
	}
	config := natstest.Must(js.Stream(t.Context(), o.Stream)).CachedInfo().Config
	config.Sealed = true
	natstest.Must(js.UpdateStream(t.Context(), config))
	natstest.AwaitUnavailable(t, p, natstest.Event("a", 2), "sealed")
	if err := js.DeleteStream(t.Context(), o.Stream); err != nil {
		t.Fatal(err)
	}
	if err := transporttest.Publish(t, p, natstest.Event("a", 2)); err != nil {
		t.Fatal(err)
	}
}

// TestMirror: a mirror has no subjects of its own, and the error says what it is.
func TestMirror(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, &server.Options{})
	js, o := s.JetStream(t), quickOptions(s.URL)
	natstest.Must(js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "ORIGIN", Subjects: []string{"origin"}}))
	natstest.Must(js.CreateStream(t.Context(), jetstream.StreamConfig{Name: o.Stream,
		Mirror: &jetstream.StreamSource{Name: "ORIGIN"}}))
	natstest.AwaitUnavailable(t, dial(t, o), natstest.Event("a", 1), o.Stream, "mirror of stream ORIGIN")
}

// TestOtherStreamTakesTheSubjects: an acknowledgement counts only if the stream expected has given it, from the very
// first message on, whenever the streams were checked last.
func TestOtherStreamTakesTheSubjects(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, &server.Options{})
	js, o := s.JetStream(t), quickOptions(s.URL)
	o.CheckInterval = time.Hour
	p := dial(t, o)
	for _, first := range []*bridge.Event{natstest.Event("a", 1), natstest.Notice(1)} {
		if err := transporttest.Publish(t, p, first); err != nil {
			t.Fatal(err)
		}
	}
	steal := func(name, other, subjects string) {
		config := natstest.Must(js.Stream(t.Context(), name)).CachedInfo().Config
		config.Subjects = []string{other + ".elsewhere.>"}
		natstest.Must(js.UpdateStream(t.Context(), config))
		natstest.Must(js.CreateStream(t.Context(), jetstream.StreamConfig{Name: other, Subjects: []string{subjects},
			Storage: jetstream.MemoryStorage, MaxMsgs: 1}))
	}
	steal(o.Stream, "THIEF", "live.events.>")
	steal(QuarantineStream, "THIEF2", "live.quarantine.*")
	for _, e := range []*bridge.Event{natstest.Event("a", 2), natstest.Event("b", 1), natstest.Notice(2)} {
		if err := transporttest.Try(t, p, e); err == nil || bridge.IsRejected(err) {
			t.Errorf("answered %v", err)
		}
	}
	for _, name := range []string{"THIEF", "THIEF2"} {
		if n := natstest.Must(js.Stream(t.Context(), name)).CachedInfo().State.LastSeq; n != 0 {
			t.Errorf("%d messages are in %s", n, name)
		}
	}
}

// observed returns options whose log can be read.
func observed(o Options) (Options, *observer.ObservedLogs) {
	core, logs := observer.New(zapcore.InfoLevel)
	o.Log = zap.New(core)
	return o, logs
}

// awaitLog waits until the log has an entry with all of the words, and returns how many it has.
func awaitLog(t testing.TB, logs *observer.ObservedLogs, level zapcore.Level, texts ...string) int {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-time.After(5 * time.Millisecond) {
		n := 0
		for _, entry := range logs.All() {
			err, _ := entry.ContextMap()["error"].(string)
			if entry.Level == level && hasAll(entry.Message+" "+err, texts) {
				n++
			}
		}
		if n > 0 {
			return n
		}
	}
	t.Fatalf("nothing is logged with %q: %v", texts, logs.All())
	return 0
}

// TestUnusableStreamRaisesAlarm: an error that names what to mend, once, and the end of it.
func TestUnusableStreamRaisesAlarm(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, &server.Options{})
	js := s.JetStream(t)
	o, logs := observed(quickOptions(s.URL))
	p := dial(t, o)
	if err := transporttest.Publish(t, p, natstest.Event("a", 1)); err != nil {
		t.Fatal(err)
	}
	usable := natstest.Must(js.Stream(t.Context(), o.Stream)).CachedInfo().Config
	unusable := usable
	unusable.MaxMsgs = 1
	natstest.Must(js.UpdateStream(t.Context(), unusable))
	natstest.AwaitUnavailable(t, p, natstest.Event("a", 2), "max_msgs")
	for range 20 { // checks of it
		natstest.AwaitUnavailable(t, p, natstest.Event("a", 2), "max_msgs")
		<-time.After(o.CheckInterval)
	}
	if n := awaitLog(t, logs, zapcore.ErrorLevel, "stream at NATS is unavailable", "raise max_msgs"); n != 1 {
		t.Errorf("the error is logged %d times", n)
	}
	natstest.Must(js.UpdateStream(t.Context(), usable))
	awaitLog(t, logs, zapcore.InfoLevel, "available again")
}

// TestAlarmReminds: about once a minute while a fault lasts, and at once of another.
func TestAlarmReminds(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zapcore.InfoLevel)
	a := alarm{log: zap.New(core)}
	fault, other := &unusableError{"one"}, &unusableError{"another"}
	for range 5 {
		a.raise(zap.ErrorLevel, "fault", fault)
	}
	a.at = a.at.Add(-remindInterval)
	for range 5 {
		a.raise(zap.ErrorLevel, "fault", fault)
	}
	a.raise(zap.ErrorLevel, "fault", other)
	a.clear()
	a.clear()
	a.raise(zap.ErrorLevel, "fault", other)
	if n := logs.Len(); n != 5 {
		t.Errorf("%d entries: %v", n, logs.All())
	}
}

// TestStreamRecreated: who deletes the stream and creates another has thrown events away, which is said loudly;
// publishing goes on.
func TestStreamRecreated(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, &server.Options{})
	js := s.JetStream(t)
	o, logs := observed(quickOptions(s.URL))
	p := dial(t, o)
	if err := transporttest.Publish(t, p, natstest.Event("a", 1)); err != nil {
		t.Fatal(err)
	}
	config := natstest.Must(js.Stream(t.Context(), o.Stream)).CachedInfo().Config
	if err := js.DeleteStream(t.Context(), o.Stream); err != nil {
		t.Fatal(err)
	}
	_, _ = js.CreateStream(t.Context(), config) // unless it has been created already
	awaitLog(t, logs, zapcore.ErrorLevel, "deleted and recreated")
	if err := transporttest.Publish(t, p, natstest.Event("a", 2)); err != nil {
		t.Fatal(err)
	}
}
