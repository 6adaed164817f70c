package reconcile

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Stream names a stream. Domain is in lower case.
type Stream struct {
	Domain string `json:"domain"`
	App    string `json:"app"`
	Name   string `json:"stream"`
}

// Compare orders streams by domain, app and name.
func (s Stream) Compare(o Stream) int {
	return cmp.Or(strings.Compare(s.Domain, o.Domain), strings.Compare(s.App, o.App), strings.Compare(s.Name, o.Name))
}

// Begun is a stream with the time at which its push began: of an open session its publish_timestamp, of a stream that
// is online the provider's start_time. Zero: not known.
type Begun struct {
	Stream
	At time.Time
}

// Problem is what a difference means.
type Problem string

// The problems.
const (
	Missed Problem = "missed" // online without an open session
	Stale  Problem = "stale"  // an open session whose stream is offline
)

// Difference is one stream that is in one of both lists only.
type Difference struct {
	Problem Problem `json:"problem"`
	Stream
	Begun time.Time `json:"begun,omitzero"` // see Begun.At
	Since time.Time `json:"since"`          // when it was seen first; of a missed push, when that began
}

// sortDifferences puts them in the order of their streams.
func sortDifferences(all []Difference) {
	slices.SortFunc(all, func(a, b Difference) int {
		return cmp.Or(a.Compare(b.Stream), strings.Compare(string(a.Problem), string(b.Problem)))
	})
}
