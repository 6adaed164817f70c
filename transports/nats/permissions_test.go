package nats

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// rights are what the server permits a user.
type rights struct{ publish, subscribe []string }

// publishing is what deployments/README.md says that livebridge's user needs while the streams are there.
func publishing() rights {
	return rights{
		publish: []string{"live.events.>", "live.quarantine.*",
			"$JS.API.STREAM.INFO.LIVE_EVENTS", "$JS.API.STREAM.INFO.LIVE_QUARANTINE"},
		subscribe: []string{"_INBOX.>"},
	}
}

// creating is what it needs besides when they are not.
func creating() []string {
	return []string{"$JS.API.STREAM.CREATE.LIVE_EVENTS", "$JS.API.STREAM.CREATE.LIVE_QUARANTINE"}
}

// consuming is what `livebridge tail` needs.
func consuming() rights {
	return rights{
		publish: []string{"$JS.API.STREAM.INFO.LIVE_EVENTS", "$JS.API.CONSUMER.CREATE.LIVE_EVENTS.>",
			"$JS.API.CONSUMER.MSG.NEXT.LIVE_EVENTS.*", "$JS.API.CONSUMER.DELETE.LIVE_EVENTS.*"},
		subscribe: []string{"_INBOX.>"},
	}
}

func (r rights) allExcept(right string) rights {
	drop := func(s string) bool { return s == right }
	return rights{slices.DeleteFunc(slices.Clone(r.publish), drop), slices.DeleteFunc(slices.Clone(r.subscribe), drop)}
}

// options are those of a server with a user who has these rights and an administrator.
func (r rights) options() *server.Options {
	deny := []string{"nothing"} // an empty list would permit everything
	return &server.Options{Users: []*server.User{
		{Username: "admin", Password: "secret"},
		{Username: "bridge", Password: "secret", Permissions: &server.Permissions{
			Publish:   &server.SubjectPermission{Allow: append(deny, r.publish...)},
			Subscribe: &server.SubjectPermission{Allow: append(deny, r.subscribe...)},
		}},
	}}
}

// give makes them the rights at a server that runs.
func (r rights) give(t *testing.T, s *natstest.Server) {
	t.Helper()
	o := s.Options.Clone()
	o.Users = r.options().Users
	if err := s.Running.ReloadOptions(o); err != nil {
		t.Fatal(err)
	}
}

func bridgeOptions(url string) Options {
	o := quickOptions(url)
	o.User, o.Password, o.AckTimeout = "bridge", "secret",
		40*time.Second // an event that only the time-out would answer fails the test
	return o
}

// withStreams creates the streams as livebridge would.
func withStreams(t *testing.T, s *natstest.Server) {
	t.Helper()
	o := quickOptions(s.URL)
	o.User, o.Password = "admin", "secret"
	p := dial(t, o)
	for _, e := range []*bridge.Event{natstest.Event("z", 1), natstest.Notice(100)} {
		if err := transporttest.Publish(t, p, e); err != nil {
			t.Fatal(err)
		}
	}
	transporttest.Close(t, p)
}

// TestExactRights: the rights of the handbook are enough, to create the streams and to publish; those to create them
// are not needed when they are there.
func TestExactRights(t *testing.T) {
	t.Parallel()
	all := publishing()
	all.publish = append(all.publish, creating()...)
	for name, r := range map[string]rights{"streams to be created": all, "streams there": publishing()} {
		t.Run(name, func(t *testing.T) {
			s := natstest.Start(t, r.options())
			if name == "streams there" {
				withStreams(t, s)
			}
			o, logs := observed(bridgeOptions(s.URL))
			p := dial(t, o)
			for _, e := range []*bridge.Event{natstest.Event("a", 1), natstest.Notice(1), natstest.Event("a", 2)} {
				if err := transporttest.Publish(t, p, e); err != nil {
					t.Fatal(err)
				}
			}
			logsNoFault(t, logs)
		})
	}
}

// logsNoFault fails on warnings, but for that of one replica and those of a server that is slow to answer: a right that
// is missing is named (TestMissingRight).
func logsNoFault(t *testing.T, logs *observer.ObservedLogs) {
	t.Helper()
	for _, entry := range logs.All() {
		text := fmt.Sprint(entry.Message, entry.ContextMap())
		if entry.Level >= zapcore.WarnLevel && !strings.Contains(text, "one replica") &&
			!strings.HasSuffix(fmt.Sprint(entry.ContextMap()["error"]), context.DeadlineExceeded.Error()) {
			t.Errorf("logged: %s", text)
		}
	}
}

