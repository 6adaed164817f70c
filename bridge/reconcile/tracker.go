package reconcile

import (
	"time"

	"livebridge/bridge"
)

// Tracker remembers since when there are differences. The zero Tracker remembers none.
type Tracker struct{ firstSeen map[seen]time.Time }

// seen identifies a difference. A new push of the stream is another one.
type seen struct {
	problem Problem
	stream  Stream
	begun   int64 // Unix milliseconds
}

// Snapshot is both lists of some domains, as they were at about the same time.
type Snapshot struct {
	Now     time.Time
	Domains []string // in lower case; both lists are whole for these
	Open    []Begun  // sessions of the lanes
	Online  []Begun  // streams at the provider
}

// Compare returns the differences that were seen for the grace period, in the order of their streams. None counts
// before, however old its push is: one that ends between both lists, or that the provider lists for a while after its
// end, is online without a session too. What is remembered of other domains stays as it was.
func (t *Tracker) Compare(s Snapshot, grace time.Duration) []Difference {
	listed := make(map[string]bool)
	for _, domain := range s.Domains {
		listed[domain] = true
	}
	next := make(map[seen]time.Time)
	for d, since := range t.firstSeen {
		if !listed[d.stream.Domain] {
			next[d] = since
		}
	}
	var out []Difference
	for _, d := range differences(s, listed) {
		key := seen{d.Problem, d.Stream, d.Begun.UnixMilli()}
		first, known := t.firstSeen[key]
		if !known {
			first = s.Now
		}
		next[key] = first
		if d.Since.IsZero() || d.Since.After(first) {
			d.Since = first
		}
		if s.Now.Sub(first) >= grace {
			out = append(out, d)
		}
	}
	t.firstSeen = next
	sortDifferences(out)
	return out
}

// differences returns all differences of the listed domains. A stream that is online is so since its push began. It is
// not known whether one had a session that is forgotten by now.
func differences(s Snapshot, listed map[string]bool) []Difference {
	open, online := index(s.Open), index(s.Online)
	var out []Difference
	for stream, at := range online {
		forgotten := !at.IsZero() && s.Now.Sub(at) > bridge.OpenSessionKept
		if _, is := open[stream]; !is && listed[stream.Domain] && !forgotten {
			out = append(out, Difference{Missed, stream, at, at})
		}
	}
	for stream, at := range open {
		if _, is := online[stream]; !is && listed[stream.Domain] {
			out = append(out, Difference{Stale, stream, at, time.Time{}})
		}
	}
	return out
}

func index(all []Begun) map[Stream]time.Time {
	m := make(map[Stream]time.Time, len(all))
	for _, b := range all {
		m[b.Stream] = b.At
	}
	return m
}
