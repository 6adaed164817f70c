//go:build brokers

package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/store"
)

const (
	takeoverLanes      = 100_000
	takeoverIdentities = 1_000_000
	takeoverBatch      = 250 // identities of a commit
	takeoverTopic      = "takeover"
	groupSession       = 10 * time.Second // of the program's membership
)

// BenchmarkTakeoverReplicas has a partition with 100,000 lanes and 1,000,000 identities on a real broker, and 200
// callbacks a second. It reports how long a new replica reads before it takes part, for how long no event comes out
// when the owner is killed, beyond the session of its membership, and when it leaves, to a replica that is new and to
// one that has been here before.
func BenchmarkTakeoverReplicas(b *testing.B) {
	measureTakeovers(b, onKafkaReplicas(b), groupSession, takeoverIdentities)
}

// measureTakeovers does so on a broker where replicas that were killed keep their partitions for a time.
func measureTakeovers(b *testing.B, broker *benchedBroker, keep time.Duration, identities int) {
	seedState(b, broker, identities)
	for b.Loop() {
		figures := make(map[string][]float64)
		for range benchRounds {
			t := startTakeovers(b, broker, keep)
			t.measure(figures)
			t.end()
		}
		reportMedians(b, figures)
	}
}

// takeoverSettings are those of a replica.
func (k *benchedBroker) takeoverSettings() []string {
	return append(k.settings(takeoverTopic), prefix+"INTAKE=broker", prefix+"INTAKE_GROUP="+takeoverTopic,
		k.partitions+"1")
}

// takeover has the same for load.
func (k *benchedBroker) takeover() map[string]string {
	var pairs []string
	for _, text := range k.takeoverSettings() {
		name, value, _ := strings.Cut(strings.TrimPrefix(text, prefix), "=")
		pairs = append(pairs, name, value)
	}
	return with(pairs...)
}

// seedState commits the state.
func seedState(b *testing.B, broker *benchedBroker, identities int) {
	b.Helper()
	s, err := load(broker.takeover())
	if err != nil {
		b.Fatal(err)
	}
	r, err := s.transport().share(b.Context(), zap.NewNop())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = r.Close(context.Background()) }()
	cache, err := store.OpenCache(store.CacheOptions{Dir: "seed", FS: vfs.NewMem(), OpenFiles: 64, Now: time.Now,
		Log: zap.NewNop()})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = cache.Close() }()
	partition, err := r.Take(b.Context(), 0, 0, func([]bridge.Row, uint64) error { return nil })
	if err != nil {
		b.Fatal(err)
	}
	cache.State().Origin = 1
	eff, now := processor.Effects{Now: processor.MomentOf(0, time.Now())}, bridge.MillisOf(time.Now())
	for i := 0; i < identities; i += takeoverBatch {
		eff.Reset()
		eff.Counters.Floor = processor.FirstFloor(now)
		eff.Counters.Buckets = []processor.Bucket{{Number: 1, First: now, Last: now, Count: uint64(i + takeoverBatch)}}
		for n := i; n < i+takeoverBatch; n++ {
			sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
			eff.Identities = append(eff.Identities, processor.Name{Part: 1, Sum: [16]byte(sum[:])})
			lane := processor.LaneState{Touched: now, Name: bridge.Lane{Kind: bridge.KindStream, Domain: "push.example.com",
				App: "live", Stream: fmt.Sprint("stream", n%takeoverLanes)}}
			lane.State.Sequence = eff.Counters.Floor + uint64(n)
			eff.Lanes = append(eff.Lanes, lane)
		}
		rows, err := cache.Rows(&eff, 0, nil)
		if err != nil {
			b.Fatal(err)
		}
		cache.State().Commits++
		if _, err := partition.Commit(b.Context(), bridge.PartitionCommit{Rows: rows}); err != nil {
			b.Fatal(err)
		}
	}
	if err := partition.Close(); err != nil {
		b.Fatal(err)
	}
}

