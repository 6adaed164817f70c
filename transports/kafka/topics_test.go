package kafka

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"livebridge/bridge"
	"livebridge/transports/transporttest"
)

// failure returns the answer for an event that is unavailable.
func failure(t *testing.T, p *Publisher) error {
	t.Helper()
	err := transporttest.Try(t, p, transporttest.Events(1, 1, 1)[0])
	if err == nil || bridge.IsRejected(err) {
		t.Fatalf("the answer is %v", err)
	}
	return err
}

// TestAbsentTopic: it is said what to do, and publishing goes on once somebody has done it.
func TestAbsentTopic(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	o, logs := observed()
	o.Create = false
	p := f.dial(t, o)
	if err := failure(t, p); !strings.Contains(err.Error(), "KAFKA_CREATE_TOPIC") || !strings.Contains(err.Error(),
		o.Topic) {
		t.Errorf("the answer is %v", err)
	}
	transporttest.AwaitLog(t, logs, "topic unavailable")
	if err := errors.Join(f.CreateTopic(o.Topic, 5, nil), f.CreateTopic(o.Quarantine, 1, nil)); err != nil {
		t.Fatal(err)
	}
	transporttest.Deliver(t, p, transporttest.Events(10, 1, 2))
	once(t, f, o.Topic, transporttest.Events(10, 1, 2))
}

// TestForbiddenTopic: a topic that we may not create.
func TestForbiddenTopic(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	fault := f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.ClusterAuthorizationFailed, Count: -1})
	o := testOptions()
	p := f.dial(t, o)
	if err := failure(t, p); !strings.Contains(err.Error(), "allow CREATE") {
		t.Errorf("the answer is %v", err)
	}
	fault.Remove()
	transporttest.Deliver(t, p, transporttest.Events(3, 1, 1))
}

// TestTopicIsDeleted under our feet: it is created again, with as many partitions.
func TestTopicIsDeleted(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	o := testOptions()
	o.Create, o.Partitions = true, 3
	if err := f.CreateTopic(o.Topic, 5, nil); err != nil {
		t.Fatal(err)
	}
	p := f.dial(t, o)
	transporttest.Deliver(t, p, transporttest.Events(20, 1, 2))
	if err := f.DeleteTopic(o.Topic); err != nil {
		t.Fatal(err)
	}
	more := transporttest.Events(20, 3, 5)
	transporttest.Deliver(t, p, more)
	if n := len(f.PartitionInfos(o.Topic)); n != 5 {
		t.Errorf("the topic has %d partitions now", n)
	}
	seen := make(map[string]bool)
	for _, r := range contents(t, f.addrs, o.Topic) {
		seen[string(r.Payload)] = true
	}
	for _, e := range more {
		if !seen[string(e.AppendStructured(nil))] {
			t.Errorf("%v %d is missing", e.Lane, e.Sequence)
		}
	}
}

// TestMorePartitions: a lane stays where it is until the next start, and a warning is logged.
func TestMorePartitions(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	o, logs := observed()
	o.Partitions, o.checkInterval = 3, 10*time.Millisecond
	p := f.dial(t, o)
	transporttest.Deliver(t, p, transporttest.Events(20, 1, 3))
	client := &kafka.Client{Addr: kafka.TCP(f.addrs...), Transport: &kafka.Transport{}}
	answer, err := client.CreatePartitions(t.Context(),
		&kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: o.Topic, Count: 9}}})
	if err != nil || answer.Errors[o.Topic] != nil {
		t.Fatal(err, answer.Errors)
	}
	p.topics.requestCheck()
	transporttest.AwaitLog(t, logs, "had 3 partitions at startup and now has 9")
	transporttest.Deliver(t, p, transporttest.Events(20, 4, 3))
	for _, r := range read(t, f.addrs, o.Topic) {
		if r.Partition > 2 {
			t.Fatalf("an event went to partition %d", r.Partition)
		}
	}
	once(t, f, o.Topic, transporttest.Events(20, 1, 6))
}

// TestFindings: what keeps less than it must is an alarm, what keeps less than it should a warning.
func TestFindings(t *testing.T) {
	t.Parallel()
	o := DefaultOptions()
	for _, c := range []struct {
		copies int
		config config
		want   string // a part of the only remark; empty: none
		alarm  bool
	}{
		{3, config{"min.insync.replicas": "2", "retention.ms": "604800000", "retention.bytes": "-1",
			"cleanup.policy": "delete"}, "", false},
		{3, nil, "", false},
		{3, config{"retention.ms": "-1"}, "", false},
		{1, config{"min.insync.replicas": "1"}, "one replica", false},
		{3, config{"min.insync.replicas": "1"}, "set it to 2", false},
		{2, config{"min.insync.replicas": "2"}, "when one broker is down", false},
		{2, config{"min.insync.replicas": "3"}, "nothing can be published; set it to 1", true},
		{3, config{"unclean.leader.election.enable": "true"}, "unclean.leader.election.enable", false},
		{3, config{"retention.ms": "3600000"}, "for 1h0m0s, less than DEDUPE_WINDOW (24h0m0s)", false},
		{3, config{"retention.ms": "600000"}, "for 10m0s, less than DEDUPE_WINDOW", false},
		{3, config{"retention.ms": "599999"}, "raise retention.ms to 24h0m0s or more", true},
		{3, config{"retention.ms": "0"}, "for 0s only: they may be removed", true},
		{3, config{"retention.ms": "9223372036854775807"}, "", false},
		{3, config{"retention.bytes": "1073741824"}, "", false},
		{3, config{"retention.bytes": "1073741823"}, "less than DEDUPE_WINDOW (24h0m0s); raise retention.bytes", false},
		{3, config{"retention.bytes": "16777215"}, "raise retention.bytes to 16777216 or more", true},
		{3, config{"cleanup.policy": "compact,delete"}, "compacted", false},
		{3, config{"cleanup.policy": "compact", "retention.ms": "1"}, "set cleanup.policy to delete", true},
		{3, config{"message.timestamp.before.max.ms": "1000"}, "message.timestamp.before.max.ms is 1s", false},
		{3, config{"message.timestamp.after.max.ms": "59999"}, "message.timestamp.after.max.ms", false},
		{3, config{"message.timestamp.after.max.ms": "3600000", "message.timestamp.before.max.ms": "9223372036854775807"}, "",
			false},
	} {
		all := make([]kafka.Partition, 2)
		for i, copies := range []int{max(c.copies, 3), c.copies} { // the partition with the fewest copies counts
			all[i] = kafka.Partition{Leader: kafka.Broker{Host: "a"}, Replicas: make([]kafka.Broker, copies)}
		}
		got := o.findings(topicState{partitions: all, config: c.config})
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0].text, c.want) ||
			got[0].alarm != c.alarm) {
			t.Errorf("%d copies, %v: %v", c.copies, c.config, got)
		}
	}
}

