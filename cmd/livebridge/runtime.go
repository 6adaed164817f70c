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
	// processorsInterval is how often the number of processors is looked up, as often as Go itself would.
	processorsInterval = 30 * time.Second
)

// tuneRuntime sets the garbage collector and the scheduler, unless GOGC, GOMEMLIMIT or GOMAXPROCS do.
func tuneRuntime() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
	if os.Getenv("GOMAXPROCS") == "" {
		setProcessors()
	}
}

// setProcessors sets GOMAXPROCS to twice the number that Go would choose now, which follows a container's CPU limit: a
// goroutine that returns from a sync must not wait for a processor while 64 callbacks wait for it.
func setProcessors() {
	runtime.SetDefaultGOMAXPROCS()
	runtime.GOMAXPROCS(2 * runtime.GOMAXPROCS(0))
}

// followRuntime adjusts the memory limit and the number of processors until ctx ends.
func followRuntime(ctx context.Context) {
	memory, processors := time.NewTicker(memoryLimitInterval), time.NewTicker(processorsInterval)
	defer memory.Stop()
	defer processors.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-memory.C:
			adjustMemoryLimit()
		case <-processors.C:
			if os.Getenv("GOMAXPROCS") == "" {
				setProcessors() // Go does not follow a changed limit once GOMAXPROCS was set
			}
		}
	}
}

// adjustMemoryLimit raises the memory limit with the live heap. Close to the limit the collector would run all the time
// and free next to nothing: the embedded server alone holds the message IDs of the last seconds.
func adjustMemoryLimit() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit(liveHeap()))
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
