package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"livebridge/bridge/provider/providertest"
	"livebridge/bridge/reconcile"
	"livebridge/bridge/status"
	"livebridge/transports/kafka"
)

// openAt returns the streams whose sessions a replica shows as open.
func openAt(t *testing.T, r *program) (streams []string) {
	t.Helper()
	for _, s := range shownBy[status.Sessions](t, r, "/api/v1/sessions").Shown {
		streams = append(streams, s.Lane[strings.LastIndex(s.Lane, "/")+1:])
	}
	slices.Sort(streams)
	return streams
}

// showsOpen waits until all replicas show the sessions of just these streams as open.
func showsOpen(t *testing.T, replicas []*program, want ...string) {
	t.Helper()
	for i, r := range replicas {
		var got []string
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("replica %d showed %q", i, got)
			}
		})
		until(t, fmt.Sprintf("replica %d shows %q", i, want), func() bool {
			got = openAt(t, r)
			return slices.Equal(got, want)
		})
	}
}

// sessionLines returns the lines of the events of sessions that are published, as far as an event after which enough
// were read.
func sessionLines(t *testing.T, broker string, enough func(lines []string, e *sessionEvent) bool) (lines []string) {
	t.Helper()
	o := kafka.DefaultOptions()
	o.Brokers = broker
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := kafka.Consume(ctx, o, kafka.StartAll, func(r kafka.Record) error {
		var e sessionEvent
		if err := json.Unmarshal(r.Payload, &e); err != nil {
			return err
		}
		if strings.Contains(e.Type, ".session.") {
			lines = append(lines, e.line())
		}
		if enough(lines, &e) {
			return errAllThere
		}
		return nil
	})
	if !errors.Is(err, errAllThere) {
		t.Fatalf("%v; seen are %q", err, lines)
	}
	slices.Sort(lines)
	return lines
}

// TestSessionsOfReplicas: a push that began at one replica and ended at another one is one session: either shows it as
// open and then no more, on its page and to callbacks reconcile, and its end has its duration.
func TestSessionsOfReplicas(t *testing.T) {
	t.Parallel()
	broker := fakeKafka(t)
	var replicas []*program
	for range 2 {
		replicas = append(replicas, launch(t, t.TempDir(), prefix+"TRANSPORT=kafka", prefix+"KAFKA_BROKERS="+broker,
			prefix+"INTAKE=broker", prefix+"KAFKA_PARTITIONS=4", prefix+"SESSION_EVENTS=true"))
	}
	for _, r := range replicas {
		until(t, "both own partitions", func() bool { return owns(t, r, 2) })
	}
	begun, expires := time.Now().Add(-time.Minute).Truncate(time.Second), time.Now()
	push := func(r *program, event, stream string) {
		expires = expires.Add(time.Second)
		r.send(t, "/live/stream", streamCallback(event, stream, begun.Unix(), expires, ""), 200)
	}
	streams := []string{"room0", "room1", "room2", "room3", "room4", "room5", "room6", "room7"} // in all partitions
	for i, stream := range streams {
		push(replicas[i%2], "PUBLISH", stream)
	}
	showsOpen(t, replicas, streams...)
	for _, r := range replicas {
		lane := shownBy[status.Lane](t, r, "/api/v1/lane?name=stream:push.example.com/live/room5")
		if !lane.Open || !lane.Since.Equal(begun) {
			t.Errorf("room5 is shown as %+v", lane)
		}
	}
	for i, stream := range streams[:7] {
		push(replicas[(i+1)%2], "PUBLISH_DONE", stream)
	}
	showsOpen(t, replicas, "room7")
	var want []string
	for _, stream := range streams[:7] {
		want = append(want, fmt.Sprint("session.ended ", stream, " ", begun.Unix(), " with a duration"))
	}
	got := sessionLines(t, broker, func(lines []string, _ *sessionEvent) bool { return len(lines) == len(want) })
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// rounds returns how often a replica has compared its sessions with the provider's list.
func rounds(t *testing.T, r *program) float64 {
	t.Helper()
	n, _ := sum(r.metrics(t), "livebridge_reconcile_runs_total")
	return n
}

// TestReconcileOfReplicas: of two replicas the owner of partition 0 compares with the provider, and the other one goes
// on with it when that has left. What differs is the same wherever it is asked for, and published once, though both
// have found it.
func TestReconcileOfReplicas(t *testing.T) {
	t.Parallel()
	a, broker := newAccount(t), fakeKafka(t)
	a.set(map[string]string{"DOMAINS": emulatedDomain, "INTAKE": "broker", "TRANSPORT": "kafka",
		"KAFKA_BROKERS": broker})
	owner, taker := ownerAndTaker(t, []string{prefix + "TRANSPORT=kafka", prefix + "KAFKA_BROKERS=" + broker,
		prefix + "PROVIDER_ENDPOINT=" + a.url, prefix + "DOMAINS=" + emulatedDomain, prefix + "RECONCILE_EVENTS=true",
		prefix + "RECONCILE_INTERVAL=50ms", prefix + "RECONCILE_GRACE=100ms"}, "", "")
	a.must(t, "stream set "+emulatedDomain+" --key-env CALLBACK_KEY --url http://"+taker.listen+"/live/stream")
	a.Fail(providertest.Broken()) // nothing is compared while callbacks are on their way
	a.differing(t)
	showsOpen(t, []*program{owner, taker}, "both", "stale")
	a.Heal()
	found := func(r *program) bool {
		m := r.metrics(t)
		return m[`livebridge_reconcile_found_total{problem="missed"}`] > 0 &&
			m[`livebridge_reconcile_found_total{problem="stale"}`] > 0
	}
	until(t, "the owner finds both", func() bool { return found(owner) })
	n := rounds(t, taker)
	if owned, _ := sum(taker.metrics(t), "livebridge_partition_takeovers_total"); n > 0 && owned == 0 {
		t.Errorf("the replica without a partition has compared %v times", n)
	}
	for _, r := range []*program{owner, taker} {
		a.set(map[string]string{"DATA_DIR": r.dir})
		all, told := a.reconciled(t, exitFailed)
		if !maps.Equal(all, map[string]reconcile.Problem{"missed": reconcile.Missed, "stale": reconcile.Stale}) {
			t.Errorf("%v %s", all, told)
		}
	}
	owner.terminate(t)
	until(t, "the other one finds both, and knows that they are published", func() bool {
		return found(taker) && duplicates(taker.metrics(t)) >= 2
	})
	a.Lose(nil)
	a.End(t.Context(), emulatedDomain, "live", "both")
	got := sessionLines(t, broker, func(_ []string, e *sessionEvent) bool { // there is one partition
		return strings.HasSuffix(e.Type, ".publish_done") && strings.HasSuffix(e.Subject, "/both")
	})
	if len(got) != 2 || !strings.HasPrefix(got[0], "session.missed missed ") ||
		!strings.HasPrefix(got[1], "session.stale stale ") {
		t.Errorf("%q", got)
	}
}
