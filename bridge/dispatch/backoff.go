package dispatch

import (
	"math/rand/v2"
	"sync"
	"time"

	"livebridge/bridge"
)

// backoffLanes bounds how many failing lanes are remembered. A lane that is not begins with the shortest wait again.
const backoffLanes = 100_000

// backoff counts the failures in a row of each lane. Waits double and are drawn evenly from half to the whole of that,
// so that lanes which failed together do not come back together.
type backoff struct {
	first, last time.Duration
	mu          sync.Mutex
	failures    map[bridge.Lane]int
}

func newBackoff(first, last time.Duration) *backoff {
	return &backoff{first: first, last: last, failures: make(map[bridge.Lane]int)}
}

// next notes a failure and returns how long the lane should wait.
func (b *backoff) next(l bridge.Lane) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.failures[l]
	if _, known := b.failures[l]; known || len(b.failures) < backoffLanes {
		b.failures[l] = n + 1
	}
	whole := b.last
	if n < 30 {
		whole = min(b.last, b.first<<n)
	}
	return whole/2 + rand.N(whole/2+1)
}

// forget notes that the lane goes on.
func (b *backoff) forget(l bridge.Lane) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.failures) > 0 {
		delete(b.failures, l)
	}
}
