package main

import (
	"runtime"
	"testing"
)

func TestMemoryLimitGivesWayToWhatLives(t *testing.T) {
	for _, c := range []struct {
		living uint64
		want   int64
	}{{0, softMemory}, {softMemory / 2, softMemory}, {400 << 20, 500 << 20}} {
		if got := memoryLimit(c.living); got != c.want {
			t.Errorf("with %d bytes in use the limit is %d, want %d", c.living, got, c.want)
		}
	}
	kept := make([]byte, 64<<20)
	runtime.GC()
	if n := living(); n < uint64(len(kept)) {
		t.Errorf("%d bytes are in use, more than %d are", n, len(kept))
	}
	runtime.KeepAlive(kept)
}
