package lease

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"livebridge/transports/shares"
)

// The keys of the bucket: one for each replica, with its ID as holder too, and one for each partition.
const (
	replicaKeys   = "replicas."
	partitionKeys = "partitions."
)

func partitionKey(n int) string { return partitionKeys + strconv.Itoa(n) }

// partitionOf returns the partition of a key.
func partitionOf(key string) (n int, is bool) {
	text, is := strings.CutPrefix(key, partitionKeys)
	if !is {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0
}

// sighting is what is known of a key.
type sighting struct {
	holder   string // empty: nobody
	revision uint64
	at       time.Time // when it was last told to be written
	over     bool      // it was not written for the time of a lease, or is nobody's
}

// view is what a replica knows of the bucket.
type view struct {
	opts       *Options
	replicas   map[string]sighting // by ID
	partitions []sighting
	complete   bool // what was there when the watch began is known
}

func newView(o *Options) *view {
	return &view{opts: o, replicas: make(map[string]sighting), partitions: make([]sighting, o.Partitions)}
}

// see takes an entry, and reports whether another holder stands there than before. One that is older than what is known
// changes nothing.
func (v *view) see(e Entry, now time.Time) (changed bool) {
	if e.Key == "" {
		changed, v.complete = !v.complete, true
		return changed
	}
	s := sighting{e.Holder, e.Revision, now.Add(-min(e.Age, v.opts.trusted())), e.Holder == ""}
	if id, is := strings.CutPrefix(e.Key, replicaKeys); is {
		known, found := v.replicas[id]
		if e.Revision > known.revision {
			v.replicas[id] = s
			return !found || known.over != s.over
		}
	}
	if n, is := partitionOf(e.Key); is && n < len(v.partitions) {
		if known := v.partitions[n]; e.Revision > known.revision {
			v.partitions[n] = s
			return known.holder != s.holder
		}
	}
	return false
}

// revision returns that of a key, 0: there is none.
func (v *view) revision(key string) uint64 {
	if id, is := strings.CutPrefix(key, replicaKeys); is {
		return v.replicas[id].revision
	}
	if n, is := partitionOf(key); is && n < len(v.partitions) {
		return v.partitions[n].revision
	}
	return 0
}

// update changes all sightings that are of somebody.
func (v *view) update(f func(*sighting)) {
	for id, s := range v.replicas {
		if !s.over {
			f(&s)
			v.replicas[id] = s
		}
	}
	for n := range v.partitions {
		if s := &v.partitions[n]; s.revision > 0 && !s.over {
			f(s)
		}
	}
}

// expire ends the leases that were not renewed in time.
func (v *view) expire(now time.Time) {
	v.update(func(s *sighting) { s.over = now.Sub(s.at) >= v.opts.Time })
}

// forgive counts the time of every lease from now on: nobody could renew one, or we could not see it.
func (v *view) forgive(now time.Time) { v.update(func(s *sighting) { s.at = now }) }

// share returns the partitions that should be those of a replica, which is among the living.
func (v *view) share(id string) []int {
	living := []string{id}
	for other, s := range v.replicas {
		if other != id && !s.over {
			living = append(living, other)
		}
	}
	slices.Sort(living)
	held, all := make([][]int, len(living)), make([]int, len(v.partitions))
	for n, s := range v.partitions {
		all[n] = n
		if i, is := slices.BinarySearch(living, s.holder); is && !s.over {
			held[i] = append(held[i], n)
		}
	}
	return shares.Out(held, all)[slices.Index(living, id)]
}

// nextEnd returns when the next lease ends unless it is renewed; zero: there is none.
func (v *view) nextEnd() (end time.Time) {
	v.update(func(s *sighting) {
		if at := s.at.Add(v.opts.Time); end.IsZero() || at.Before(end) {
			end = at
		}
	})
	return end
}
