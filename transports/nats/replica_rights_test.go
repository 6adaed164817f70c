package nats

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// replicating is what deployments/README.md says that a replica's user needs while the streams are there.
func replicating() rights {
	return rights{
		publish: []string{"LIVE_EVENTS_INTAKE.*", "LIVE_EVENTS_STATE.>", "$KV.LIVE_EVENTS_livebridge.>",
			"$JS.API.STREAM.INFO.LIVE_EVENTS", "$JS.API.STREAM.INFO.LIVE_QUARANTINE", "$JS.API.STREAM.INFO.LIVE_EVENTS_INTAKE",
			"$JS.API.STREAM.INFO.LIVE_EVENTS_STATE", "$JS.API.STREAM.INFO.KV_LIVE_EVENTS_livebridge",
			"$JS.API.STREAM.MSG.GET.LIVE_EVENTS_STATE", "$JS.API.STREAM.PURGE.LIVE_EVENTS_STATE",
			"$JS.API.STREAM.PURGE.LIVE_EVENTS_INTAKE",
			"$JS.API.DIRECT.GET.LIVE_EVENTS", "$JS.API.DIRECT.GET.LIVE_QUARANTINE",
			"$JS.API.CONSUMER.CREATE.LIVE_EVENTS_INTAKE.>", "$JS.API.CONSUMER.MSG.NEXT.LIVE_EVENTS_INTAKE.*",
			"$JS.API.CONSUMER.DELETE.LIVE_EVENTS_INTAKE.*",
			"$JS.API.CONSUMER.CREATE.LIVE_EVENTS_STATE.>", "$JS.API.CONSUMER.MSG.NEXT.LIVE_EVENTS_STATE.*",
			"$JS.API.CONSUMER.DELETE.LIVE_EVENTS_STATE.*",
			"$JS.API.CONSUMER.CREATE.KV_LIVE_EVENTS_livebridge.>", "$JS.API.CONSUMER.DELETE.KV_LIVE_EVENTS_livebridge.*",
			"$JS.API.DIRECT.GET.KV_LIVE_EVENTS_livebridge.>", "$JS.FC.KV_LIVE_EVENTS_livebridge.>"},
		subscribe: []string{"_INBOX.>"},
	}
}

// creatingForReplicas is what it needs besides when they are not.
func creatingForReplicas() []string {
	return []string{"$JS.API.STREAM.CREATE.LIVE_EVENTS", "$JS.API.STREAM.CREATE.LIVE_QUARANTINE",
		"$JS.API.STREAM.CREATE.LIVE_EVENTS_INTAKE",
		"$JS.API.STREAM.CREATE.LIVE_EVENTS_STATE", "$JS.API.STREAM.CREATE.KV_LIVE_EVENTS_livebridge", "$JS.API.INFO"}
}

// seldomNeeded are those that a replica needs when something has gone wrong: two write a key of the leases at once, the
// watch of the leases is slow, a reader loses its consumer, or an intake with limits fills.
func seldomNeeded() []string {
	return []string{"$JS.API.DIRECT.GET.KV_LIVE_EVENTS_livebridge.>", "$JS.FC.KV_LIVE_EVENTS_livebridge.>",
		"$JS.API.CONSUMER.DELETE.LIVE_EVENTS_INTAKE.*", "$JS.API.CONSUMER.DELETE.LIVE_EVENTS_STATE.*",
		"$JS.API.STREAM.PURGE.LIVE_EVENTS_INTAKE"}
}

func replicaUser(t *testing.T, url string) (Options, *observer.ObservedLogs) {
	t.Helper()
	o := DefaultOptions()
	o.URL, o.User, o.Password = url, "bridge", "secret"
	core, logs := observer.New(zap.InfoLevel)
	o.Log = zap.New(core)
	return o, logs
}

