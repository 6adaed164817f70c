package kafka

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"livebridge/bridge"
	"livebridge/transports/transporttest"
)

// TestReplicaTopics: topics with which replicas would lose or misorder something are refused by name, with the way out.
func TestReplicaTopics(t *testing.T) {
	t.Parallel()
	state := map[string]string{"cleanup.policy": "compact"}
	for _, c := range []struct {
		name, topic string
		partitions  int32
		config      map[string]string
		want        []string
	}{
		{"fewer partitions of the intake", "live.events.intake", 2, nil,
			[]string{"topic live.events.intake has 2 partitions and live.events has 3", "recreate"}},
		{"more partitions of the state", "live.events.state", 4, state, []string{"live.events.state has 4 partitions"}},
		{"a state that forgets", "live.events.state", 3, map[string]string{"cleanup.policy": "delete"},
			[]string{"topic live.events.state", "set cleanup.policy to compact"}},
		{"a state that is also deleted", "live.events.state", 3, map[string]string{"cleanup.policy": "compact,delete"},
			[]string{"set cleanup.policy to compact"}},
		{"a compacted intake", "live.events.intake", 3, state, []string{"set cleanup.policy to delete"}},
		{"an intake that is compacted later", "live.events.intake", 3, map[string]string{"cleanup.policy": "compact,delete"},
			[]string{"callbacks are removed before they are processed"}},
		{"a short intake", "live.events.intake", 3, map[string]string{"retention.ms": "1000"},
			[]string{"raise retention.ms"}},
		{"too few replicas", "live.events.state", 3, map[string]string{"cleanup.policy": "compact",
			"min.insync.replicas": "5"}, []string{"nothing can be published"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := startFake(t, kfake.NumBrokers(1))
			o, _ := observed()
			o.Brokers, o.Partitions = joined(f.addrs), 3
			if err := f.CreateTopic(c.topic, c.partitions, c.config); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			_, err := OpenReplicas(ctx, o, groupOf(o))
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not say %q", err, want)
				}
			}
		})
	}
}

// TestReplicaTopicsAreCreated: with what replicas need, and with as many partitions as the topic of events has.
func TestReplicaTopicsAreCreated(t *testing.T) {
	t.Parallel()
	f := startFake(t, kfake.NumBrokers(1))
	o, _ := observed()
	o.Brokers, o.Partitions = joined(f.addrs), 12
	if err := f.CreateTopic(o.Topic, 5, nil); err != nil {
		t.Fatal(err)
	}
	r := openReplicas(t, o)
	if r.Partitions() != 5 {
		t.Errorf("there are %d partitions", r.Partitions())
	}
	for topic, want := range map[string]config{
		r.intakeTopic: {"cleanup.policy": "delete", "message.timestamp.type": "LogAppendTime", "retention.ms": "604800000",
			"max.message.bytes": "8388608"},
		r.stateTopic: {"cleanup.policy": "compact", "delete.retention.ms": "86400000", "max.message.bytes": "16777216"},
	} {
		got := make(config)
		for _, e := range describeTopic(t, f, topic) {
			if _, asked := want[e.ConfigName]; asked {
				got[e.ConfigName] = e.ConfigValue
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("topic %s has %v; want %v", topic, got, want)
		}
	}
	o.Create, o.Topic = false, "absent"
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := OpenReplicas(ctx, o, groupOf(o)); err == nil || !strings.Contains(err.Error(), "KAFKA_CREATE_TOPIC") {
		t.Errorf("absent topics that may not be created: %v", err)
	}
}

func describeTopic(t *testing.T, f *fake, topic string) []kafka.DescribeConfigResponseConfigEntry {
	t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(f.addrs...), Transport: &kafka.Transport{}, Timeout: 10 * time.Second}
	defer client.Transport.(*kafka.Transport).CloseIdleConnections()
	answer, err := client.DescribeConfigs(t.Context(), &kafka.DescribeConfigsRequest{
		Resources: []kafka.DescribeConfigRequestResource{{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic}}})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Resources[0].ConfigEntries
}

// TestReplicaOptions: options with which there can be no replicas are refused with the name of the setting.
func TestReplicaOptions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ topic, group, want string }{
		{"live.{kind}", "group", "KAFKA_TOPIC: \"live.{kind}\" has a placeholder"},
		{strings.Repeat("x", 245), "group", "KAFKA_TOPIC: topic name has 252 characters"},
		{"live", "", "INTAKE_GROUP: is empty"},
	} {
		o := testOptions()
		o.Topic = c.topic
		if _, err := OpenReplicas(t.Context(), o, c.group); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("topic %.20s, group %q: %v", c.topic, c.group, err)
		}
	}
}

// TestOtherNumberOfPartitions: topics that have grown since the state was written are refused: streams have moved.
func TestOtherNumberOfPartitions(t *testing.T) {
	t.Parallel()
	f, o, r, p := startReplica(t, nil)
	if _, err := p.Commit(soon(t), counted(1, 1)); err != nil {
		t.Fatal(err)
	}
	client := &kafka.Client{Addr: kafka.TCP(f.addrs...), Transport: &kafka.Transport{}, Timeout: 10 * time.Second}
	defer client.Transport.(*kafka.Transport).CloseIdleConnections()
	for _, topic := range []string{o.Topic, r.intakeTopic, r.stateTopic} {
		answer, err := client.CreatePartitions(t.Context(),
			&kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: 2}}})
		if err != nil || answer.Errors[topic] != nil {
			t.Fatal(err, answer)
		}
	}
	_, err := openReplicas(t, o).Take(soon(t), 0, 0, make(counter).put)
	if err == nil || !strings.Contains(err.Error(), "had 1 partitions, and now it has 2") {
		t.Errorf("the answer is %v", err)
	}
}

