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
	o.Partitions, o.checkInterval = 2, 50*time.Millisecond
	p := f.dial(t, o)
	lanes := transporttest.Events(30, 1, 1)
	transporttest.Deliver(t, p, lanes)
	both := make(map[int32]int)
	for _, e := range lanes {
		both[partitionOf(p, e)]++
	}
	if len(both) != 2 {
		t.Fatalf("the lanes are in the partitions %v", both)
	}
	all, sequence := lanes, uint64(2)
	for _, leaders := range [][]int32{{0, 0}, {1, 2}, {2, 1}, {0, 1}, {2, 2}, {1, 0}} {
		move(t, f, o.Topic, leaders...)
		more := noted(t, p, o.Topic, leaders, sequence)
		sequence += uint64(len(more)) / 30
		all = append(all, more...)
	}
	once(t, f, o.Topic, all)
}

// TestSilentLeaderBlocksOwnPartitionsOnly: partitions that one broker led have leaders of their own now. One of these
// that does not answer holds up its own partitions and not another's.
func TestSilentLeaderBlocksOwnPartitionsOnly(t *testing.T) {
	t.Parallel()
	f := startFake(t, kfake.NumBrokers(3))
	o := testOptions()
	o.Partitions, o.AckTimeout, o.checkInterval = 3, 20*time.Second, 50*time.Millisecond
	if err := f.CreateTopic(o.Topic, 3, nil); err != nil {
		t.Fatal(err)
	}
	move(t, f, o.Topic, 0, 0, 0)
	p := f.dial(t, o)
	transporttest.Deliver(t, p, transporttest.Events(30, 1, 1))
	move(t, f, o.Topic, 1, 2, 2)
	sequence := 2 + uint64(len(noted(t, p, o.Topic, []int32{1, 2, 2}, 2)))/30
	publishBesideSilentBroker(t, f, p, sequence)
}

// noted delivers events of thirty lanes, from a sequence on, until the publisher knows the leaders, and returns
// them.
func noted(t *testing.T, p *Publisher, topic string, leaders []int32, sequence uint64) (all []*bridge.Event) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); len(all) == 0 || !slices.Equal(leadersOf(p, topic), leaders); sequence++ {
		if time.Now().After(end) {
			t.Fatalf("the leaders of before count: %v, want %v", leadersOf(p, topic), leaders)
		}
		more := transporttest.Events(30, sequence, 1)
		transporttest.Deliver(t, p, more)
		all = append(all, more...)
	}
	return all
}

// leadersOf returns whom the publisher takes for the leaders of a topic's partitions.
func leadersOf(p *Publisher, topic string) (leaders []int32) {
	for _, state := range p.states(topic) {
		leaders = append(leaders, state.Leader)
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
			transporttest.Receive(t, silent)
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
