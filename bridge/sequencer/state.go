package sequencer

import (
	"slices"

	"livebridge/bridge"
)

// Instant is a point on the monotonic scale of one run, in nanoseconds. It means nothing in another run: whoever stores
// a State translates its deadlines.
type Instant int64

// Held is an event that waits for another one, until Deadline at the latest.
type Held struct {
	Key      Key
	ID       bridge.ID
	Deadline Instant
}

// State is all that a lane remembers between two inputs. The zero State is a lane that has seen nothing; the journal
// starts a lane that comes back with a Sequence of its own.
type State struct {
	Last     Key    // of what came out last in order; zero: nothing yet
	Sequence uint64 // of the last emission; 0: none yet
	Held     []Held // sorted by Key, each above Last, none twice, the first not ready to come out
}

// Deadline returns the nearest deadline of what is held, and false when nothing is.
func (s *State) Deadline() (Instant, bool) {
	i := s.nearest()
	if i < 0 {
		return 0, false
	}
	return s.Held[i].Deadline, true
}

// nearest returns the index of the held event whose deadline comes first, of several the one with the smallest key; -1
// when nothing is held.
func (s *State) nearest() int {
	best := -1
	for i := range s.Held {
		if best < 0 || s.Held[i].Deadline < s.Held[best].Deadline {
			best = i
		}
	}
	return best
}

// find returns where k is or would be among the held, and whether it is there.
func (s *State) find(k Key) (int, bool) {
	return slices.BinarySearchFunc(s.Held, k, func(h Held, k Key) int { return h.Key.Compare(k) })
}

// without returns the held events but for the first n. Nothing is moved: the array may be shared with an older State.
func (s *State) without(n int) []Held {
	if n == len(s.Held) {
		return nil
	}
	return s.Held[n:]
}

// with returns a copy of the held events with h at index i. The array may be shared with an older State, so it is never
// inserted into in place.
func (s *State) with(i int, h Held) []Held {
	out := make([]Held, 0, len(s.Held)+1)
	out = append(append(out, s.Held[:i]...), h)
	return append(out, s.Held[i:]...)
}
