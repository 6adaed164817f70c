package nats

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"livebridge/bridge"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

func ignore([]bridge.Row, uint64) error { return nil }

// TestFencedByNobody: an owner that was fenced by who has no lease is told that the partition is still its own.
func TestFencedByNobody(t *testing.T) {
	t.Parallel()
	o := replicaOptions(t, natstest.Start(t, &server.Options{}).URL, "R")
	o.leaseTime = 4 * time.Second
	r, zombie := openReplicas(t, o), openReplicas(t, o)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	m, err := r.Join()
	if err != nil {
		t.Fatal(err)
	}
	next := func() {
		t.Helper()
		for {
			partitions, err := m.Next(ctx)
			if ctx.Err() != nil {
				t.Fatal(err)
			}
			if slices.Equal(partitions, []int{0}) {
				return
			}
		}
	}
	next()
	p, err := r.Take(ctx, 0, 0, ignore)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := zombie.Take(ctx, 0, 0, ignore); err != nil {
		t.Fatal(err)
	}
	rows := bridge.PartitionCommit{Rows: []bridge.Row{{Key: []byte("a"), Value: []byte("1")}}}
	if _, err := p.Commit(ctx, rows); !errors.Is(err, bridge.ErrFenced) {
		t.Fatalf("the commit says %v", err)
	}
	next()
	if p, err = r.Take(ctx, 0, 0, ignore); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Commit(ctx, rows); err != nil {
		t.Error(err)
	}
	if err := m.Leave(ctx); err != nil {
		t.Error(err)
	}
	if _, err := r.Take(ctx, 0, 0, ignore); !errors.Is(err, bridge.ErrFenced) {
		t.Errorf("who has no lease any more takes the partition: %v", err)
	}
}

// TestNoticesOfReplicas: notices of the quarantine come to their own stream.
func TestNoticesOfReplicas(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, &server.Options{})
	o := replicaOptions(t, s.URL, "R")
	o.Quarantine = "live.quarantine"
	p, err := openReplicas(t, o).Take(t.Context(), 0, 0, ignore)
	if err != nil {
		t.Fatal(err)
	}
	all := []*bridge.Event{natstest.Notice(1), natstest.Event("a", 1)}
	_, err = p.Commit(t.Context(), bridge.PartitionCommit{Events: all})
	if err != nil {
		t.Fatal(err)
	}
	js := s.JetStream(t)
	for stream, subject := range map[string]string{QuarantineStream: natstest.Subject(natstest.Notice(1)),
		"R": "live.R.0.push%2Eexample%2Ecom.live.a.stream"} {
		var all []transporttest.Record
		transporttest.Eventually(t, "the stream has it", func() bool {
			all = natstest.Records(t, js, stream)
			return len(all) > 0
		})
		if len(all) != 1 || all[0].Key != subject {
			t.Errorf("%s has %v, want %s", stream, all, subject)
		}
	}
}