// TestForgottenState: who has kept the state from a position that is too long ago, or that the state does not have, is
// told to read all of it. Who has kept all of it need not.
func TestForgottenState(t *testing.T) {
	t.Parallel()
	f := startFake(t, kfake.NumBrokers(1))
	o, logs := observed()
	o.Brokers, o.Partitions = joined(f.addrs), 1
	state := map[string]string{"cleanup.policy": "compact", "delete.retention.ms": "2"}
	if err := f.CreateTopic(o.Topic+stateSuffix, 1, state); err != nil {
		t.Fatal(err)
	}
	r := openReplicas(t, o)
	p := takePartition(t, r)
	var positions []uint64
	for n := range uint64(3) {
		at, err := p.Commit(soon(t), counted(n+1, 1))
		if err != nil {
			t.Fatal(err)
		}
		positions = append(positions, at)
	}
	<-time.After(5 * time.Millisecond) // for which removed keys are not kept here
	for from, want := range map[uint64]error{
		positions[0]: bridge.ErrStateGone, positions[2]: nil, positions[2] + 1000: bridge.ErrStateGone, 0: nil,
	} {
		if err := r.State(soon(t), 0, from, make(counter).put); !errors.Is(err, want) {
			t.Errorf("from position %d of %v the answer is %v", from, positions, err)
		}
	}
	if n := logs.FilterMessageSnippet("lacks commits that the broker had acknowledged").Len(); n != 1 {
		t.Errorf("%d errors say that the state has lost its end, want 1", n)
	}
}

// TestEventTooLargeForTheBroker: where only the broker knows what is too large, the event is found among others, and
// what was sent in vain is not committed.
func TestEventTooLargeForTheBroker(t *testing.T) {
	t.Parallel()
	f, o, r, p := startReplica(t, nil)
	refuseLarge(f, o.Topic)
	for _, size := range []int{30_000, 990_000} { // in a batch with the others, and in one of its own
		commit := counted(1, 21)
		large := *commit.Events[13]
		large.Data = []byte(`"` + strings.Repeat("x", size) + `"`)
		commit.Events[13] = &large
		_, err := p.Commit(soon(t), commit)
		var rejected *bridge.RejectedEvent
		if !errors.As(err, &rejected) || rejected.Index != 13 || !bridge.IsRejected(err) {
			t.Fatalf("the answer is %v", err)
		}
	}
	if _, err := p.Commit(soon(t), counted(1, 21)); err != nil {
		t.Fatal(err)
	}
	checkCommitted(t, r, o, 21)
}

// refuseLarge makes the broker refuse batches of a topic that are larger than it has told.
func refuseLarge(f *fake, topic string) {
	f.ControlKey(int16(kmsg.Produce), func(q kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		for _, each := range q.(*kmsg.ProduceRequest).Topics {
			if each.Topic == topic && len(each.Partitions[0].Records) > 20_000 {
				return refusal(q, 10), nil, true
			}
		}
		return nil, nil, false
	})
}

// TestFencedByNobody: a member that is fenced by something that is no member gets its partitions once more, since
// nobody else would.
func TestFencedByNobody(t *testing.T) {
	t.Parallel()
	f := startFake(t, kfake.NumBrokers(1))
	o, _ := observed()
	o.Brokers, o.Partitions = joined(f.addrs), 1
	r := openReplicas(t, o)
	m, err := r.Join()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Leave(soon(t)) }()
	given := func() {
		t.Helper()
		for {
			partitions, err := m.Next(soon(t))
			if len(partitions) == 1 {
				return
			}
			if errors.Is(err, context.DeadlineExceeded) {
				t.Fatal("the partition is nobody's")
			}
		}
	}
	given()
	p := takePartition(t, r)
	takePartition(t, openReplicas(t, o))
	if _, err := p.Commit(soon(t), counted(1, 1)); !errors.Is(err, bridge.ErrFenced) {
		t.Fatalf("the answer is %v", err)
	}
	given()
	if _, err := takePartition(t, r).Commit(soon(t), counted(1, 1)); err != nil {
		t.Error(err)
	}
}

// TestLagIsShown: the group's offset follows what is committed, for tools that show lag.
func TestLagIsShown(t *testing.T) {
	t.Parallel()
	_, o, r, p := startReplica(t, nil)
	m, err := r.Join()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Leave(soon(t)) }()
	transporttest.Eventually(t, "the group has a member", func() bool {
		partitions, _ := m.Next(soon(t))
		return len(partitions) == 1
	})
	for range 3 {
		transporttest.Eventually(t, "an input is taken", func() bool { return r.Append(soon(t), 0, []byte("input")) == nil })
	}
	if _, err := p.Commit(soon(t), bridge.PartitionCommit{Next: 2}); err != nil {
		t.Fatal(err)
	}
	transporttest.Eventually(t, "the group's offset is 2", func() bool {
		answer, err := r.owners.Client().OffsetFetch(soon(t), &kafka.OffsetFetchRequest{GroupID: groupOf(o),
			Topics: map[string][]int{r.intakeTopic: {0}}})
		return err == nil && len(answer.Topics[r.intakeTopic]) == 1 &&
			answer.Topics[r.intakeTopic][0].CommittedOffset == 2
	})
}
