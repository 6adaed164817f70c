package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/checker"
	"livebridge/bridge/provider"
	"livebridge/bridge/provider/providertest"
	"livebridge/bridge/reconcile"
	"livebridge/transports/nats"
)

// differing plays two pushes of which the provider loses a callback each, and one that is as it should be. The streams
// are named for what differs.
func (a *account) differing(t *testing.T) {
	t.Helper()
	a.Lose(func(d providertest.Delivery) bool {
		return d.Lane.Stream == "missed" && d.Event == "PUBLISH" || d.Lane.Stream == "stale" && d.Event == "PUBLISH_DONE"
	})
	for _, name := range []string{"missed", "stale", "both", "ended"} {
		a.Start(t.Context(), providertest.Push{Domain: emulatedDomain, App: "live", Stream: name})
	}
	for _, name := range []string{"stale", "ended"} {
		a.End(t.Context(), emulatedDomain, "live", name)
	}
}

// reconciled runs callbacks reconcile and returns what differs by stream.
func (a *account) reconciled(t *testing.T, code int, args ...string) (all map[string]reconcile.Problem, errOut string) {
	t.Helper()
	out, errOut, got := a.callbacks(t, append([]string{"reconcile", "--wait", "1ms", "--output", "json"}, args...)...)
	if got != code {
		t.Errorf("exit code %d, want %d: %s%s", got, code, out, errOut)
	}
	all = make(map[string]reconcile.Problem)
	for line := range strings.Lines(out) {
		var d reconcile.Difference
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all[d.Name] = d.Problem
	}
	return all, errOut
}

// TestReconcile finds a start and an end that never came, through the running service and without it; the service
// reports the same by itself.
func TestReconcile(t *testing.T) {
	t.Parallel()
	a, dir := newAccount(t), t.TempDir()
	a.set(map[string]string{"DATA_DIR": dir, "DOMAINS": emulatedDomain, "MIN_FREE_BYTES": "1MiB"})
	service := launch(t, dir, append(slices.Clone(a.settings), prefix+"PROVIDER_ENDPOINT="+a.url,
		prefix+"RECONCILE_INTERVAL=50ms", prefix+"RECONCILE_GRACE=100ms")...)
	a.must(t, "stream set "+emulatedDomain+" --key-env CALLBACK_KEY --url http://"+service.listen+"/live/stream")
	if all, _ := a.reconciled(t, exitDone); len(all) != 0 {
		t.Errorf("%v", all)
	}
	a.differing(t)
	check := func() {
		t.Helper()
		all, told := a.reconciled(t, exitFailed)
		if len(all) != 2 || all["missed"] != reconcile.Missed || all["stale"] != reconcile.Stale ||
			!strings.Contains(told, "differ") {
			t.Errorf("%v %s", all, told)
		}
	}
	check()
	until(t, "the service reports both", func() bool {
		m := service.metrics(t)
		return m[`livebridge_reconcile_differences{problem="missed"}`] == 1 &&
			m[`livebridge_reconcile_differences{problem="stale"}`] == 1
	})
	for _, line := range []string{"without an open session", "its stream is offline"} {
		if !strings.Contains(service.log.String(), line) {
			t.Errorf("not logged: %s", line)
		}
	}
	service.kill()
	service.end(t)
	check()
	out, _, _ := a.callbacks(t, "reconcile", "--wait", "1ms", "--output", "table")
	if rows := strings.Split(out, "\n"); !strings.HasPrefix(rows[0], "PROBLEM") ||
		!strings.HasPrefix(rows[1], "missed   "+emulatedDomain) {
		t.Errorf("%s", out)
	}
}

// TestReconcileWithoutTheProvider: the API's failures are in its words, and change nothing in the service but its
// metrics.
func TestReconcileWithoutTheProvider(t *testing.T) {
	a, dir := newAccount(t), t.TempDir()
	a.set(map[string]string{"DATA_DIR": dir, "DOMAINS": emulatedDomain, "MIN_FREE_BYTES": "1MiB"})
	t.Setenv("HUAWEICLOUD_SDK_SK", "wrong")
	service := launch(t, dir, append(slices.Clone(a.settings), prefix+"PROVIDER_ENDPOINT="+a.url,
		prefix+"RECONCILE_INTERVAL=10ms")...)
	until(t, "rounds fail", func() bool {
		return service.metrics(
			t)[`livebridge_reconcile_runs_total{result="failure"}`] > 1
	})
	if n := strings.Count(service.log.String(), "reconciliation failed"); n != 1 {
		t.Errorf("logged %d times", n)
	}
	answered(t, service.listen, streamMessage(demoKey, pushed("live", "room"), ""), 200)
	t.Setenv("HUAWEICLOUD_SDK_SK", "secret-of-the-access-key")
	for want, tt := range map[string]struct {
		prepare func(*testing.T)
		args    []string
	}{
		"status 401":                {func(t *testing.T) { t.Setenv("HUAWEICLOUD_SDK_SK", "wrong") }, nil},
		"status 429":                {func(*testing.T) { a.Fail(providertest.Throttled()) }, nil},
		"status 500":                {func(*testing.T) { a.Fail(providertest.Broken()) }, nil},
		"no response within":        {func(*testing.T) { a.Fail(providertest.Silent()) }, []string{"--timeout", "100ms"}},
		"Invalid request parameter": {func(*testing.T) {}, []string{"--domain", "foreign.example.com"}},
		"no-such-region":            {func(*testing.T) { a.url = "" }, []string{"--region", "no-such-region"}},
	} {
		t.Run(want, func(t *testing.T) {
			url := a.url
			defer func() { a.url = url; a.Heal() }()
			tt.prepare(t)
			if all, told := a.reconciled(t, exitFailed, tt.args...); len(all) != 0 || !strings.Contains(told, want) {
				t.Errorf("%v %s", all, told)
			}
		})
	}
}

