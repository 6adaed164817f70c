package nats

import (
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"livebridge/bridge"
	"livebridge/transports/nats/partitions"
)

// behind is how far a stream is behind its source, with what this replica has committed there.
type behind struct {
	mu     sync.Mutex
	marks  []mark // what the stream did not have when it was asked last, oldest first
	events uint64 // that wait in the source, whoever has committed them, as the server said last
}

// mark is a commit: of the first one of a second the time, of the last one the sequence in the source.
type mark struct {
	sequence uint64
	at       time.Time
}

const markInterval = time.Second

// committed notes the last message of a commit.
func (b *behind) committed(sequence uint64, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if last := len(b.marks) - 1; last >= 0 && now.Sub(b.marks[last].at) < markInterval {
		b.marks[last].sequence = max(b.marks[last].sequence, sequence)
		return
	}
	b.marks = append(b.marks, mark{sequence, now})
}

// sourced notes that the stream has what is up to a sequence of the source.
func (b *behind) sourced(sequence uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.marks) > 0 && b.marks[0].sequence <= sequence {
		b.marks = b.marks[1:]
	}
}

// told notes what the server says.
func (b *behind) told(info *jetstream.StreamInfo) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = 0
	for _, s := range info.Sources {
		b.events += s.Lag
	}
}

// state returns the age of the oldest commit that the stream did not have when it was asked last, and how many events
// wait.
func (b *behind) state(now time.Time) (age time.Duration, events uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.marks) > 0 {
		age = now.Sub(b.marks[0].at)
	}
	return age, b.events
}

// noteCommit notes what was committed, or found to be.
func (r *Replicas) noteCommit(partition int, c partitions.Committed) {
	r.processed[partition].Store(c.Next)
	r.committed.Store(true)
	for _, s := range r.streams[2:] {
		sequence := c.Events
		if s.want.Name == QuarantineStream {
			sequence = c.Notices
		}
		if sequence > 0 {
			s.behind.committed(sequence, time.Now())
		}
	}
}

// waiting reports whether a stream of consumers did not have everything when it was asked last.
func (r *Replicas) waiting() bool {
	for _, s := range r.streams[2:] {
		if age, _ := s.behind.state(time.Now()); age > 0 {
			return true
		}
	}
	return false
}

// Outputs returns how far the streams of consumers are behind what was committed.
func (r *Replicas) Outputs() (all []bridge.OutputState) {
	for _, s := range r.streams[2:] {
		age, events := s.behind.state(time.Now())
		all = append(all, bridge.OutputState{Stream: s.want.Name, Behind: age, Waiting: events})
	}
	return all
}
