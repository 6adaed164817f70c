//go:build brokers

package kafka

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"

	"livebridge/bridge"
	"livebridge/transports/kafka/committed"
	"livebridge/transports/kafka/kafkatest"
	"livebridge/transports/transporttest"
)

// TestReplicaLogs is about what only a real broker does with its logs.
func TestReplicaLogs(t *testing.T) {
	c := kafkatest.Start(t, kafkatest.Options{Properties: map[string]string{
		"log.cleaner.backoff.ms": "100", "log.cleaner.min.cleanable.ratio": "0.01"}})
	t.Run("contract", func(t *testing.T) { transporttest.RunReplicas(t, replicasContract(c.Brokers())) })
	t.Run("time of the log", func(t *testing.T) { timeOfTheLog(t, c) })
	t.Run("compacted state", func(t *testing.T) { compactedState(t, c) })
	t.Run("too large for the broker alone", func(t *testing.T) { tooLargeForTheBroker(t, c) })
}

func logOptions(c *kafkatest.Cluster, topic string) Options {
	o, _ := observed()
	o.Brokers, o.Topic, o.Partitions = joined(c.Brokers()), topic, 1
	return o
}

// timeOfTheLog: an input is recorded when the broker has it, whatever the clock of a replica says.
func timeOfTheLog(t *testing.T, c *kafkatest.Cluster) {
	r := openReplicas(t, logOptions(c, "time"))
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Brokers()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	begun := time.Now()
	for _, clock := range []time.Time{time.Unix(1_000_000_000, 0), begun.Add(30 * time.Minute)} {
		record := &kgo.Record{Topic: r.intakeTopic, Value: []byte("input"), Timestamp: clock}
		if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	records, _, err := takePartition(t, r).Read(soon(t), 10*time.Second)
	if err != nil || len(records) == 0 {
		t.Fatal(records, err)
	}
	for _, record := range records {
		if record.Recorded < bridge.MillisOf(begun) || record.Recorded > bridge.MillisOf(time.Now()) {
			t.Errorf("the input was recorded at %v, and the test began at %v", record.Recorded, begun)
		}
	}
}

// compactedState: the state is right after the broker has compacted it, with aborted transactions in it.
func compactedState(t *testing.T, c *kafkatest.Cluster) {
	o := logOptions(c, "compacted")
	client := admin(c)
	answer, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{
		Topic: o.Topic + stateSuffix, NumPartitions: 1, ReplicationFactor: -1, ConfigEntries: []kafka.ConfigEntry{
			entry("cleanup.policy", "compact"), entry("segment.ms", 200), entry("min.cleanable.dirty.ratio", 0.01),
			entry("delete.retention.ms", 100), entry("max.message.bytes", stateBytes)}}}})
	if err != nil || answer.Errors[o.Topic+stateSuffix] != nil {
		t.Fatal(err, answer)
	}
	r := openReplicas(t, o)
	setConfig(t, c.Brokers(), o.Topic, "max.message.bytes", "20000")
	p, n := takePartition(t, r), uint64(0)
	large := *transporttest.Events(1, 1, 1)[0]
	large.Data = []byte(`"` + strings.Repeat("x", 30_000) + `"`)
	kept := func() (records int) {
		reader := committed.Reader{Brokers: r.owners, Topic: r.stateTopic, Committed: true}
		for end := committedEnd(t, r); reader.Next < end; {
			got, err := reader.Fetch(soon(t), 100*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			records += len(got)
		}
		return records
	}
	transporttest.Eventually(t, "the state is compacted", func() bool {
		for range 20 {
			n++
			commit := counted(n, 1)
			commit.Rows = append(commit.Rows, bridge.Row{Key: []byte("removed"), Value: nil})
			if _, err := p.Commit(soon(t), commit); err != nil {
				t.Fatal(err)
			}
			aborted := bridge.PartitionCommit{Events: []*bridge.Event{&large},
				Rows: []bridge.Row{{Key: []byte("n"), Value: []byte("0")}}}
			var rejected *bridge.RejectedEvent
			if _, err := p.Commit(soon(t), aborted); !errors.As(err, &rejected) {
				t.Fatal(err)
			}
		}
		return kept() < 3*int(n)/2
	})
	checkCommitted(t, r, o, n)
	if _, err := takePartition(t, r).Commit(soon(t), counted(n+1, 1)); err != nil {
		t.Fatal(err)
	}
	checkCommitted(t, r, o, n+1)
}

func committedEnd(t *testing.T, r *Replicas) int64 {
	t.Helper()
	end, err := committed.End(soon(t), r.owners, r.stateTopic, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	return end
}

// tooLargeForTheBroker: a limit that was lowered since it was read is met by splitting, in transactions that are
// aborted.
func tooLargeForTheBroker(t *testing.T, c *kafkatest.Cluster) {
	o := logOptions(c, "large")
	o.Compression = "none"
	r := openReplicas(t, o)
	p := takePartition(t, r)
	setConfig(t, c.Brokers(), o.Topic, "max.message.bytes", "20000")
	commit := counted(1, 41)
	large := *commit.Events[29]
	large.Data = []byte(`"` + strings.Repeat("x", 30_000) + `"`)
	commit.Events[29] = &large
	var rejected *bridge.RejectedEvent
	if _, err := p.Commit(soon(t), commit); !errors.As(err, &rejected) || rejected.Index != 29 {
		t.Fatal(err)
	}
	if _, err := p.Commit(soon(t), counted(1, 41)); err != nil {
		t.Fatal(err)
	}
	checkCommitted(t, r, o, 41)
}
