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
	// gcPercent trades memory for time: events live for a few milliseconds, so collecting them seldom is cheap.
	gcPercent = 400
	// softMemory is where memory becomes worth more than time; the collector then works harder.
	softMemory = 240 << 20
	// memoryLimitInterval is how often what lives is looked at.
	memoryLimitInterval = time.Second
)

// tuneRuntime sets what GOGC, GOMEMLIMIT and GOMAXPROCS leave open. There are twice as many schedulers as processors: a goroutine
// that comes back from a sync must not wait for one of them while 64 callbacks wait for it.
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

// adjustMemoryLimit lets the limit on memory give way to what lives, until ctx ends. Close below it the collector would run all
// the time and free next to nothing: the embedded broker alone remembers every event of the last seconds.
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

// liveHeap returns the bytes that the last collection has found to be in use.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}

// memoryLimit returns the limit for so many bytes in use: a quarter of them is room to work in.
func memoryLimit(liveHeap uint64) int64 { return max(softMemory, int64(liveHeap+liveHeap/4)) }
