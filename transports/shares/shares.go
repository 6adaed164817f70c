// Package shares says who of several members gets which partitions.
package shares

import "slices"

// Out returns each member's partitions: first what it holds, up to its share, then what is left over. Shares differ by
// one at most. Of two that claim the same partition, as a zombie does, the first keeps it. There is a member at least.
func Out(held [][]int, partitions []int) [][]int {
	s := &sharing{shares: make([][]int, len(held)), free: make(map[int]bool), least: len(partitions) / len(held),
		more: len(partitions) % len(held)}
	for _, n := range partitions {
		s.free[n] = true
	}
	for i, claims := range held {
		for _, n := range claims {
			if s.free[n] && s.room(i) {
				s.give(i, n)
			}
		}
	}
	for _, n := range partitions {
		if s.free[n] {
			s.give(s.neediest(), n)
		}
	}
	for i := range s.shares {
		slices.Sort(s.shares[i])
	}
	return s.shares
}

// sharing is partitions on their way to members.
type sharing struct {
	shares [][]int
	free   map[int]bool
	least  int // partitions of every member
	more   int // members that still get one more
}

// room reports whether a member may get another partition.
func (s *sharing) room(i int) bool {
	return len(s.shares[i]) < s.least || len(s.shares[i]) == s.least && s.more > 0
}

func (s *sharing) give(i, n int) {
	if len(s.shares[i]) == s.least {
		s.more--
	}
	s.shares[i] = append(s.shares[i], n)
	delete(s.free, n)
}

// neediest returns the member with the fewest partitions.
func (s *sharing) neediest() int {
	least := 0
	for i := range s.shares {
		if len(s.shares[i]) < len(s.shares[least]) {
			least = i
		}
	}
	return least
}
