package journal

import (
	"sync"

	"livebridge/bridge"
)

// request is one callback, or an operator's command, that waits for its commit.
type request struct {
	arrival *bridge.Arrival
	command *command   // nil: a callback
	result  result     // of the command, once done has received
	done    chan error // receives once
}

// queue is where callbacks wait for the writer. All of them are taken at once.
type queue struct {
	mu      sync.Mutex
	waiting []*request
	spare   []*request    // the slice taken before, to be used again
	wake    chan struct{} // holds one token when the writer has something to look at
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

func (q *queue) put(r *request) {
	q.mu.Lock()
	q.waiting = append(q.waiting, r)
	first := len(q.waiting) == 1
	q.mu.Unlock()
	if first {
		q.wakeWriter()
	}
}

// take returns everything that waits; the slice is valid until the next take.
func (q *queue) take() []*request {
	q.mu.Lock()
	defer q.mu.Unlock()
	taken := q.waiting
	clear(q.spare)
	q.waiting, q.spare = q.spare[:0], taken
	return taken
}

// wakeWriter makes the writer look, whatever it waits for.
func (q *queue) wakeWriter() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
