package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/zap/zaptest"

	"livebridge/bridge"
	"livebridge/transports/kafka/committed"
	"livebridge/transports/transporttest"
)

// TestReplicas runs the contract of replicas against a broker in this process, which has transactions.
func TestReplicas(t *testing.T) {
	t.Parallel()
	f := startFake(t, kfake.NumBrokers(3))
	transporttest.RunReplicas(t, replicasContract(f.addrs))
}

// replicasContract is what the suite of replicas has to know about Kafka.
func replicasContract(brokers []string) transporttest.ReplicasHarness {
	var topics atomic.Int64
	return transporttest.ReplicasHarness{TooLarge: intakeBytes + 1, Open: func(t *testing.T, n int) *transporttest.Intake {
		o := patientOptions()
		o.Brokers, o.Topic, o.Partitions = joined(brokers), fmt.Sprint("replicas-", topics.Add(1)), n
		o.Log = zaptest.NewLogger(t)
		return &transporttest.Intake{
			Replica: func(t *testing.T) *transporttest.Replica { return replica(t, o) },
			Events:  func(t *testing.T, partition int) []transporttest.Record { return committedOf(t, o, o.Topic, partition) },
		}
	}}
}

// replica opens another replica.
func replica(t *testing.T, o Options) *transporttest.Replica {
	r := openReplicas(t, o)
	return &transporttest.Replica{Intake: r, Partitions: r, Join: func(t *testing.T) bridge.Membership {
		m, err := r.Join()
		if err != nil {
			t.Fatal(err)
		}
		return m
	}}
}

// groupOf is the group of a test's replicas.
func groupOf(o Options) string { return o.Topic + "-group" }

func openReplicas(t *testing.T, o Options) *Replicas {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := OpenReplicas(ctx, o, groupOf(o))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = r.Close(ctx)
	})
	return r
}

// committedOf reads the committed records of a partition.
func committedOf(t *testing.T, o Options, topic string, partition int) (out []transporttest.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	o.Log = zaptest.NewLogger(t)
	c, err := newCluster(ctx, &o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	c.setTopics([]string{topic})
	r := committed.Reader{Brokers: c, Topic: topic, Partition: partition, Committed: true}
	for {
		end, err := quiet(ctx, c, topic, partition)
		if err == nil && r.Next == end {
			return out
		}
		records, err := r.Fetch(ctx, 100*time.Millisecond)
		if err != nil && !committed.Passes(err) || ctx.Err() != nil {
			t.Fatal(err)
		}
		for _, record := range records {
			out = append(out, transporttest.Record{Key: string(record.Key), Payload: record.Value})
		}
	}
}

// quiet returns the end of a partition that has no open transaction.
func quiet(ctx context.Context, c *cluster, topic string, partition int) (int64, error) {
	stable, err := committed.End(ctx, c, topic, partition, true)
	if err != nil {
		return 0, errors.Join(err, ctx.Err())
	}
	end, err := committed.End(ctx, c, topic, partition, false)
	if err == nil && end != stable {
		err = errors.New("a transaction is open")
	}
	return end, err
}

// counter is the state of a partition: the last input of each lane.
type counter map[string]uint64

func (c counter) put(rows []bridge.Row, _ uint64) error {
	for _, r := range rows {
		if r.Value == nil {
			delete(c, string(r.Key))
			continue
		}
		n, err := strconv.ParseUint(string(r.Value), 10, 64)
		if err != nil {
			return err
		}
		c[string(r.Key)] = n
	}
	return nil
}
