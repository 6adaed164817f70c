//go:build brokers

package kafka

import (
	"sync"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/transports/kafka/kafkatest"
	"livebridge/transports/transporttest"
)

// BenchmarkBacklogPublished publishes events as fast as the transport takes them from a dispatcher with 4,096 under
// way, over 4,096 lanes, to one real broker.
func BenchmarkBacklogPublished(b *testing.B) {
	const lanes, rounds = 4096, 100
	c := kafkatest.Start(b, kafkatest.Options{JVM: []string{"-Xmx512m"}})
	o := DefaultOptions()
	o.Brokers = joined(c.Brokers())
	p := dial(b, o)
	all := transporttest.Events(lanes, 1, 1)
	for _, e := range all {
		e.Data = append(e.Data[:len(e.Data)-1],
			`,"client_ip":"100.111.1.1","domain":"push.example.com","node_ip":"112.11.1.1","user_args":"[redacted]"}`...)
	}
	publish(b, p, all, 20)
	for b.Loop() {
		begun := time.Now()
		publish(b, p, all, rounds)
		b.ReportMetric(lanes*rounds/time.Since(begun).Seconds(), "published/s")
	}
}

// publish has every event out so many times, one of a lane at a time.
func publish(b *testing.B, p *Publisher, all []*bridge.Event, rounds int) {
	var left sync.WaitGroup
	acked := make(chan *bridge.Event, len(all))
	left.Add(len(all) * rounds)
	for _, e := range all {
		acked <- e
	}
	for range len(all) * rounds {
		e := <-acked
		publishUntilAcked(p, e, func() {
			acked <- e
			left.Done()
		})
	}
	left.Wait()
}

// publishUntilAcked tries again while the broker, which has just started, is not ready.
func publishUntilAcked(p *Publisher, e *bridge.Event, done func()) {
	p.Publish(e, func(err error) {
		if err == nil {
			done()
			return
		}
		time.AfterFunc(10*time.Millisecond, func() { publishUntilAcked(p, e, done) })
	})
}