// TestMissingRight: with one right less the error names it, at once, in the log and for the event; once it is granted,
// publishing goes on by itself. What concerns one stream does not hold up the other.
func TestMissingRight(t *testing.T) {
	t.Parallel()
	all := publishing()
	all.publish = append(all.publish, creating()...)
	for _, right := range append(slices.Clone(all.publish), all.subscribe...) {
		t.Run(right, func(t *testing.T) {
			s := natstest.Start(t, all.allExcept(right).options())
			o, logs := observed(bridgeOptions(s.URL))
			p := dial(t, o)
			stuck, other := natstest.Event("a", 1), natstest.Notice(1)
			if hasAll(right, []string{"QUARANTINE"}) || hasAll(right, []string{"quarantine"}) {
				stuck, other = other, stuck
			}
			natstest.AwaitUnavailable(t, p, stuck, right)
			awaitLog(t, logs, zapcore.ErrorLevel, right)
			if right != "_INBOX.>" {
				if err := transporttest.Publish(t, p, other); err != nil {
					t.Error(err)
				}
			}
			all.give(t, s)
			if err := transporttest.Publish(t, p, stuck); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestRightsTakenAway: the same when a right goes while events are published.
func TestRightsTakenAway(t *testing.T) {
	t.Parallel()
	for _, right := range []string{"live.events.>", "_INBOX.>", "$JS.API.STREAM.INFO.LIVE_EVENTS"} {
		t.Run(right, func(t *testing.T) {
			s := natstest.Start(t, publishing().options())
			withStreams(t, s)
			p := dial(t, bridgeOptions(s.URL))
			if err := transporttest.Publish(t, p, natstest.Event("a", 1)); err != nil {
				t.Fatal(err)
			}
			publishing().allExcept(right).give(t, s)
			natstest.AwaitUnavailable(t, p, natstest.Event("a", 2), right)
		})
	}
}

// TestInboxPrefix: answers come where the setting says, and nowhere else is anything subscribed.
func TestInboxPrefix(t *testing.T) {
	t.Parallel()
	publishes, consumes := publishing(), consuming()
	publishes.subscribe, consumes.subscribe = []string{"_INBOX.bridge.>"}, []string{"_INBOX.bridge.>"}
	s := natstest.Start(t, rights{append(publishes.publish, consumes.publish...), publishes.subscribe}.options())
	withStreams(t, s)
	o := bridgeOptions(s.URL)
	o.InboxPrefix = "_INBOX.bridge"
	if err := transporttest.Publish(t, dial(t, o), natstest.Event("a", 1)); err != nil {
		t.Fatal(err)
	}
	consumedBy(t, o, 2)
}

// TestConsumingRights: those of the handbook are enough to consume, and without one of them the error names it.
func TestConsumingRights(t *testing.T) {
	t.Parallel()
	needed := consuming().publish[:3] // the last one is asked for at the end only
	for _, right := range append([]string{"", "_INBOX.>"}, needed...) {
		t.Run(right, func(t *testing.T) {
			s := natstest.Start(t, consuming().allExcept(right).options())
			withStreams(t, s)
			o := bridgeOptions(s.URL)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			err := Consume(ctx, o, StartAll, func(Record) error { return context.Canceled })
			want := right
			if i := len(right) - 1; i > 0 {
				want = right[:i] // up to the wildcard, or so
			}
			if right == "" && err != context.Canceled || right != "" &&
				(err == nil || !hasAll(err.Error(), []string{want, "grant"})) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestNoJetStream: a server, or an account, without JetStream is an outage that says so.
func TestNoJetStream(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, &server.Options{})
	s.Kill()
	s.Options.JetStream = false
	s.Restart(t)
	p := dial(t, quickOptions(s.URL))
	natstest.AwaitUnavailable(t, p, natstest.Event("a", 1), "JetStream does not respond", "is enabled")
	s.Kill()
	s.Options.JetStream = true
	s.Restart(t)
	if err := transporttest.Publish(t, p, natstest.Event("a", 1)); err != nil {
		t.Fatal(err)
	}
}