// TestTemplate: each app has a topic of its own, created when it is first needed, and one consumer finds them all.
func TestTemplate(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	o, logs := observed()
	o.Topic, o.Partitions = "live.{app}.{kind}", 2
	p := f.dial(t, o)
	var all []*bridge.Event
	for _, app := range []string{"one", "two", "a_x b"} {
		for _, e := range transporttest.Events(5, 1, 3) {
			e.Lane.App = app
			all = append(all, e)
		}
	}
	transporttest.Deliver(t, p, all)
	if logs.FilterMessageSnippet("cannot").Len() > 0 {
		t.Errorf("the log has %v", logs.All())
	}
	for topic, want := range map[string][]*bridge.Event{"live.one.stream": all[:15], "live.two.stream": all[15:30],
		"live.a_x5Fx_x20b.stream": all[30:]} {
		once(t, f, topic, want)
	}
	o.Brokers = joined(f.addrs)
	errAll := errors.New("all")
	var got []transporttest.Record
	err := Consume(t.Context(), o, StartAll, func(r Record) error {
		if got = append(got, transporttest.Record{Key: r.Key, Payload: r.Payload}); len(got) == len(all) {
			return errAll
		}
		return nil
	})
	if !errors.Is(err, errAll) {
		t.Fatal(err)
	}
	transporttest.CheckLanes(t, got, all)
}

func TestTopicNames(t *testing.T) {
	t.Parallel()
	event := func(domain, app string) *bridge.Event {
		return &bridge.Event{Lane: bridge.Lane{Kind: bridge.KindStream, Domain: domain, App: app, Stream: "s"}}
	}
	for _, c := range []struct{ template, domain, app, want string }{
		{"live.events", "d", "a", "live.events"},
		{"{domain}.{app}.{kind}", "push.example.com", "live", "push.example.com.live.stream"},
		{"x-{app}", "d", "a b/c", "x-a_x20b_x2Fc"},
		{"x-{app}", "d", "a_x20b", "x-a_x5Fx20b"},
		{"x-{app}", "d", "~é", "x-_x7E_xC3_xA9"},
		{"x-{app}", "d", "", "x-_x00"},
		{"x-{app}", "d", "{kind}", "x-_x7Bkind_x7D"},
	} {
		got := template(c.template).of(event(c.domain, c.app))
		if got != c.want || checkTopic(got) != nil || !template(c.template).pattern().MatchString(got) {
			t.Errorf("%s of %q and %q is %q, %v", c.template, c.domain, c.app, got, checkTopic(got))
		}
	}
	seen := make(map[string]string)
	for _, part := range []string{"", "_x", "_x5F", "__x", "_", "x", "_x00", "%", "~", "_x7E", "a", "A", "_x5Fx"} {
		if before, twice := seen[topicPart(part)]; twice {
			t.Errorf("%q and %q are both %q", part, before, topicPart(part))
		}
		seen[topicPart(part)] = part
	}
}

// TestTopicNameTooLong: such an event never gets anywhere.
func TestTopicNameTooLong(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	o := testOptions()
	o.Topic = "live.{app}"
	p := f.dial(t, o)
	e := transporttest.Events(1, 1, 1)[0]
	e.Lane.App = strings.Repeat("日", 80)
	if err := transporttest.Try(t, p, e); !bridge.IsRejected(err) || !strings.Contains(err.Error(), "KAFKA_TOPIC") {
		t.Errorf("the answer is %v", err)
	}
}

// TestNoQuarantineTopic: notices are published nowhere.
func TestNoQuarantineTopic(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	o := testOptions()
	o.Quarantine = ""
	p := f.dial(t, o)
	if err := transporttest.Try(t, p, &bridge.Event{Lane: bridge.Lane{Kind: bridge.KindStream},
		Reason: bridge.ReasonExpired}); err != nil {
		t.Error(err)
	}
}

// TestStartsWithoutABroker: nothing is wrong with the settings, and events are answered as unavailable until there is
// one.
func TestStartsWithoutABroker(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	f.Close()
	o, logs := observed()
	p := f.dial(t, o)
	transporttest.AwaitLog(t, logs, "cannot reach Kafka")
	if err := failure(t, p); !strings.Contains(err.Error(), "not connected to Kafka") {
		t.Errorf("the answer is %v", err)
	}
	f.restart(t)
	transporttest.Deliver(t, p, transporttest.Events(5, 1, 2))
	if n := logs.FilterMessageSnippet("cannot reach Kafka").Len(); n != 1 {
		t.Errorf("logged %d times", n)
	}
}
