package processor

import "livebridge/bridge"

// bucketParts is how many parts the dedupe window, and its limit in identities, are cut into. An identity is remembered
// for the window and up to one part longer.
const bucketParts = 6

// knows reports whether an identity has entered a lane; the quarantine knows its own.
func (p *Processor) knows(id bridge.ID) (bool, error) {
	if _, found := p.pending.ids[id]; found {
		return true, nil
	}
	for i := len(p.counters.Buckets) - 1; i >= 0; i-- {
		_, found, err := p.view.Name(Name{Part: p.counters.Buckets[i].Number, Sum: id})
		if found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// know puts an identity into the newest bucket.
func (p *Processor) know(id bridge.ID, now bridge.Millis, eff *Effects) {
	b := p.newestBucket(now)
	b.Count++
	b.Last = max(b.Last, now)
	p.pending.ids[id] = struct{}{}
	eff.Identities = append(eff.Identities, Name{Part: b.Number, Sum: id})
}

// newestBucket returns the bucket that identities go into now, a new one when the last has had its time or its share.
func (p *Processor) newestBucket(now bridge.Millis) *Bucket {
	buckets := p.counters.Buckets
	n := len(buckets)
	if n > 0 {
		b := &buckets[n-1]
		if now-b.First < p.window()/bucketParts && b.Count < max(1, p.opts.DedupeMax/bucketParts) {
			return b
		}
	}
	number := uint64(1)
	if n > 0 {
		number = buckets[n-1].Number + 1
	}
	p.counters.Buckets = append(buckets, Bucket{Number: number, First: now, Last: now})
	return &p.counters.Buckets[n]
}

// forgetIdentities forgets the buckets whose time is over, and the oldest ones while there are too many identities.
func (p *Processor) forgetIdentities(now bridge.Millis, eff *Effects) {
	for c := &p.counters; len(c.Buckets) > 0; {
		oldest := c.Buckets[0]
		expired := now-oldest.Last > p.window()
		if !expired && (c.Identities() <= p.opts.DedupeMax || len(c.Buckets) == 1) {
			return
		}
		if !expired {
			eff.IdentitiesEvicted += oldest.Count
		}
		eff.IdentitiesBelow = oldest.Number + 1
		c.Buckets = append([]Bucket(nil), c.Buckets[1:]...)
	}
}

func (p *Processor) window() bridge.Millis { return bridge.Millis(p.opts.DedupeWindow.Milliseconds()) }