// onceFailing is a provider whose first list of a domain fails, and a journal without open sessions.
type onceFailing struct {
	domain string
	failed bool
}

func (o *onceFailing) Online(_ context.Context, domain, _ string) ([]provider.Stream, error) {
	if domain == o.domain && !o.failed {
		o.failed = true
		return nil, &provider.Error{Op: "list", Message: "failed once", Status: 400}
	}
	return []provider.Stream{{Domain: domain, App: "live", Name: "missed"}}, nil
}

func (o *onceFailing) OpenSessions(context.Context, string) ([]bridge.OpenSession, error) {
	return nil, nil
}

// TestReconcileOfHalf: a domain that was compared once only is not one in which nothing differs.
func TestReconcileOfHalf(t *testing.T) {
	o := &onceFailing{domain: "b.example.com"}
	r := &reconciliation{domains: []string{"a.example.com", o.domain}, wait: time.Millisecond}
	all, err := r.compare(t.Context(), o, o, nil)
	if len(all) != 1 || all[0].Domain != "a.example.com" || err == nil || !strings.Contains(err.Error(), "failed once") {
		t.Errorf("%v, %v", all, err)
	}
}

// TestReconcileSettings: what it needs is named at the start, in settings and flags.
func TestReconcileSettings(t *testing.T) {
	own := map[string]string{prefix + "STREAM_KEY": emulatedKey, prefix + "RECONCILE_INTERVAL": "1m"}
	_, err := load(own)
	if err == nil || !strings.Contains(err.Error(), "DOMAINS is empty") ||
		!strings.Contains(err.Error(), "PROVIDER_REGION is empty") {
		t.Errorf("%v", err)
	}
	own[prefix+"DOMAINS"], own[prefix+"PROVIDER_REGION"] = emulatedDomain, "cn-north-4"
	if _, err := load(own); err != nil {
		t.Error(err)
	}
	unset(t, prefix+"DOMAINS")
	for line, want := range map[string]string{"": "--domain", "--domain a.example.com --wait -1s": "negative",
		"--domain a.example.com": "--region"} {
		_, told, code := runCommand(t, append([]string{"callbacks", "reconcile"}, strings.Fields(line)...)...)
		if code != exitUsage || !strings.Contains(told, want) {
			t.Errorf("%q: %d %s", line, code, told)
		}
	}
}

// TestSessionEvents: with RECONCILE_EVENTS a start and an end that never came are events of lanes of their own, once,
// also after a restart; no other lane's sequence has a gap.
func TestSessionEvents(t *testing.T) {
	t.Parallel()
	a, dir := newAccount(t), t.TempDir()
	settings := []string{prefix + "PROVIDER_ENDPOINT=" + a.url, prefix + "DOMAINS=" + emulatedDomain,
		prefix + "RECONCILE_EVENTS=true",
		prefix + "RECONCILE_INTERVAL=50ms", prefix + "RECONCILE_GRACE=100ms"}
	service := launch(t, dir, settings...)
	a.must(t, "stream set "+emulatedDomain+" --key-env CALLBACK_KEY --url http://"+service.listen+"/live/stream")
	a.Fail(providertest.Broken()) // nothing is compared while callbacks are on their way
	a.differing(t)
	a.Heal()
	published := func() bool { return service.metrics(t)[`livebridge_events_published_total{kind="session"}`] == 2 }
	until(t, "both events are published", published)
	service.kill()
	service.end(t)
	service = launch(t, dir, settings...)
	until(t, "both are found again", func() bool {
		m := service.metrics(t)
		return m[`livebridge_reconcile_found_total{problem="missed"}`] == 1 &&
			m[`livebridge_reconcile_found_total{problem="stale"}`] == 1 &&
			duplicates(m) == 2
	})
	a.Lose(nil)
	a.must(t, "stream set "+emulatedDomain+" --url http://"+service.listen+"/live/stream")
	a.End(t.Context(), emulatedDomain, "live", "both") // the last event
	got := make(map[string]string)
	sequences := make(map[string]uint64)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	o := nats.DefaultOptions()
	o.URL = service.nats
	err := nats.Consume(ctx, o, nats.StartAll, func(r nats.Record) error {
		e, err := checker.ParseEvent(r.Payload)
		if err != nil {
			return err
		}
		lane := e.Kind + ":" + e.Subject
		if last := sequences[lane]; last != 0 && e.Sequence > last+1 {
			t.Errorf("%s goes from %d to %d", lane, last, e.Sequence)
		}
		sequences[lane] = max(sequences[lane], e.Sequence) // it may come again after the restart
		if e.Kind == "session" {
			got[e.ID] = e.Type + " " + e.Subject
		}
		if e.Kind == "stream" && strings.HasSuffix(e.Subject, "/both") && strings.HasSuffix(e.Type, "publish_done") {
			return errAllThere
		}
		return nil
	})
	if !errors.Is(err, errAllThere) {
		t.Fatal(err)
	}
	const types = "com.huaweicloud.live.session."
	want := []string{types + "missed " + emulatedDomain + "/live/missed",
		types + "stale " + emulatedDomain + "/live/stale"}
	if all := slices.Sorted(maps.Values(got)); !slices.Equal(all, want) {
		t.Errorf("%v", all)
	}
}

func duplicates(m map[string]float64) float64 {
	n, _ := sum(m, "livebridge_callbacks_duplicate_total")
	return n
}

// reconcileWanted is what the settings of v lead to.
func reconcileWanted(v *values) reconcile.Options {
	return reconcile.Options{Interval: v.span("RECONCILE_INTERVAL"), Grace: v.span("RECONCILE_GRACE"),
		Domains: v.list("DOMAINS")}
}
