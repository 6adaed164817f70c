//go:build brokers

package main

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"

	"livebridge/transports/kafka"
	"livebridge/transports/kafka/kafkatest"
)

var campaignNodes = flag.Int("campaign.nodes", 1, "brokers of TestReplicaCampaignKafka")

// TestReplicaCampaignKafka runs the campaign on Kafka, of which a broker is killed now and then.
func TestReplicaCampaignKafka(t *testing.T) {
	k := &kafkaCampaign{t: t, cluster: kafkatest.Start(t, campaignOptions())}
	k.client = &kafkago.Client{Addr: kafkago.TCP(k.cluster.Brokers()...), Timeout: 10 * time.Second}
	runCampaign(t, &campaignBroker{
		replicaBroker: kafkaReplicas(joined(k.cluster)),
		outLived:      11 * time.Second, // the session of a member of the group, and more
		acts:          map[int]campaignAct{5: {"a broker is killed", true, k.kill}}, least: 4,
		stop: func() { k.signal(syscall.SIGSTOP) }, resume: func() { k.signal(syscall.SIGCONT) },
		open: k.open, published: k.published, read: k.read, check: k.check,
	})
}

// campaignOptions are those of the cluster. A broker that is alone keeps its session while it is stopped: else its
// partitions have no leader for a moment, and Kafka 4.0 to 4.3 then takes transactions for ended whose markers it has
// written to some of their partitions only (KAFKA-20734).
func campaignOptions() kafkatest.Options {
	o := kafkatest.Options{Nodes: *campaignNodes}
	if o.Nodes == 1 {
		session := *outageTime + 6*time.Second
		o.Properties = map[string]string{"broker.session.timeout.ms": fmt.Sprint(session.Milliseconds())}
	}
	return o
}

// kafkaCampaign is the campaign's side of Kafka.
type kafkaCampaign struct {
	t       *testing.T
	cluster *kafkatest.Cluster
	client  *kafkago.Client
}

func (k *kafkaCampaign) kill(*campaign) {
	i := rand.IntN(*campaignNodes)
	k.cluster.Kill(i)
	k.cluster.Begin(k.t, i)
	k.cluster.Await(k.t, i)
}

func (k *kafkaCampaign) signal(s syscall.Signal) {
	for i := range *campaignNodes {
		k.cluster.Signal(k.t, i, s)
	}
}

func (k *kafkaCampaign) open(ctx context.Context) (campaignMember, error) {
	o := kafka.DefaultOptions()
	o.Brokers, o.Partitions = joined(k.cluster), campaignPartitions
	return kafka.OpenReplicas(ctx, o, "livebridge")
}

func (k *kafkaCampaign) published() (sum int64) {
	for _, end := range offsetsEnd(k.t, k.client, "live.events") {
		sum += end
	}
	return sum
}

// check has a client of another language count.
func (k *kafkaCampaign) check(answered int) {
	if n := k.cluster.CountCommitted(k.t, "live.events"); n != answered {
		k.t.Errorf("Java's consumer counts %d events, %d callbacks were answered 200", n, answered)
	}
}

func (k *kafkaCampaign) read() *campaignLogs {
	return &campaignLogs{intake: k.topic("live.events.intake"), state: k.topic("live.events.state"),
		events: k.topic("live.events")}
}

// offsetsEnd returns the ends of a topic's partitions for readers of committed records; nil without an answer.
func offsetsEnd(t *testing.T, client *kafkago.Client, topic string) (ends []int64) {
	t.Helper()
	var asked []kafkago.OffsetRequest
	for p := range campaignPartitions {
		asked = append(asked, kafkago.LastOffsetOf(p))
	}
	answer, err := client.ListOffsets(t.Context(), &kafkago.ListOffsetsRequest{IsolationLevel: kafkago.ReadCommitted,
		Topics: map[string][]kafkago.OffsetRequest{topic: asked}})
	if err != nil {
		return nil
	}
	ends = make([]int64, campaignPartitions)
	for _, o := range answer.Topics[topic] {
		if o.Error != nil {
			return nil
		}
		ends[o.Partition] = o.LastOffset
	}
	return ends
}

// topic returns the committed records of a topic, by partition. They are read by a client that is not ours. It gives
// all, and which are committed is told by the markers: by itself it takes the marker of a transaction that was aborted
// while it was empty for the one of the next, and then shows what was aborted.
func (k *kafkaCampaign) topic(topic string) [][]campaignRecord {
	k.t.Helper()
	var ends []int64
	until(k.t, "the brokers say where the topic ends", func() bool {
		ends = offsetsEnd(k.t, k.client, topic)
		return ends != nil
	})
	from, left := make(map[int32]kgo.Offset), 0
	for p, end := range ends {
		if from[int32(p)] = kgo.NewOffset().AtStart(); end > 0 {
			left++
		}
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(k.cluster.Brokers()...), kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	if err != nil {
		k.t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(k.t.Context(), 2*patience)
	defer cancel()
	logs := make([]committedLog, campaignPartitions)
	for left > 0 {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			k.t.Fatalf("topic %s cannot be read to its ends %v: %v", topic, ends, fetches.Err())
		}
		fetches.EachRecord(func(r *kgo.Record) {
			logs[r.Partition].take(r)
			if r.Offset == ends[r.Partition]-1 {
				left--
			}
		})
	}
	out := make([][]campaignRecord, campaignPartitions)
	for p := range logs {
		out[p] = logs[p].records
		slices.SortFunc(out[p], func(a, b campaignRecord) int { return cmp.Compare(a.position, b.position) })
	}
	return out
}

// committedLog is the committed records of a partition.
type committedLog struct {
	records []campaignRecord
	open    map[int64][]campaignRecord // of transactions, by producer
}

// take takes the next record, which may be the marker that ends a producer's transaction.
func (l *committedLog) take(r *kgo.Record) {
	if l.open == nil {
		l.open = make(map[int64][]campaignRecord)
	}
	record := campaignRecord{uint64(r.Offset), r.Timestamp, r.Key, r.Value}
	switch {
	case r.Attrs.IsControl():
		if commit := []byte{0, 0, 0, 1}; bytes.Equal(r.Key, commit) { // version and type
			l.records = append(l.records, l.open[r.ProducerID]...)
		}
		delete(l.open, r.ProducerID)
	case r.Attrs.IsTransactional():
		l.open[r.ProducerID] = append(l.open[r.ProducerID], record)
	default:
		l.records = append(l.records, record)
	}
}

func joined(c *kafkatest.Cluster) string { return strings.Join(c.Brokers(), ",") }
