package partitions

import "sync/atomic"

// progress is how far a state was read: from its first offset to the one behind its last.
type progress struct{ first, next, end atomic.Int64 }

func (p *progress) begin(first, end int64) {
	p.first.Store(first)
	p.next.Store(first)
	p.end.Store(end)
}

// part returns how much of it that is, from 0 to 1. What it reads together may not belong together for an instant.
func (p *progress) part() float64 {
	all := p.end.Load() - p.first.Load()
	if all <= 0 {
		return 0
	}
	return min(1, max(0, float64(p.next.Load()-p.first.Load())/float64(all)))
}

// Restored implements bridge.RestoreProgress.
func (p *Partitions) Restored(partition int) float64 { return p.progress[partition].part() }
