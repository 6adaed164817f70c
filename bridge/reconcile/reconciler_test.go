package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
	"livebridge/bridge/provider"
	"livebridge/bridge/reconcile"
)

// world is both lists, and how the provider fails, by domain.
type world struct {
	mu       sync.Mutex // held by the test, but in after
	online   map[string][]provider.Stream
	failing  map[string]error
	open     []bridge.OpenSession
	listing  error
	full     error    // of the journal
	asked    []string // domains, in order
	reported []reconcile.Difference
	log      *observer.ObservedLogs
	registry *prometheus.Registry
}

func (w *world) Online(_ context.Context, domain, app string) ([]provider.Stream, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, domain+app)
	return w.online[domain], w.failing[domain]
}

func (w *world) OpenSessions(_ context.Context, domain string) (out []bridge.OpenSession, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.open {
		if s.Domain == domain {
			out = append(out, s)
		}
	}
	return out, w.listing
}

// run runs a Reconciler of both domains within a bubble of time, for as long as test does.
func (w *world) run(t *testing.T, change func(*reconcile.Options), test func()) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		core, log := observer.New(zapcore.InfoLevel)
		w.log, w.registry = log, prometheus.NewRegistry()
		o := reconcile.Options{Interval: time.Minute, Grace: 2 * time.Minute, Domains: []string{domain, "b.example.com"},
			Sessions: w, Online: w, Log: zap.New(core), Registerer: w.registry,
			Publish: func(_ context.Context, d reconcile.Difference) error {
				w.mu.Lock()
				defer w.mu.Unlock()
				if w.full == nil {
					w.reported = append(w.reported, d)
				}
				return w.full
			}}
		if change != nil {
			change(&o)
		}
		r := reconcile.New(o)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		w.mu.Lock()
		go func() { defer close(done); r.Run(ctx) }()
		test()
		w.mu.Unlock()
		cancel()
		<-done
	})
}

// after lets time pass, and what is due in it happen. Only then is the world the reconciler's.
func (w *world) after(d time.Duration) {
	w.mu.Unlock()
	defer w.mu.Lock()
	time.Sleep(d)
	synctest.Wait()
}

// names are the problems and streams of what was reported.
func (w *world) names() (out []string) {
	for _, d := range w.reported {
		out = append(out, string(d.Problem)+" "+d.Name)
	}
	return out
}

