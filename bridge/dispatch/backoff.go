package dispatch

import (
	"math/rand/v2"
	"sync"
	"time"

	"livebridge/bridge"
)

// backoffLanes bounds how many failing lanes are tracked. Beyond it an arbitrary one restarts with the shortest delay,
// which costs a few attempts.
const backoffLanes = 100_000

// backoff counts the consecutive failures of each lane. Each doubles the bound of the delay, and the delay is drawn
// uniformly below the bound (full jitter), so that lanes that failed together do not retry together.
type backoff struct {
	initial, limit time.Duration
	lanes          int

	mu       sync.Mutex
	failures map[bridge.Lane]int
}

func newBackoff(initial, limit time.Duration, lanes int) *backoff {
	return &backoff{initial: initial, limit: limit, lanes: lanes, failures: make(map[bridge.Lane]int)}
}

// next records a failure and returns the lane's delay, above 0, and its number of consecutive failures.
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

// evict removes an arbitrary lane.
func (b *backoff) evict() {
	for l := range b.failures {
		delete(b.failures, l)
		return
	}
}

// bound returns the longest delay after the n-th consecutive failure.
func (b *backoff) bound(n int) time.Duration {
	bound := b.initial
	for ; n > 1 && bound < b.limit; n-- {
		bound *= 2
	}
	return min(bound, b.limit)
}

// reset ends the lane's failures.
func (b *backoff) reset(l bridge.Lane) {
	b.mu.Lock()
	if len(b.failures) > 0 {
		delete(b.failures, l)
	}
	b.mu.Unlock()
}
