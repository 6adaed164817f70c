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
	"livebridge/transports/transporttest"
)

// quickOptions check streams often, so that tests need not wait.
func quickOptions(url string) Options {
	o := testOptions()
	o.URL, o.recheck = url, 20*time.Millisecond
	return o
}

func dial(t testing.TB, o Options) *Publisher {
	t.Helper()
	p, err := Dial(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeSoon(p) })
	return p
}

// awaitUnavailable waits until an event is not taken for a reason that has all of the words.
func awaitUnavailable(t testing.TB, p bridge.Publisher, e *bridge.Event, texts ...string) {
	t.Helper()
	var err error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		if err = transporttest.Try(t, p, e); bridge.IsRejected(err) {
			t.Fatalf("rejected: %v", err)
		}
		if err != nil && hasAll(err.Error(), texts) {
			return
		}
		<-time.After(5 * time.Millisecond)
	}
	t.Fatalf("the last answer is %v, which has not %q", err, texts)
}

func hasAll(text string, texts []string) bool {
	for _, w := range texts {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// notice is a quarantine notice.
func notice(n uint64) *bridge.Event {
	e := event("q", n)
	e.Lane, e.Reason, e.Type = bridge.Lane{Kind: bridge.KindStream}, bridge.ReasonTampered, bridge.TypeQuarantined
	return e
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
		"written later":  {func(c *jetstream.StreamConfig) { c.PersistMode = jetstream.AsyncPersistMode; c.AllowDirect = false }, "persist_mode"},
		"no answers":     {func(c *jetstream.StreamConfig) { c.NoAck = true }, "no_ack"},
		"one message":    {func(c *jetstream.StreamConfig) { c.MaxMsgs = 1 }, "max_msgs"},
		"few messages":   {func(c *jetstream.StreamConfig) { c.MaxMsgs = minMessages - 1 }, "max_msgs"},
		"few bytes":      {func(c *jetstream.StreamConfig) { c.MaxBytes = minBytes - 1 }, "max_bytes"},
		"short":          {func(c *jetstream.StreamConfig) { c.MaxAge = minAge - time.Second }, "max_age"},
		"counters":       {func(c *jetstream.StreamConfig) { c.AllowMsgCounter = true }, "allow_msg_counter"},
	}
}

// TestUnusableStreamAtStart: events wait for a stream that is mended, then all of them come.
func TestUnusableStreamAtStart(t *testing.T) {
	t.Parallel()
	for name, m := range unusableConfigs() {
		t.Run(name, func(t *testing.T) {
			s := startServer(t, &server.Options{})
			js, o := s.admin(t), quickOptions(s.url)
			want := eventsStream(&o).want
			unusable := want
			m.change(&unusable)
			must(js.CreateStream(t.Context(), unusable))
			p := dial(t, o)
			awaitUnavailable(t, p, event("a", 1), o.Stream, m.names)
			if err := js.DeleteStream(t.Context(), o.Stream); err != nil {
				t.Fatal(err)
			}
			if err := publish(t, p, event("a", 1)); err != nil {
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
			s := startServer(t, &server.Options{})
			js, o := s.admin(t), quickOptions(s.url)
			p := dial(t, o)
			if err := publish(t, p, event("a", 1)); err != nil {
				t.Fatal(err)
			}
			usable := must(js.Stream(t.Context(), o.Stream)).CachedInfo().Config
			unusable := usable
			m.change(&unusable)
			must(js.UpdateStream(t.Context(), unusable))
			awaitUnavailable(t, p, event("a", 2), o.Stream, m.names)
			if err := publish(t, p, notice(1)); err != nil {
				t.Error(err)
			}
			must(js.UpdateStream(t.Context(), usable))
			if err := publish(t, p, event("a", 2)); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestSealedStream cannot be mended; it can be replaced.
func TestSealedStream(t *testing.T) {
	t.Parallel()
	s := startServer(t, &server.Options{})
	js, o := s.admin(t), quickOptions(s.url)
	p := dial(t, o)
	if err := publish(t, p, event("a", 1)); err != nil {
		t.Fatal(err)
	}
	config := must(js.Stream(t.Context(), o.Stream)).CachedInfo().Config
	config.Sealed = true
	must(js.UpdateStream(t.Context(), config))
	awaitUnavailable(t, p, event("a", 2), "sealed")
	if err := js.DeleteStream(t.Context(), o.Stream); err != nil {
		t.Fatal(err)
	}
	if err := publish(t, p, event("a", 2)); err != nil {
		t.Fatal(err)
	}
}

// TestMirror: a mirror has no subjects of its own, and the error says what it is.
func TestMirror(t *testing.T) {
	t.Parallel()
	s := startServer(t, &server.Options{})
	js, o := s.admin(t), quickOptions(s.url)
	must(js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "ORIGIN", Subjects: []string{"origin"}}))
	must(js.CreateStream(t.Context(), jetstream.StreamConfig{Name: o.Stream, Mirror: &jetstream.StreamSource{Name: "ORIGIN"}}))
	awaitUnavailable(t, dial(t, o), event("a", 1), o.Stream, "mirror of stream ORIGIN")
}

// TestOtherStreamTakesTheSubjects: an acknowledgement counts only if the stream expected has given it, from the very
// first message on, whenever the streams were checked last.
func TestOtherStreamTakesTheSubjects(t *testing.T) {
	t.Parallel()
	s := startServer(t, &server.Options{})
	js, o := s.admin(t), quickOptions(s.url)
	o.recheck = time.Hour
	p := dial(t, o)
	for _, first := range []*bridge.Event{event("a", 1), notice(1)} {
		if err := publish(t, p, first); err != nil {
			t.Fatal(err)
		}
	}
	steal := func(name, other, subjects string) {
		config := must(js.Stream(t.Context(), name)).CachedInfo().Config
		config.Subjects = []string{other + ".elsewhere.>"}
		must(js.UpdateStream(t.Context(), config))
		must(js.CreateStream(t.Context(), jetstream.StreamConfig{Name: other, Subjects: []string{subjects}, Storage: jetstream.MemoryStorage, MaxMsgs: 1}))
	}
	steal(o.Stream, "THIEF", "live.events.>")
	steal(QuarantineStream, "THIEF2", "live.quarantine.*")
	for _, e := range []*bridge.Event{event("a", 2), event("b", 1), notice(2)} {
		if err := transporttest.Try(t, p, e); err == nil || bridge.IsRejected(err) {
			t.Errorf("answered %v", err)
		}
	}
	for _, name := range []string{"THIEF", "THIEF2"} {
		if n := must(js.Stream(t.Context(), name)).CachedInfo().State.LastSeq; n != 0 {
			t.Errorf("%d messages are in %s", n, name)
		}
	}
}

// TestEmbeddedStreamTakenByAnother: the same on our own server, where many messages share an answer.
func TestEmbeddedStreamTakenByAnother(t *testing.T) {
	t.Parallel()
	e := embedded(t, t.TempDir(), func(o *Options) { o.recheck = time.Hour })
	defer closePublisher(t, e)
	for n := range uint64(3) {
		if err := publish(t, e, event("a", n+1)); err != nil {
			t.Fatal(err)
		}
	}
	js := adminOf(t, e)
	config := must(js.Stream(t.Context(), "LIVE_EVENTS")).CachedInfo().Config
	config.Subjects = []string{"elsewhere.>"}
	must(js.UpdateStream(t.Context(), config))
	must(js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "THIEF", Subjects: []string{"live.events.>"}}))
	answers := make(chan error, 500)
	for n := range cap(answers) {
		e.Publish(numbered(n), func(err error) { answers <- err })
	}
	for range cap(answers) {
		if err := transporttest.Receive(t, answers); err == nil || bridge.IsRejected(err) {
			t.Fatalf("answered %v", err)
		}
	}
	if n := must(js.Stream(t.Context(), "THIEF")).CachedInfo().State.LastSeq; n != 0 {
		t.Errorf("%d messages are in the other stream", n)
	}
	awaitUnavailable(t, e, event("a", 4), "stream THIEF of the embedded server", "NATS_STREAM")
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
	s := startServer(t, &server.Options{})
	js := s.admin(t)
	o, logs := observed(quickOptions(s.url))
	p := dial(t, o)
	if err := publish(t, p, event("a", 1)); err != nil {
		t.Fatal(err)
	}
	usable := must(js.Stream(t.Context(), o.Stream)).CachedInfo().Config
	unusable := usable
	unusable.MaxMsgs = 1
	must(js.UpdateStream(t.Context(), unusable))
	awaitUnavailable(t, p, event("a", 2), "max_msgs")
	for range 20 { // checks of it
		awaitUnavailable(t, p, event("a", 2), "max_msgs")
		<-time.After(o.recheck)
	}
	if n := awaitLog(t, logs, zapcore.ErrorLevel, "stream at NATS is unavailable", "raise max_msgs"); n != 1 {
		t.Errorf("the error is logged %d times", n)
	}
	must(js.UpdateStream(t.Context(), usable))
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
	s := startServer(t, &server.Options{})
	js := s.admin(t)
	o, logs := observed(quickOptions(s.url))
	p := dial(t, o)
	if err := publish(t, p, event("a", 1)); err != nil {
		t.Fatal(err)
	}
	config := must(js.Stream(t.Context(), o.Stream)).CachedInfo().Config
	if err := js.DeleteStream(t.Context(), o.Stream); err != nil {
		t.Fatal(err)
	}
	_, _ = js.CreateStream(t.Context(), config) // unless it has been created already
	awaitLog(t, logs, zapcore.ErrorLevel, "deleted and recreated")
	if err := publish(t, p, event("a", 2)); err != nil {
		t.Fatal(err)
	}
}
