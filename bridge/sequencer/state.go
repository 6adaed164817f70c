package sequencer

import (
	"slices"

	"livebridge/bridge"
)

// Instant is a point on the monotonic clock of one run, in nanoseconds. It has no meaning in another run: deadlines
// must be translated to store a State.
type Instant int64

// Held is an event that waits for another one, at most until Deadline.
type Held struct {
	Key      Key
	ID       bridge.ID
	Deadline Instant
}

// State is all that a lane remembers between two inputs. The zero State is a new lane; package processor begins one
// that it has forgotten with a Sequence of its own.
type State struct {
	Last     Key    // of the last event emitted in order; zero: none yet
	Sequence uint64 // of the last emission; 0: none yet
	Held     []Held // sorted by unique Keys above Last; the first is not ready
}

// Nearest returns the index of the held event with the nearest deadline, of several the one with the smallest key; -1
// if there are none.
func (s *State) Nearest() int {
	best := -1
	for i := range s.Held {
		if best < 0 || s.Held[i].Deadline < s.Held[best].Deadline {
			best = i
		}
	}
	return best
}

// find returns the index at which k is held or would be inserted, and whether it is held.
func (s *State) find(k Key) (int, bool) {
	return slices.BinarySearchFunc(s.Held, k, func(h Held, k Key) int { return h.Key.Compare(k) })
}

// without returns the held events except the first n. It moves none: the array may be shared with an older State.
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