func (w *world) value(t *testing.T, name, label string) float64 {
	t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "livebridge_reconcile_"+name && (label == "" || m.GetLabel()[0].GetValue() == label) {
				return m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

func stream(name string) provider.Stream {
	return provider.Stream{Domain: domain, App: "live", Name: name}
}

func session(name string) bridge.OpenSession {
	return bridge.OpenSession{Domain: domain, App: "live", Stream: name, Session: bridge.MillisOf(time.Now())}
}

// TestRounds: differences are reported once, when they have lasted for the grace period, and counted as long as they
// last. Streams of IGNORE_STREAMS are left out, and domains are compared without case.
func TestRounds(t *testing.T) {
	w := &world{}
	ignore := func(o *reconcile.Options) { o.Ignore = func(s string) bool { return strings.HasSuffix(s, "_lhd") } }
	w.run(t, ignore, func() {
		both := stream("both")
		both.Domain = "Push.Example.com"
		w.online = map[string][]provider.Stream{domain: {both, stream("unseen"), stream("unseen_lhd")}}
		w.open = []bridge.OpenSession{session("both"), session("left"), session("left_lhd")}
		w.after(2 * time.Minute)
		if len(w.reported) != 0 || len(w.asked) != 4 {
			t.Errorf("%v after %v", w.names(), w.asked)
		}
		w.after(3 * time.Minute)
		if got := w.names(); !slices.Equal(got, []string{"stale left", "missed unseen"}) {
			t.Errorf("%v", got)
		}
		if w.log.Len() != 2 || w.value(t, "differences", "missed") != 1 || w.value(t, "differences", "stale") != 1 {
			t.Errorf("%v", w.log.All())
		}
		w.open = nil
		w.after(time.Minute)
		if w.value(t, "differences", "stale") != 0 || w.value(t, "found_total", "stale") != 1 ||
			w.value(t, "runs_total", "success") != 6 {
			t.Error("metrics do not follow")
		}
		if got := w.value(t, "last_success_timestamp_seconds", ""); got != float64(time.Now().Unix()) {
			t.Errorf("last success %v", got)
		}
	})
}

// TestFailure: the provider's failure is logged once, makes the rounds rarer, and is neither a difference nor an end of
// one. A temporary one ends the round; another one concerns its domain alone.
func TestFailure(t *testing.T) {
	w := &world{}
	w.run(t, nil, func() {
		w.open = []bridge.OpenSession{session("left")}
		throttled := &provider.Error{Op: "list", Message: "throttled", Status: 429, Temporary: true}
		w.after(4 * time.Minute) // four rounds
		w.failing, w.asked = map[string]error{domain: throttled}, nil
		w.after(time.Minute + 2*time.Minute + 4*time.Minute)
		if len(w.asked) != 3 || len(w.reported) != 1 || w.value(t, "differences", "stale") != 1 ||
			w.value(t, "runs_total", "failure") != 3 {
			t.Errorf("asked %v, reported %v", w.asked, w.names())
		}
		if n := w.log.FilterMessageSnippet("reconciliation failed").Len(); n != 1 {
			t.Errorf("logged %d times", n)
		}
		w.failing = map[string]error{"b.example.com": &provider.Error{Op: "list", Message: "no such domain", Status: 400}}
		w.after(8 * time.Minute)
		if len(w.reported) != 1 || w.value(t, "differences", "stale") != 1 || w.value(t, "runs_total", "failure") != 4 {
			t.Errorf("reported %v", w.names())
		}
		w.failing = nil
		w.after(16 * time.Minute)
		if n := w.log.FilterMessageSnippet("succeeded again").Len(); n != 1 || len(w.reported) != 1 {
			t.Errorf("%d times again, reported %v", n, w.names())
		}
		w.listing = errors.New("journal failed")
		w.after(time.Minute)
		if w.value(t, "runs_total", "failure") != 5 {
			t.Error("a failure of the journal is not counted")
		}
	})
}

// TestBackoffEnds: rounds are never further apart than sixteen intervals.
func TestBackoffEnds(t *testing.T) {
	w := &world{failing: map[string]error{domain: errors.New("no")}}
	w.run(t, nil, func() {
		w.after((1 + 2 + 4 + 8 + 16) * time.Minute)
		before := len(w.asked)
		w.after(32 * time.Minute)
		if got := len(w.asked) - before; got != 2 {
			t.Errorf("%d rounds", got)
		}
	})
}

// TestManyDifferences: the log of one round is bounded.
func TestManyDifferences(t *testing.T) {
	w := &world{}
	w.run(t, func(o *reconcile.Options) { o.Grace = 0 }, func() {
		for i := range 50 {
			w.open = append(w.open, session(fmt.Sprint("s", i)))
		}
		w.after(time.Minute)
		if len(w.reported) != 50 || w.log.Len() != 21 || w.value(t, "found_total", "stale") != 50 {
			t.Errorf("%d reported, %d lines", len(w.reported), w.log.Len())
		}
		if last := w.log.All()[20]; last.ContextMap()["streams"] != int64(30) {
			t.Errorf("%v", last)
		}
	})
}

// TestOneReplicaAtATime: while another replica compares, this one asks nothing and tells of nothing; what it finds when
// its turn comes must have lasted from then on.
func TestOneReplicaAtATime(t *testing.T) {
	var active atomic.Bool
	w := &world{open: []bridge.OpenSession{{Domain: domain, App: "live", Stream: "a", Session: 9e11}}}
	w.run(t, func(o *reconcile.Options) { o.Active = active.Load }, func() {
		expect := func(after time.Duration, asked, reported, found int) {
			w.after(after)
			now := int(w.value(t, "differences", "stale"))
			if len(w.asked) != asked || len(w.reported) != reported || now != found {
				t.Errorf("asked %d times, %d reported, %d differences; want %d, %d, %d", len(w.asked), len(w.reported), now,
					asked, reported, found)
			}
		}
		expect(10*time.Minute, 0, 0, 0)
		active.Store(true)
		expect(2*time.Minute, 4, 0, 0)
		expect(time.Minute, 6, 1, 1)
		active.Store(false)
		expect(10*time.Minute, 6, 1, 0)
	})
}
