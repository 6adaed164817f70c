//go:build unix

package embedded

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/transports/nats"
	"livebridge/transports/transporttest"
)

// benchEvent makes an event of about 600 bytes in structured mode.
func benchEvent(lane int) *bridge.Event {
	return &bridge.Event{
		ID: bridge.ID{byte(lane), byte(lane >> 8)}, Type: "com.huaweicloud.live.stream.publish",
		Lane: bridge.Lane{Kind: bridge.KindStream, Domain: "push.example.com", App: "live", Stream: fmt.Sprintf("room-%d",
			lane)},
		Session: 1587954134000, Phase: bridge.PhasePublish, Occurred: 1587954134000, Recorded: 1587954135000,
		Scheme: bridge.SchemeHMAC,
		Data: []byte(`{"app":"live","domain":"push.example.com","event":"PUBLISH","publish_timestamp":1587954134,` +
			`"stream":"room"}`),
	}
}

// BenchmarkPublish publishes through the embedded server with 1000 lanes and one event under way in each. Its measure
// is the CPU time of the whole process per event, server included.
func BenchmarkPublish(b *testing.B) {
	p, err := Start(Options{StoreDir: b.TempDir(), Listen: "127.0.0.1:0"}, nats.DefaultOptions())
	if err != nil {
		b.Fatal(err)
	}
	defer transporttest.Close(b, p)
	const lanes = 1000
	free := make(chan *bridge.Event, lanes)
	for i := range lanes {
		free <- benchEvent(i)
	}
	first := make(chan error, 1)
	for {
		p.Publish(benchEvent(0), func(err error) { first <- err })
		if <-first == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	cpu := cpuTime()
	b.ReportAllocs()
	b.ResetTimer()
	var sequence uint64
	for range b.N {
		ev := <-free
		sequence++
		ev.Sequence = sequence
		for k := range 8 {
			ev.ID[4+k] = byte(sequence >> (8 * k))
		}
		p.Publish(ev, func(err error) {
			if err != nil {
				b.Error(err)
			}
			free <- ev
		})
	}
	for range lanes {
		<-free
	}
	b.StopTimer()
	b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N), "cpu-ns/op")
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
