package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// gcPercent trades memory for CPU time: events live for milliseconds, so infrequent collections are cheap.
	gcPercent = 400
	// softMemory is the least memory limit, above which the collector runs more often.
	softMemory = 240 << 20
	// memoryLimitInterval is how often the memory limit is adjusted.
	memoryLimitInterval = time.Second
)

// tuneRuntime sets the garbage collector and the scheduler, unless GOGC, GOMEMLIMIT or GOMAXPROCS do. GOMAXPROCS is
// twice the number of processors: a goroutine that returns from a sync must not wait for a processor while 64 callbacks
// wait for it.
func tuneRuntime() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2 * runtime.GOMAXPROCS(0))
	}
}

// adjustMemoryLimit raises the memory limit with the live heap, until ctx ends. Close to the limit the collector would
// run all the time and free next to nothing: the embedded server alone holds the message IDs of the last seconds.
func adjustMemoryLimit(ctx context.Context) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	ticker := time.NewTicker(memoryLimitInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			debug.SetMemoryLimit(memoryLimit(liveHeap()))
		}
	}
}

// liveHeap returns the live bytes that the last collection has found.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}

// memoryLimit returns the limit for a live heap, with headroom of a quarter.
func memoryLimit(liveHeap uint64) int64 { return max(softMemory, int64(liveHeap+liveHeap/4)) }
