package cluster

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/cluster/clustertest"
	"livebridge/bridge/processor"
	"livebridge/bridge/store"
)

// What a takeover restores at most: asked for is that it takes under two seconds.
const (
	benchLanes      = 100_000
	benchIdentities = 1_000_000
	benchBatch      = 100 // of what a commit has
)

// BenchmarkTakeover takes a partition over that has 100,000 lanes and 1,000,000 identities, from the broker in memory
// into an empty cache on disk, up to the first read of the intake.
func BenchmarkTakeover(b *testing.B) {
	broker := loadedBroker(b)
	replica := broker.Replica(nil)
	var cpu time.Duration
	takeovers := 0
	for b.Loop() {
		begun := cpuTime(b)
		opts := DefaultOptions(b.TempDir())
		opts.Limits = processor.Options{
			Limits: limits().Limits, HeldMax: 10_000, DedupeWindow: 24 * time.Hour, DedupeMax: 20_000_000,
			LanesCached: 200_000, QuarantineMax: 10_000,
		}
		opts.Intake, opts.Partitions = replica, replica
		c := New(opts)
		o := &owner{opts: &c.opts, stats: c.stats.of(0), limits: opts.processorOptions(0), log: zap.NewNop()}
		var err error
		if o.cache, err = store.OpenCache(c.opts.cacheOptions(0)); err != nil {
			b.Fatal(err)
		}
		if err := o.take(b.Context()); err != nil {
			b.Fatal(err)
		}
		if n := o.processor.Counters().Identities(); n != benchIdentities {
			b.Fatalf("%d identities are restored", n)
		}
		b.StopTimer()
		cpu += cpuTime(b) - begun
		takeovers++
		if err := o.cache.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(cpu.Seconds()/float64(takeovers), "cpu-s/op")
}

// cpuTime returns how long the processors have worked for this process.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// loadedBroker returns a broker whose partition has all of it, compacted.
func loadedBroker(b *testing.B) *clustertest.Broker {
	b.Helper()
	broker := newBroker(1)
	cache, err := store.OpenCache(store.CacheOptions{Dir: "load", FS: vfs.NewMem(), OpenFiles: 64, Now: time.Now,
		Log: zap.NewNop()})
	if err != nil {
		b.Fatal(err)
	}
	cache.State().Origin = 1
	replica := broker.Replica(nil)
	partition, err := replica.Take(b.Context(), 0, 0, cache.Apply)
	if err != nil {
		b.Fatal(err)
	}
	now := bridge.MillisOf(time.Now())
	eff := processor.Effects{Now: processor.MomentOf(0, time.Now())}
	for i := 0; i < benchIdentities; i += benchBatch {
		eff.Reset()
		eff.Counters.Buckets = []processor.Bucket{{Number: 1, First: now, Last: now, Count: uint64(i + benchBatch)}}
		loadEffects(&eff, i)
		rows, err := cache.Rows(&eff, uint64(i), nil)
		if err != nil {
			b.Fatal(err)
		}
		cache.State().Commits++
		if _, err := partition.Commit(b.Context(), bridge.PartitionCommit{Rows: rows, Next: uint64(i)}); err != nil {
			b.Fatal(err)
		}
	}
	broker.Compact(0, 0)
	if err := cache.Close(); err != nil {
		b.Fatal(err)
	}
	return broker
}

// loadEffects adds what a batch of callbacks changes: an identity each, and lanes that come again and again.
func loadEffects(eff *processor.Effects, first int) {
	for i := first; i < first+benchBatch; i++ {
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
		eff.Identities = append(eff.Identities, processor.Name{Part: 1, Sum: [16]byte(sum[:])})
		l := processor.LaneState{Touched: eff.Now.Millis(), Name: bridge.Lane{Kind: bridge.KindStream,
			Domain: "push.example.com", App: "live", Stream: fmt.Sprint("stream", i%benchLanes)}}
		l.State.Sequence = uint64(1_700_000_000_000_000 + i)
		eff.Lanes = append(eff.Lanes, l)
	}
}
