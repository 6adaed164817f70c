package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

const (
	// gcPercent trades memory for time: events live for a few milliseconds, so collecting them seldom is cheap.
	gcPercent = 400
	// softMemory is where memory becomes worth more than time; the collector then works harder.
	softMemory = 224 << 20
)

// tune sets what GOGC, GOMEMLIMIT and GOMAXPROCS leave open. There are twice as many schedulers as processors: a goroutine
// that comes back from a sync must not wait for one of them while 64 callbacks wait for it.
func tune() {
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
