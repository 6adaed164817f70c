//go:build brokers

package kafka

import (
	"context"
	"fmt"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/transports/kafka/kafkatest"
	"livebridge/transports/transporttest"
)

func TestReplicasThin(t *testing.T) {
	c := kafkatest.Start(t, kafkatest.Options{})
	o, _ := observed()
	o.Brokers, o.Topic, o.Partitions = joined(c.Brokers()), "thin", 3
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := OpenReplicas(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(ctx)
	for i := range 10 {
		for r.Append(ctx, i%3, fmt.Append(nil, "input ", i)) != nil && ctx.Err() == nil {
			<-time.After(50 * time.Millisecond)
		}
	}
	m, err := r.Join()
	if err != nil {
		t.Fatal(err)
	}
	for {
		ps, err := m.Next(ctx)
		t.Log(ps, err)
		if err == nil && len(ps) == 3 {
			break
		}
	}
	p, err := r.Take(ctx, 1, 0, func(rows []bridge.Row, next uint64) error { t.Log(rows, next); return nil })
	if err != nil {
		t.Fatal(err)
	}
	var got []bridge.IntakeRecord
	for end := false; !end; {
		var records []bridge.IntakeRecord
		begun := time.Now()
		records, end, err = p.Read(ctx, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(len(records), end, time.Since(begun))
		got = append(got, records...)
	}
	for _, g := range got {
		t.Log(g.Position, g.Recorded, string(g.Value))
	}
	for i := range 5 {
		begun := time.Now()
		state, err := p.Commit(ctx, bridge.PartitionCommit{Events: transporttest.Events(3, uint64(i+1), 1),
			Rows: []bridge.Row{{Key: []byte("a"), Value: fmt.Append(nil, i)}, {Key: []byte("b")}}, Next: uint64(i)})
		t.Log(state, err, time.Since(begun))
	}
	q, err := r.Take(ctx, 1, 0, func(rows []bridge.Row, next uint64) error { t.Log(rows, next); return nil })
	t.Log(q, err)
	_, err = p.Commit(ctx, bridge.PartitionCommit{Next: 7})
	t.Log(err)
	t.Log(p.Close(), q.Close(), m.Leave(ctx))
}
