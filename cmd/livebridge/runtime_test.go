package main

import (
	"runtime"
	"testing"
)

func TestMemoryLimitFollowsLiveHeap(t *testing.T) {
	for _, c := range []struct {
		liveHeap uint64
		want     int64
	}{{0, softMemory}, {softMemory / 2, softMemory}, {400 << 20, 500 << 20}} {
		if got := memoryLimit(c.liveHeap); got != c.want {
			t.Errorf("with %d bytes in use the limit is %d, want %d", c.liveHeap, got, c.want)
		}
	}
	kept := make([]byte, 64<<20)
	runtime.GC()
	if n := liveHeap(); n < uint64(len(kept)) {
		t.Errorf("%d bytes are in use, more than %d are", n, len(kept))
	}
	runtime.KeepAlive(kept)
}

// TestProcessorsFollowTheLimit: a number that was set before does not keep the one that Go would choose now from use.
func TestProcessorsFollowTheLimit(t *testing.T) {
	runtime.SetDefaultGOMAXPROCS()
	want := 2 * runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(want + 5)
	defer runtime.SetDefaultGOMAXPROCS()
	setProcessors()
	if got := runtime.GOMAXPROCS(0); got != want {
		t.Errorf("GOMAXPROCS is %d, want %d", got, want)
	}
}
