package kafka

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap/zapcore"

	"livebridge/bridge"
	"livebridge/transports/transporttest"
)

// noPeriodicCheck checks the topics only when there is a reason.
const noPeriodicCheck = time.Hour

// setConfig changes a setting of a topic, as an operator does.
func setConfig(t *testing.T, brokers []string, topic, name, value string) {
	t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(brokers...), Transport: &kafka.Transport{}, Timeout: 10 * time.Second}
	defer client.Transport.(*kafka.Transport).CloseIdleConnections()
	answer, err := client.IncrementalAlterConfigs(t.Context(), &kafka.IncrementalAlterConfigsRequest{
		Resources: []kafka.IncrementalAlterConfigsRequestResource{{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic,
			Configs: []kafka.IncrementalAlterConfigsRequestConfig{{Name: name, Value: value,
				ConfigOperation: kafka.ConfigOperationSet}}}},
	})
	if err != nil || answer.Resources[0].Error != nil {
		t.Fatal(err, answer)
	}
}

// awaitUnavailable waits until the topic is unavailable, and returns why.
func awaitUnavailable(t *testing.T, p *Publisher, events func() []*bridge.Event) (why error) {
	t.Helper()
	transporttest.Eventually(t, "the topic still takes events", func() bool {
		why = transporttest.Try(t, p, events()[0])
		return why != nil
	})
	if bridge.IsRejected(why) {
		t.Errorf("events are dead letters: %v", why)
	}
	return why
}

// fresh returns one new event at each call.
func fresh(from uint64) func() []*bridge.Event {
	return func() []*bridge.Event {
		from++
		return transporttest.Events(1, from, 1)
	}
}

// onlyThese checks that the topic has these events once, and no other.
func onlyThese(t *testing.T, brokers []string, topic string, want []*bridge.Event) {
	t.Helper()
	left := make(map[string]bool)
	for _, e := range want {
		left[string(e.AppendStructured(nil))] = true
	}
	for _, r := range contents(t, brokers, topic) {
		if !left[string(r.Payload)] {
			t.Errorf("an event too many, or twice: %s", r.Payload)
		}
		delete(left, string(r.Payload))
	}
	if len(left) > 0 {
		t.Errorf("%d events are missing", len(left))
	}
}

// TestTopicIsRecreated by somebody else: what it had is gone, which is said, whether events come or not. Publishing
// goes on.
func TestTopicIsRecreated(t *testing.T) {
	t.Parallel()
	for _, busy := range []bool{true, false} {
		t.Run(fmt.Sprint("busy=", busy), func(t *testing.T) {
			t.Parallel()
			f := startFake(t)
			o, logs := observed()
			o.Create, o.Quarantine, o.checkInterval = false, "", noPeriodicCheck
			if !busy {
				o.checkInterval = 10 * time.Millisecond
			}
			if err := f.CreateTopic(o.Topic, 3, nil); err != nil {
				t.Fatal(err)
			}
			p := f.dial(t, o)
			transporttest.Deliver(t, p, transporttest.Events(20, 1, 5))
			if err := f.DeleteTopic(o.Topic); err != nil {
				t.Fatal(err)
			}
			if err := f.CreateTopic(o.Topic, 3, nil); err != nil {
				t.Fatal(err)
			}
			more := transporttest.Events(20, 6, 1)
			if busy {
				transporttest.Deliver(t, p, more)
			}
			transporttest.AwaitLog(t, logs, "acknowledged events are lost")
			if !busy {
				transporttest.Deliver(t, p, more)
			}
			onlyThese(t, f.addrs, o.Topic, more)
			// each partition when it shows
			if n := logs.FilterLevelExact(zapcore.ErrorLevel).FilterMessageSnippet("are gone").Len(); n > 3 {
				t.Errorf("logged %d times", n)
			}
		})
	}
}

// TestFewerPartitions: a topic is recreated with fewer partitions while a batch to one that goes is of unknown outcome.
// Everything goes to those that are there, without a restart.
func TestFewerPartitions(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	o, logs := observed()
	o.Create, o.Quarantine, o.checkInterval = false, "", noPeriodicCheck
	if err := f.CreateTopic(o.Topic, 12, nil); err != nil {
		t.Fatal(err)
	}
	p := f.dial(t, o)
	transporttest.Deliver(t, p, transporttest.Events(40, 1, 1))
	f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.UnknownServerError, Topic: o.Topic,
		Partitions: []int32{3, 4, 5, 6, 7, 8, 9, 10, 11}, Count: -1})
	var maybeWritten *bridge.Event
	more := transporttest.Events(40, 2, 1)
	for _, e := range more {
		if partitionOf(p, e) >= 3 {
			maybeWritten = e
		}
	}
	answer := make(chan error, 1)
	p.Publish(maybeWritten, func(err error) { answer <- err })
	transporttest.Eventually(t, "the batch is under way", func() bool {
		return p.states(o.Topic)[partitionOf(p, maybeWritten)].Recovering
	})
	if err := f.DeleteTopic(o.Topic); err != nil {
		t.Fatal(err)
	}
	if err := f.CreateTopic(o.Topic, 3, nil); err != nil {
		t.Fatal(err)
	}
	if err := transporttest.Receive(t, answer); err == nil || bridge.IsRejected(err) {
		t.Errorf("the event under way was answered %v", err)
	}
	transporttest.Deliver(t, p, more)
	onlyThese(t, f.addrs, o.Topic, more)
	transporttest.AwaitLog(t, logs, "fewer partitions than before")
}

