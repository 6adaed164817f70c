package dispatch

import (
	"math/rand/v2"
	"sync"
	"time"

	"livebridge/bridge"
)

// backoffLanes bounds how many failing lanes are remembered. Beyond it an arbitrary one begins again with the shortest
// wait, which costs a few tries.
const backoffLanes = 100_000

// backoff counts the failures in a row of each lane. The bound of the wait doubles with each of them, and the wait is
// drawn evenly below it, so that lanes which failed together do not come back together.
type backoff struct {
	initial, limit time.Duration
	lanes          int

	mu       sync.Mutex
	failures map[bridge.Lane]int
}

func newBackoff(initial, limit time.Duration, lanes int) *backoff {
	return &backoff{initial: initial, limit: limit, lanes: lanes, failures: make(map[bridge.Lane]int)}
}

// next notes a failure and returns how long the lane should wait, above 0, and how many failures in a row it has had.
func (b *backoff) next(l bridge.Lane) (time.Duration, int) {
	b.mu.Lock()
	n := b.failures[l] + 1
	if n == 1 && len(b.failures) >= b.lanes {
		b.evict()
	}
	b.failures[l] = n
	b.mu.Unlock()
	return 1 + rand.N(b.bound(n)), n
}

// evict forgets any one lane.
func (b *backoff) evict() {
	for l := range b.failures {
		delete(b.failures, l)
		return
	}
}

// bound returns the longest wait after the n-th failure in a row.
func (b *backoff) bound(n int) time.Duration {
	bound := b.initial
	for ; n > 1 && bound < b.limit; n-- {
		bound *= 2
	}
	return min(bound, b.limit)
}

// reset notes that the lane goes on.
func (b *backoff) reset(l bridge.Lane) {
	b.mu.Lock()
	if len(b.failures) > 0 {
		delete(b.failures, l)
	}
	b.mu.Unlock()
}
