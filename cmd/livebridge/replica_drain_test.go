package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"livebridge/transports/kafka"
)

// fakeKafka is a broker in this process. It returns its address.
func fakeKafka(t *testing.T, opts ...kfake.Opt) string {
	t.Helper()
	broker, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	return broker.ListenAddrs()[0]
}

// drainSenders send callbacks, half of them over connections that stay open, and each over a new connection of its own
// otherwise: to the replica that leaves until a load balancer has noticed that it is not ready, then to the other one.
type drainSenders struct {
	provider *playedProvider
	noticed  atomic.Bool
	failed   atomic.Int64
	leaves   string // URLs
	stays    string
	before   atomic.Int64 // answered by the one that leaves
	work     sync.WaitGroup
}

// afterNotice is how many callbacks of each sender go to a replica after it said that it is not ready.
const afterNotice = 5

func (s *drainSenders) run(ctx context.Context, senders int) {
	for i := range senders {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: i%2 == 1}}
		s.work.Go(func() {
			for n, left := 0, afterNotice; ctx.Err() == nil; n++ {
				url := s.leaves
				if s.noticed.Load() {
					left--
				}
				if left < 0 {
					url = s.stays
				}
				switch status := s.provider.sendWith(ctx, client, url, fmt.Sprint("room", i), n); {
				case status == http.StatusOK && url == s.leaves:
					s.before.Add(1)
				case status != http.StatusOK && ctx.Err() == nil:
					s.failed.Add(1)
				}
				<-time.After(5 * time.Millisecond) // so that the provider leaves the replicas some of the machine
			}
		})
	}
}

// TestReplicaLeavesWithoutALoss: a replica that gets SIGTERM while connections are open and new ones come answers every
// callback 200 until the load balancer has noticed, and the others go on with its partitions.
func TestReplicaLeavesWithoutALoss(t *testing.T) {
	t.Parallel()
	broker := fakeKafka(t)
	settings := []string{prefix + "TRANSPORT=kafka", prefix + "INTAKE=broker", prefix + "KAFKA_BROKERS=" + broker,
		prefix + "KAFKA_PARTITIONS=4", prefix + "SHUTDOWN_DELAY=8s"}
	first, second := launch(t, t.TempDir(), settings...), launch(t, t.TempDir(), settings...)
	for _, r := range []*program{first, second} {
		until(t, "both own partitions", func() bool { return strings.Contains(r.log.String(), "partition taken over") })
	}
	s := &drainSenders{provider: newProvider(), leaves: "http://" + first.listen + "/live/stream",
		stays: "http://" + second.listen + "/live/stream"}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.run(ctx, 6)
	until(t, "callbacks are answered", func() bool { return s.before.Load() > 50 })
	first.signal(t, syscall.SIGTERM)
	first.isNotReady(t)
	at := s.before.Load()
	s.noticed.Store(true)
	if code := first.end(t); code != exitDone {
		t.Errorf("it exits with %d\n%s", code, first.log)
	}
	until(t, "the other one has all partitions", func() bool { return owns(t, second, 4) })
	all := s.provider.total.Load()
	until(t, "it answers callbacks", func() bool { return s.provider.total.Load() > all+50 })
	cancel()
	s.work.Wait()
	if s.failed.Load() > 0 || s.before.Load() == at {
		t.Errorf("%d callbacks were not answered 200; %d were by the one that left, %d before", s.failed.Load(),
			s.before.Load(), at)
	}
	o := kafka.DefaultOptions()
	o.Brokers = broker
	s.provider.judgeTopic(t, func(ctx context.Context, out func([]byte) error) error {
		return kafka.Consume(ctx, o, kafka.StartAll, func(r kafka.Record) error { return out(r.Payload) })
	})
	if !strings.Contains(first.log.String(), `"why":"shutdown"`) {
		t.Errorf("it does not say why it gives partitions up:\n%s", first.log)
	}
}

// owns reports whether a replica owns so many partitions.
func owns(t *testing.T, r *program, partitions int) bool {
	t.Helper()
	n := 0.0
	for name, value := range r.metrics(t) {
		if strings.HasPrefix(name, "livebridge_partition_owned{") {
			n += value
		}
	}
	return int(n) == partitions
}