// work does with a replica what a replica does, until ctx ends.
func work(ctx context.Context, t *testing.T, o Options) error {
	t.Helper()
	r, err := OpenReplicas(ctx, o, "livebridge")
	if err != nil {
		return err
	}
	defer func() { _ = r.Close(context.Background()) }()
	m, err := r.Join()
	if err != nil {
		return err
	}
	for owned := []int(nil); !slices.Contains(owned, 3); { // partitions are leased one after the other
		if owned, err = m.Next(ctx); err != nil && ctx.Err() != nil {
			return err
		}
	}
	if err := own(ctx, r); err != nil {
		return err
	}
	if err := trimSourced(ctx, r); err != nil {
		return err
	}
	if err := r.State(ctx, 3, 0, func([]bridge.Row, uint64) error { return nil }); err != nil {
		return err
	}
	return m.Leave(ctx)
}

// trimSourced removes what the streams of consumers have taken, once they have.
func trimSourced(ctx context.Context, r *Replicas) error {
	_, js := r.connection()
	for _, s := range r.streams[2:] {
		for taken := uint64(0); taken == 0; {
			have, err := js.Stream(ctx, s.want.Name)
			if err != nil {
				return err
			}
			taken = have.CachedInfo().State.LastSeq
		}
	}
	return r.trimAll()
}

// own takes a partition, reads what it appends there, commits, and takes it again.
func own(ctx context.Context, r *Replicas) error {
	for range 2 {
		p, err := r.Take(ctx, 3, 0, func([]bridge.Row, uint64) error { return nil })
		if err != nil {
			return err
		}
		if err := r.Append(ctx, 3, []byte("input")); err != nil {
			return err
		}
		records, _, err := p.Read(ctx, time.Minute)
		if err == nil && len(records) == 0 {
			err = errors.New("nothing is read")
		}
		if err == nil {
			_, err = p.Commit(ctx, bridge.PartitionCommit{Events: []*bridge.Event{natstest.Event("a", records[0].Position),
				natstest.Notice(records[0].Position)},
				Rows: []bridge.Row{{Key: []byte("a"), Value: []byte("1")}}, Next: records[0].Position + 1})
		}
		if err := errors.Join(err, p.Close()); err != nil {
			return err
		}
	}
	return nil
}

// TestExactRightsOfReplicas: the rights of the handbook are enough, to create the streams and to work on them; those to
// create them are not needed when they are there.
func TestExactRightsOfReplicas(t *testing.T) {
	t.Parallel()
	all := replicating()
	all.publish = append(all.publish, creatingForReplicas()...)
	s := natstest.Start(t, all.options())
	for _, r := range []rights{all, replicating()} {
		r.give(t, s)
		o, logs := replicaUser(t, s.URL)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		if err := work(ctx, t, o); err != nil {
			t.Error(err)
		}
		cancel()
		logsNoFault(t, logs)
	}
}

// TestMissingRightOfReplicas: with one right less the log names it.
func TestMissingRightOfReplicas(t *testing.T) {
	t.Parallel()
	all := replicating()
	for _, right := range append(all.publish, all.subscribe...) {
		if slices.Contains(seldomNeeded(), right) {
			continue
		}
		t.Run(right, func(t *testing.T) {
			s := natstest.Start(t, all.options())
			admin, _ := replicaUser(t, s.URL)
			admin.User = "admin"
			if err := work(t.Context(), t, admin); err != nil {
				t.Fatal(err)
			}
			all.allExcept(right).give(t, s)
			o, logs := replicaUser(t, s.URL)
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- work(ctx, t, o) }()
			named := strings.NewReplacer(".>", ".", ".*", ".").Replace(right)
			transporttest.Eventually(t, "the log names "+named, func() bool { return namesRight(logs, named) })
			cancel()
			<-ended
		})
	}
}

func namesRight(logs *observer.ObservedLogs, right string) bool {
	for _, entry := range logs.All() {
		if err, _ := entry.ContextMap()["error"].(string); strings.Contains(err, right) && entry.Level >= zapcore.WarnLevel {
			return true
		}
	}
	return false
}
