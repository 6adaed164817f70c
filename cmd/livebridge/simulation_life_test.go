package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"livebridge/bridge/dispatch"
	"livebridge/bridge/ingress"
	"livebridge/bridge/journal"
	"livebridge/bridge/signature"
)

// simulatedLife is the program from one start to its end.
type simulatedLife struct {
	journal *journal.Journal
	ingress *ingress.Server
	stop    func()             // of the dispatcher
	expire  context.CancelFunc // of its grace
	ended   chan struct{}
	metrics *prometheus.Registry
}

// start starts the program on the disk as it is.
func (s *simulation) start() {
	registry, disk := prometheus.NewRegistry(), s.disk
	l := &simulatedLife{ended: make(chan struct{}), metrics: registry}
	o := journal.DefaultOptions("journal")
	o.FS, o.Registerer, o.Wall = errorfs.Wrap(disk, s.slowDisk(s.seed)), registry, s.wall
	o.OutboxMemory, o.LanesCached, o.DeadLettersMax = 64, []int{1, 4}[s.seed%2], deadLettersMax
	if s.sessions() {
		o.SessionEvents, o.SessionStaleAfter = true, simulatedStale
	}
	if !s.calm {
		o.Limits.PerLane, o.HeldMax = []int{16, 2, 1}[s.seed%3], []int{10_000, 2}[s.seed%2]
	}
	var err error
	if l.journal, err = journal.Open(o); err != nil {
		s.t.Fatal(err)
	}
	d := dispatch.New(l.journal.Outbox(), &simulatedPublisher{broker: s.broker, life: l}, dispatch.Options{InFlight: 16},
		zap.NewNop(), registry)
	c := ingress.DefaultConfig()
	c.Now = s.wall
	ring, err := signature.NewRing(signature.Config{Stream: []string{demoKey}, Record: []string{demoKey},
		Skew: 24 * time.Hour, MaxAhead: 24 * time.Hour})
	if err != nil {
		s.t.Fatal(err)
	}
	if l.ingress, err = ingress.New(c, ring, l.journal, zap.NewNop(), registry); err != nil {
		s.t.Fatal(err)
	}
	grace, expire := context.WithCancel(context.Background())
	l.expire = expire
	l.stop = func() { go func() { defer close(l.ended); d.Shutdown(grace) }() }
	go d.Run()
	s.mu.Lock()
	s.life = l
	s.mu.Unlock()
}

// slowDisk makes syncs of the log take their time, so that commits overlap and crashes fall between write and sync.
func (s *simulation) slowDisk(seed uint64) errorfs.Injector {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 2))
	return errorfs.InjectorFunc(func(o errorfs.Op) error {
		if o.Kind != errorfs.OpFileSync && o.Kind != errorfs.OpFileSyncData || !strings.HasSuffix(o.Path, ".log") {
			return nil
		}
		mu.Lock()
		took := time.Duration(random.IntN(8)) * time.Millisecond
		if random.IntN(200) == 0 {
			took = 3 * time.Second
		}
		mu.Unlock()
		time.Sleep(took)
		return nil
	})
}

// stop ends the program as SIGTERM does.
func (s *simulation) stop() {
	s.requests.Wait()
	l := s.life
	l.journal.Stop()
	l.stop()
	<-l.ended
	l.expire()
	if err := l.journal.Close(); err != nil {
		s.t.Error(err)
	}
}

// crash cuts the power while callbacks are on their way to the disk: what remains is what was synced, and any part of
// what was not.
func (s *simulation) crash() {
	for n := range 8 {
		s.post(simulatedCallback{stream: fmt.Sprint("room", n), event: "RECORD_FILE_COMPLETE",
			node: fmt.Sprint("last", time.Now().UnixNano()), record: true})
		time.Sleep(time.Duration(s.random.IntN(2000)) * time.Microsecond)
	}
	s.mu.Lock()
	old := s.life
	s.life = nil
	part := []int{50, 0}[s.seed%2] // which half is left depends on more than the seed: odd seeds can be repeated exactly
	s.disk = s.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: part,
		RNG: rand.New(rand.NewPCG(s.seed, s.random.Uint64()))})
	s.mu.Unlock()
	old.stop()
	old.expire()
	<-old.ended
	if err := old.journal.Close(); err != nil {
		s.t.Error(err)
	}
}

// gauge returns a metric's value.
func (l *simulatedLife) gauge(t *testing.T, name string) float64 {
	families, err := l.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}
