package kafka

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
	"livebridge/transports/kafka/producer"
	"livebridge/transports/transporttest"
)

// observed returns options with an observed log.
func observed() (Options, *observer.ObservedLogs) {
	core, logs := observer.New(zapcore.InfoLevel)
	o := testOptions()
	o.Log = zap.New(core)
	return o, logs
}

// states returns what the producer does for each partition of a topic.
func (p *Publisher) states(topic string) (all []producer.State) {
	for _, each := range p.topics.of(topic).layout.Load().partitions {
		all = append(all, p.producer.State(each))
	}
	return all
}

// once checks that the topic has every event once, in the order of its lane.
func once(t *testing.T, f *fake, topic string, want []*bridge.Event) {
	t.Helper()
	got := contents(t, f.addrs, topic)
	transporttest.CheckLanes(t, got, want)
	if len(got) != len(want) {
		t.Errorf("the topic has %d records of %d events", len(got), len(want))
	}
}

// TestAnswersOfABroker: whatever a broker answers to some of the batches, every event comes once and in order.
func TestAnswersOfABroker(t *testing.T) {
	t.Parallel()
	for _, err := range []*kerr.Error{
		kerr.RequestTimedOut, kerr.NotEnoughReplicasAfterAppend, // it has the batch, and says that it is not sure
		kerr.NotEnoughReplicas, kerr.NotLeaderForPartition, kerr.LeaderNotAvailable, kerr.UnknownTopicOrPartition,
		kerr.KafkaStorageError,
		kerr.TopicAuthorizationFailed, kerr.CorruptMessage, kerr.InvalidTimestamp, kerr.UnknownServerError,
		kerr.ThrottlingQuotaExceeded,
		kerr.PolicyViolation, kerr.UnsupportedCompressionType, kerr.InvalidTopicException, kerr.InvalidRequiredAcks,
		kerr.OutOfOrderSequenceNumber, kerr.UnknownProducerID, kerr.InvalidProducerEpoch, kerr.ClusterAuthorizationFailed,
	} {
		t.Run(err.Message, func(t *testing.T) {
			f := startFake(t)
			o := testOptions()
			p := f.dial(t, o)
			transporttest.Deliver(t, p, transporttest.Events(30, 1, 1))
			fault := f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: err, Count: 40})
			transporttest.Deliver(t, p, transporttest.Events(30, 2, 20))
			if fault.Hits() == 0 {
				t.Error("the fault was never met")
			}
			once(t, f, o.Topic, transporttest.Events(30, 1, 21))
		})
	}
}

// TestLostAnswers cuts connections under load, before and after the broker has read a request.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	f := startFake(t, kfake.NumBrokers(3))
	o := testOptions()
	var cut atomic.Bool
	cuts := &cutter{share: 0.1, on: &cut}
	o.dial = cuts.dial
	p := f.dial(t, o)
	transporttest.Deliver(t, p, transporttest.Events(60, 1, 1))
	cut.Store(true)
	transporttest.Deliver(t, p, transporttest.Events(60, 2, 30))
	if cuts.made.Load() < 10 {
		t.Errorf("only %d connections were cut", cuts.made.Load())
	}
	once(t, f, o.Topic, transporttest.Events(60, 1, 31))
}

// cutter makes connections that end at random, before a request is out or instead of an answer.
type cutter struct {
	share float64
	on    *atomic.Bool
	made  atomic.Int64
}

func (c *cutter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	return &cutConn{conn, c}, err
}

type cutConn struct {
	net.Conn
	c *cutter
}

func (c *cutConn) fails() bool {
	if !c.c.on.Load() || rand.Float64() >= c.c.share {
		return false
	}
	c.c.made.Add(1)
	_ = c.Close()
	return true
}

func (c *cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err == nil && c.fails() {
		return 0, net.ErrClosed
	}
	return n, err
}

func (c *cutConn) Write(b []byte) (int, error) {
	if c.fails() {
		return 0, net.ErrClosed
	}
	return c.Conn.Write(b)
}

// partitionOf returns the partition of the n-th lane.
func partitionOf(p *Publisher, e *bridge.Event) int32 {
	return p.topics.of(p.opts.Topic).layout.Load().partitionOf([]byte(e.PartitionKey())).Number()
}

