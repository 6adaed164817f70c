package nats

import "sync"

// hold keeps the events that are published before the first check of their stream has ended, so that a healthy start
// fails none.
type hold struct {
	mu      sync.Mutex
	ended   bool
	waiting []func()
}

// add keeps the publishing of an event until release. False: there is nothing to wait for any more.
func (h *hold) add(publish func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ended {
		h.waiting = append(h.waiting, publish)
	}
	return !h.ended
}

// end releases the events and keeps no more.
func (h *hold) end() {
	h.mu.Lock()
	h.ended = true
	h.mu.Unlock()
	h.release()
}

// release publishes the events that are kept.
func (h *hold) release() {
	h.mu.Lock()
	waiting := h.waiting
	h.waiting = nil
	h.mu.Unlock()
	for _, publish := range waiting {
		publish()
	}
}