// TestTopicStaysDeleted: a topic is deleted, and nobody recreates it for a while. Other topics go on meanwhile; it goes
// on when it is there.
func TestTopicStaysDeleted(t *testing.T) {
	t.Parallel()
	f := startFake(t, kfake.NumBrokers(1))
	o, logs := observed()
	o.Topic, o.Create, o.Quarantine, o.checkInterval = "live.{app}", false, "", noPeriodicCheck
	events := func(app string, from uint64, n int) []*bridge.Event {
		all := transporttest.Events(10, from, uint64(n))
		for _, e := range all {
			e.Lane.App = app
		}
		return all
	}
	for _, topic := range []string{"live.gone", "live.there"} {
		if err := f.CreateTopic(topic, 2, nil); err != nil {
			t.Fatal(err)
		}
	}
	p := f.dial(t, o)
	transporttest.Deliver(t, p, append(events("gone", 1, 1), events("there", 1, 1)...))
	if err := f.DeleteTopic("live.gone"); err != nil {
		t.Fatal(err)
	}
	next := uint64(1)
	transporttest.Eventually(t, "it is not said what to do", func() bool {
		next++
		err := transporttest.Try(t, p, events("gone", next, 1)[0])
		if err == nil || bridge.IsRejected(err) {
			t.Fatalf("an event of a topic that is gone was answered %v", err)
		}
		return strings.Contains(err.Error(), "KAFKA_CREATE_TOPIC")
	})
	transporttest.AwaitLog(t, logs, "topic unavailable")
	for n := range uint64(20) {
		answer := make(chan error, 10)
		for i, e := range append(events("gone", 100, 1)[:5], events("there", n+2, 1)...) {
			p.Publish(e, func(err error) {
				if i >= 5 {
					answer <- err
				}
			})
		}
		for range 10 {
			if err := transporttest.Receive(t, answer); err != nil {
				t.Fatalf("another topic is held up: %v", err)
			}
		}
	}
	if err := f.CreateTopic("live.gone", 2, nil); err != nil {
		t.Fatal(err)
	}
	transporttest.Deliver(t, p, events("gone", 200, 2))
}

// TestPartitionWithoutLeader: its events wait, with a reason; those of other partitions go on. The broker with number 0
// leads the others: the library reports it as the leader of partitions without one.
func TestPartitionWithoutLeader(t *testing.T) {
	t.Parallel()
	f := startFake(t, kfake.NumBrokers(1))
	o, logs := observed()
	o.Quarantine, o.Partitions, o.checkInterval = "", 2, noPeriodicCheck
	p := f.dial(t, o)
	all := transporttest.Events(20, 1, 1)
	transporttest.Deliver(t, p, all)
	var away atomic.Bool
	host, port := kfakeAddr(t, f)
	f.ControlKey(int16(kmsg.Metadata), func(r kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		if !away.Load() {
			return nil, nil, false
		}
		return withoutLeader(r.(*kmsg.MetadataRequest), o.Topic, host, port), nil, true
	})
	p.cluster.close()
	if _, err := p.cluster.Client().Metadata(t.Context(), &kafka.MetadataRequest{Topics: []string{o.Topic}}); err != nil {
		t.Fatal(err)
	}
	away.Store(true)
	p.topics.requestCheck() // what was fetched a moment ago says nothing about it
	transporttest.AwaitLog(t, logs, "have no leader")
	for _, e := range transporttest.Events(20, 2, 1) {
		err := transporttest.Try(t, p, e)
		if stuck := partitionOf(p, e) == 1; stuck != (err != nil) || stuck && !strings.Contains(err.Error(),
			"partition 1 has no leader") {
			t.Errorf("an event of partition %d was answered %v", partitionOf(p, e), err)
		}
	}
	away.Store(false)
	transporttest.Deliver(t, p, transporttest.Events(20, 3, 1))
}

func kfakeAddr(t *testing.T, f *fake) (string, int32) {
	t.Helper()
	var port int32
	host, _, _ := strings.Cut(f.addrs[0], ":")
	if _, err := fmt.Sscanf(f.addrs[0], host+":%d", &port); err != nil {
		t.Fatal(err)
	}
	return host, port
}

// withoutLeader says that the broker 0 leads the topic's partition 0, and nobody partition 1.
func withoutLeader(r *kmsg.MetadataRequest, topic, host string, port int32) kmsg.Response {
	answer := r.ResponseKind().(*kmsg.MetadataResponse)
	b := kmsg.NewMetadataResponseBroker()
	b.NodeID, b.Host, b.Port = 0, host, port
	answer.Brokers = append(answer.Brokers, b)
	answer.ControllerID = 0
	found := kmsg.NewMetadataResponseTopic()
	found.Topic = kmsg.StringPtr(topic)
	for n, leader := range []int32{0, -1} {
		p := kmsg.NewMetadataResponseTopicPartition()
		p.Partition, p.Leader, p.Replicas, p.ISR = int32(n), leader, []int32{0}, []int32{0}
		if leader < 0 {
			p.ErrorCode = kerr.LeaderNotAvailable.Code
		}
		found.Partitions = append(found.Partitions, p)
	}
	answer.Topics = append(answer.Topics, found)
	return answer
}