// takeovers is the load on replicas that take the partition from each other, and what comes out.
type takeovers struct {
	b      *testing.B
	broker *benchedBroker
	keep   time.Duration // of partitions of a replica that was killed
	p      *playedProvider
	url    atomic.Pointer[string]
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu      sync.Mutex
	last    time.Time     // when the last event came
	longest time.Duration // between two events, since it was asked for
	count   int
}

func startTakeovers(b *testing.B, broker *benchedBroker, keep time.Duration) *takeovers {
	t := &takeovers{b: b, broker: broker, keep: keep, p: newProvider(), last: time.Now()}
	ctx, cancel := context.WithCancel(b.Context())
	t.cancel = cancel
	t.work.Go(func() { _ = broker.consume(ctx, takeoverTopic, t.came) })
	run := fmt.Sprint("run", time.Now().UnixNano())
	for room := range 8 {
		t.work.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				<-time.After(40 * time.Millisecond)
				if url := t.url.Load(); url != nil {
					t.p.sendWith(ctx, http.DefaultClient, *url, fmt.Sprint(run, room), n)
				}
			}
		})
	}
	return t
}

func (t *takeovers) end() {
	t.cancel()
	t.work.Wait()
}

// came notes an event.
func (t *takeovers) came([]byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.longest, t.last = max(t.longest, now.Sub(t.last)), now
	t.count++
	return nil
}

// gap does something and returns for how long no event came after it, in milliseconds: the longest time between two
// events until a thousand more have come.
func (t *takeovers) gap(do func()) float64 {
	t.b.Helper()
	t.mu.Lock()
	t.longest, t.count = 0, 0
	t.mu.Unlock()
	do()
	until(t.b, "events come again", func() bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.count > 1000
	})
	t.mu.Lock()
	defer t.mu.Unlock()
	return float64(t.longest.Microseconds()) / 1000
}

// start starts a replica on a directory, and has the load go there.
func (t *takeovers) start(dir string) *program {
	t.b.Helper()
	r := launch(t.b, dir, t.broker.takeoverSettings()...)
	url := "http://" + r.listen + "/live/stream"
	t.url.Store(&url)
	return r
}

// join starts a replica and waits until it takes part.
func (t *takeovers) join(dir string) *program {
	t.b.Helper()
	r := t.start(dir)
	until(t.b, "the replica takes part", func() bool { return strings.Contains(r.log.String(), "replica takes part") })
	return r
}

// owns waits until a replica has the partition.
func (t *takeovers) owns(r *program) {
	t.b.Helper()
	until(t.b, "the replica has the partition", func() bool {
		return r.metrics(t.b)[`livebridge_partition_owned{partition="0"}`] == 1
	})
}

// measure has the partition go from one replica to the next.
func (t *takeovers) measure(figures map[string][]float64) {
	add := func(name string, ms float64) { figures[name] = append(figures[name], ms) }
	dirs := [2]string{t.b.TempDir(), t.b.TempDir()}
	a := t.start(dirs[0])
	t.owns(a)
	begun := time.Now()
	b := t.join(dirs[1])
	add("ms-until-it-takes-part", float64(time.Since(begun).Milliseconds()))
	t.gap(func() {})
	add("ms-gap-undisturbed", t.gap(func() {}))
	add("ms-gap-kill-beyond-lease", t.gap(a.kill)-float64(t.keep.Milliseconds()))
	add("ms-takeover", 1000*b.metrics(t.b)[`livebridge_partition_takeover_seconds{partition="0"}`])
	a.end(t.b)
	a = t.join(t.b.TempDir())
	t.gap(func() {})
	add("ms-gap-leave-to-new", t.gap(func() { b.signal(t.b, syscall.SIGTERM) }))
	b.end(t.b)
	b = t.join(dirs[1])
	t.gap(func() {})
	add("ms-gap-leave-to-known", t.gap(func() { a.signal(t.b, syscall.SIGTERM) }))
	a.end(t.b)
	b.kill()
	b.end(t.b)
	t.url.Store(nil)
}