// TestPartitionInRecovery: a batch whose outcome stays unknown holds up its own partition, and no other. Its events are
// answered in bounded time, and are in the topic once when they were tried again.
func TestPartitionInRecovery(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	o := testOptions()
	p := f.dial(t, o)
	all := transporttest.Events(60, 1, 1)
	transporttest.Deliver(t, p, all)
	bad := partitionOf(p, all[0])
	fault := f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.RequestTimedOut, Topic: o.Topic,
		Partitions: []int32{bad}, Count: -1})
	stuck := func(e *bridge.Event) bool { return partitionOf(p, e) == bad }
	more := transporttest.Events(60, 2, 5)
	var others, stuckEvents []*bridge.Event
	for _, e := range more {
		if stuck(e) {
			stuckEvents = append(stuckEvents, e)
		} else {
			others = append(others, e)
		}
	}
	answered := make(chan error, 1)
	p.Publish(stuckEvents[0], func(err error) { answered <- err })
	transporttest.Deliver(t, p, others)
	select {
	case err := <-answered:
		if err == nil || bridge.IsRejected(err) {
			t.Errorf("a batch of unknown outcome was answered %v", err)
		}
	case <-time.After(2*o.AckTimeout + time.Second):
		t.Error("a batch of unknown outcome was not answered")
	}
	fault.Remove()
	transporttest.Deliver(t, p, stuckEvents)
	once(t, f, o.Topic, append(all, more...))
}

// TestOutcomeIsRemembered: an event is answered as unavailable, then the broker turns out to have it. When it comes
// again it is not sent.
func TestOutcomeIsRemembered(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	o := testOptions()
	o.Partitions = 1
	p := f.dial(t, o)
	all := transporttest.Events(1, 1, 2)
	transporttest.Deliver(t, p, all[:1])
	fault := f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.RequestTimedOut, Topic: o.Topic, Count: -1})
	answered := make(chan error, 1)
	p.Publish(all[1], func(err error) { answered <- err })
	if err := transporttest.Receive(t, answered); err == nil || bridge.IsRejected(err) {
		t.Fatalf("a batch of unknown outcome was answered %v", err)
	}
	fault.Remove()
	transporttest.Eventually(t, "the outcome is known", func() bool { return !p.states(o.Topic)[0].Recovering })
	transporttest.Deliver(t, p, all[1:])
	once(t, f, o.Topic, all)
}

// TestProducerIDDenied: without an idempotent producer events are still published, and a warning is logged.
func TestProducerIDDenied(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.ClusterAuthorizationFailed, TopLevel: true,
		Count: -1})
	o, logs := observed()
	p := f.dial(t, o)
	want := transporttest.Events(20, 1, 10)
	transporttest.Deliver(t, p, want)
	transporttest.CheckLanes(t, contents(t, f.addrs, o.Topic), want)
	if n := logs.FilterMessageSnippet("IDEMPOTENT_WRITE").Len(); n != 1 {
		t.Errorf("logged %d times", n)
	}
	if s, _ := p.TopicState(); s.Idempotent {
		t.Error("it says that events are stored once")
	}
}

// TestProducerIDPermittedLater: a broker that has just started gives no producer id yet.
func TestProducerIDPermittedLater(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	o, logs := observed()
	p := f.dial(t, o)
	fault := f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.CoordinatorLoadInProgress,
		TopLevel: true, Count: 3})
	transporttest.Deliver(t, p, transporttest.Events(5, 1, 3))
	if fault.Hits() != 3 || logs.FilterMessageSnippet("IDEMPOTENT_WRITE").Len() > 0 {
		t.Errorf("%d hits; %v", fault.Hits(), logs.All())
	}
	once(t, f, o.Topic, transporttest.Events(5, 1, 3))
}

// TestLeaderMoves moves partitions from broker to broker under load.
func TestLeaderMoves(t *testing.T) {
	t.Parallel()
	f := startFake(t, kfake.NumBrokers(3))
	o := testOptions()
	p := f.dial(t, o)
	transporttest.Deliver(t, p, transporttest.Events(60, 1, 1))
	var moving sync.WaitGroup
	done := make(chan struct{})
	moves := 0
	moving.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
				f.ShufflePartitionLeaders()
				moves++
			}
		}
	})
	transporttest.Deliver(t, p, transporttest.Events(60, 2, 40))
	close(done)
	moving.Wait()
	if moves < 5 {
		t.Errorf("only %d moves", moves)
	}
	once(t, f, o.Topic, transporttest.Events(60, 1, 41))
}
