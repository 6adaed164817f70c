package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
	"livebridge/bridge/journal"
)

// backlog is what the outbox holds when the broker has been away for long.
const backlog = 1_000_000

// BenchmarkBacklogDrained starts the program, as its own process, on an outbox of a million events: without a broker,
// where it takes one callback more, and then on the embedded one until all of it is published. The memory is that of
// the process, the server's included.
//
// On two shared cores, with the events in 1,000 lanes: 70 MB while the broker is away, 140 to 165 MB once a callback
// arrives, ready in 0.2 to 1 s; 69,000 to 71,000 events published a second, with 271 MB at most.
func BenchmarkBacklogDrained(b *testing.B) {
	const lanes = 1000
	for b.Loop() {
		dir := b.TempDir()
		j := openBench(b, dir)
		seed(b, j, lanes, backlog/lanes)
		if err := j.Close(); err != nil {
			b.Fatal(err)
		}
		waiting := launch(b, dir, prefix+"NATS_URL=nats://127.0.0.1:1", prefix+"SHUTDOWN_GRACE=0s")
		b.ReportMetric(waiting.took.Seconds(), "s-to-ready")
		if status, err := post(b.Context(), "http://"+waiting.listen+"/live/stream",
			benchBody(0, time.Now().Unix(), 0)); status != http.StatusOK {
			b.Fatal(status, err)
		}
		<-time.After(5 * time.Second)
		b.ReportMetric(resident(b, waiting, "VmHWM:"), "MB-waiting")
		waiting.signal(b, syscall.SIGTERM)
		waiting.end(b)
		draining := launch(b, dir)
		begun := time.Now()
		for draining.metrics(b)["livebridge_outbox_events"] > 0 {
			<-time.After(100 * time.Millisecond)
		}
		b.ReportMetric(backlog/time.Since(begun).Seconds(), "drained/s")
		b.ReportMetric(resident(b, draining, "VmHWM:"), "MB-draining")
		if n := messages(b, draining.nats); n != backlog+1 {
			b.Errorf("%d events have come out", n)
		}
		draining.signal(b, syscall.SIGTERM)
		draining.end(b)
	}
}

// openBench opens a journal as the program does.
func openBench(b *testing.B, dir string) *journal.Journal {
	o := journal.DefaultOptions(dir)
	o.Registerer = prometheus.NewRegistry()
	j, err := journal.Open(o)
	if err != nil {
		b.Fatal(err)
	}
	return j
}

// seed puts so many callbacks of each lane into the journal: pushes that start and end, in order.
func seed(b *testing.B, j *journal.Journal, lanes, each int) {
	const workers = 512
	base := bridge.MillisOf(time.Now()) - 1_000_000_000
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := range each {
				for l := w; l < lanes; l += workers {
					if err := j.Append(context.Background(), seeded(l, n, base)); err != nil {
						b.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

// seeded is the n-th callback of a lane, of the usual size.
func seeded(l, n int, base bridge.Millis) *bridge.Arrival {
	e := bridge.Event{Type: "com.huaweicloud.live.stream.publish", Phase: bridge.PhasePublish, Scheme: bridge.SchemeHMAC,
		Lane:    bridge.Lane{Kind: bridge.KindStream, Domain: "push.example.com", App: "live", Stream: fmt.Sprint("room", l)},
		Session: base + bridge.Millis(n/2)*1000}
	event := "PUBLISH"
	if n%2 == 1 {
		event, e.Phase, e.Type = "PUBLISH_DONE", bridge.PhaseDone, "com.huaweicloud.live.stream.publish_done"
	}
	e.Data = fmt.Appendf(nil, `{"app":"live","client_ip":"100.111.1.1","domain":"push.example.com","event":%q,`+
		`"node_ip":"112.11.1.1",`+
		`"publish_timestamp":%d,"stream":%q,"user_args":"[redacted]"}`, event, e.Session/1000, e.Lane.Stream)
	sum := sha256.Sum256(e.Data)
	copy(e.ID[:], sum[:])
	return &bridge.Arrival{Event: e, Signature: bridge.Signature{Sum: [16]byte(sum[16:]), Signed: [16]byte(sum[8:]),
		Expires: bridge.MillisOf(time.Now()) + 60_000, Strict: true}}
}

// resident returns a figure of a process's memory, in MB: VmRSS is now, VmHWM the most so far.
func resident(b *testing.B, p *program, name string) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	var kb float64
	_, rest, _ := strings.Cut(string(status), name)
	_, _ = fmt.Sscan(rest, &kb)
	return kb / 1024
}
