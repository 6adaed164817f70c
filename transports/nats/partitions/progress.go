package partitions

import "sync/atomic"

// progress is how much of a state was read: messages, and those that lay behind the last one.
type progress struct{ done, left atomic.Uint64 }

func (p *progress) begin() {
	p.done.Store(0)
	p.left.Store(0)
}

func (p *progress) read(m *message) {
	p.done.Add(1)
	p.left.Store(m.left)
}

// part returns how much of it that is, from 0 to 1. What it reads together may not belong together for an instant.
func (p *progress) part() float64 {
	done := p.done.Load()
	if done == 0 {
		return 0
	}
	return float64(done) / float64(done+p.left.Load())
}

// Restored implements bridge.RestoreProgress. Of a state that was kept, the headers of the slots are what takes long.
func (p *Partitions) Restored(partition int) float64 { return p.progress[partition].part() }
