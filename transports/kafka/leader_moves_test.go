package kafka

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"livebridge/bridge"
	"livebridge/transports/transporttest"
)

// TestPartitionsChangeLeaders: partitions that one broker leads get a leader each, and come together again at another.
// After every move all events are acknowledged, each once, by the current leaders.
func TestPartitionsChangeLeaders(t *testing.T) {
	t.Parallel()
	f := startFake(t, kfake.NumBrokers(3))
	o := testOptions()
	o.Partitions = 2
	p := f.dial(t, o)
	lanes := transporttest.Events(20, 1, 1)
	transporttest.Deliver(t, p, lanes)
	both := make(map[int32]int)
	for _, e := range lanes {
		both[partitionOf(p, e)]++
	}
	if len(both) != 2 {
		t.Fatalf("the lanes are in the partitions %v", both)
	}
	all := lanes
	for round, leaders := range [][2]int32{{0, 0}, {1, 2}, {2, 1}, {0, 1}, {2, 2}, {1, 0}} {
		move(t, f, o.Topic, leaders[0], leaders[1])
		var more []*bridge.Event
		for n := range uint64(3) {
			more = append(more, transporttest.Events(20, uint64(2+3*round)+n, 1)...)
		}
		transporttest.Deliver(t, p, more)
		all = append(all, more...)
	}
	once(t, f, o.Topic, all)
}

// TestSilentLeaderBlocksOwnPartitionsOnly: partitions that one broker led have leaders of their own now. One of these that does not
// answer holds up its own partitions and not another's.
func TestSilentLeaderBlocksOwnPartitionsOnly(t *testing.T) {
	t.Parallel()
	f := startFake(t, kfake.NumBrokers(3))
	o := testOptions()
	o.Partitions, o.AckTimeout = 3, 20*time.Second
	if err := f.CreateTopic(o.Topic, 3, nil); err != nil {
		t.Fatal(err)
	}
	move(t, f, o.Topic, 0, 0, 0)
	p := f.dial(t, o)
	transporttest.Deliver(t, p, transporttest.Events(30, 1, 1))
	move(t, f, o.Topic, 1, 2, 2)
	sequence := uint64(2)
	for end := time.Now().Add(20 * time.Second); !slices.Equal(leadersOf(p, o.Topic), []int32{1, 2, 2}); sequence++ {
		if time.Now().After(end) {
			t.Fatalf("the leaders of before count: %v", leadersOf(p, o.Topic))
		}
		transporttest.Deliver(t, p, transporttest.Events(30, sequence, 1)) // a failed request triggers a check
	}
	publishBesideSilentBroker(t, f, p, sequence)
}

// leadersOf returns whom the publisher considers the leaders of a topic's partitions.
func leadersOf(p *Publisher, topic string) (leaders []int32) {
	p.sender.mu.Lock()
	defer p.sender.mu.Unlock()
	for _, partition := range p.topics.of(topic).layout.Load().partitions {
		leaders = append(leaders, partition.leader)
	}
	return leaders
}

// move gives each partition a leader.
func move(t *testing.T, f *fake, topic string, leaders ...int32) {
	t.Helper()
	for partition, leader := range leaders {
		if err := f.MoveTopicPartition(topic, int32(partition), leader); err != nil {
			t.Fatal(err)
		}
	}
}

// publishBesideSilentBroker has an event of partition 0 answered while the leader of the others keeps its answers.
func publishBesideSilentBroker(t *testing.T, f *fake, p *Publisher, sequence uint64) {
	t.Helper()
	release, silent := make(chan struct{}), make(chan struct{}, 2)
	for _, partition := range []int32{1, 2} {
		f.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
			if r.(*kmsg.ProduceRequest).Topics[0].Partitions[0].Partition != partition {
				f.KeepControl()
				return nil, nil, false
			}
			silent <- struct{}{}
			f.SleepControl(func() { <-release })
			return nil, nil, false
		})
	}
	first := make(map[int32]*bridge.Event)
	for _, e := range transporttest.Events(30, sequence, 1) {
		first[partitionOf(p, e)] = e
	}
	var under sync.WaitGroup
	answered := make(chan struct{})
	under.Add(len(first))
	for _, partition := range []int32{1, 2, 0} {
		p.Publish(first[partition], func(error) {
			if partition == 0 {
				close(answered)
			}
			under.Done()
		})
		if partition != 0 {
			<-silent
		}
	}
	defer under.Wait()
	defer close(release)
	select {
	case <-answered:
	case <-time.After(p.opts.AckTimeout / 2):
		t.Error("a leader that does not answer holds up a partition that it does not lead")
	}
}
