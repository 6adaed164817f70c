package journal

import (
	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/store"
)

// publishedClock returns the clock for published events that are kept; nil: none are.
func (j *Journal) publishedClock() func() bridge.Millis {
	if j.opts.Keep == 0 {
		return nil
	}
	return j.clock.millis
}

// History implements bridge.Historian. It reads beside the writer; what a commit on its way to the disk keeps may be
// shown.
func (j *Journal) History(q bridge.HistoryQuery) (p bridge.HistoryPage, err error) {
	p.Events = []bridge.Fate{}
	err = j.read(func() error {
		found, cursor, err := j.store.HistoryPage(q)
		for i := range found {
			p.Events = append(p.Events, publishedFate(&found[i], q.Content))
		}
		p.Cursor = cursor
		return err
	})
	return p, err
}

// Unpublished implements bridge.Historian.
func (j *Journal) Unpublished(q bridge.HistoryQuery) (p bridge.HistoryPage, err error) {
	p.Events = []bridge.Fate{}
	err = j.read(func() error {
		found, cursor, err := j.store.UnpublishedPage(q)
		if err != nil {
			return err
		}
		settled, err := j.settled(found)
		for i, u := range found {
			if f, shown := unpublishedFate(u, settled[i], q.Content); shown {
				p.Events = append(p.Events, f)
			}
		}
		p.Cursor = cursor
		return err
	})
	return p, err
}

// settlement is what has become of an event that lies in the outbox.
type settlement byte

const (
	unsettled  settlement = iota // it waits
	published                    // the broker has acknowledged it, and it leaves with the next trim
	deadLetter                   // it is a dead letter, likewise
)

// settled returns what has become of events that lie in the outbox. Those that are settled leave it with the next trim.
func (j *Journal) settled(found []store.Unpublished) ([]settlement, error) {
	type place struct {
		lane     bridge.Lane
		sequence uint64
	}
	all, rejected := make([]settlement, len(found)), make(map[place]bool)
	left := 0
	for i, u := range found {
		if u.Held || j.mode != online {
			continue
		}
		d, err := j.outbox.Delivery(u.Event.Lane, u.Event.Sequence)
		if err != nil {
			return all, err
		}
		if d.State != bridge.DeliveryWaiting {
			all[i], left = published, left+1
		}
	}
	if left == 0 {
		return all, nil
	}
	err := j.store.Entries(bridge.DeadLetterQueue, 0, func(e processor.Entry) bool {
		rejected[place{e.Event.Lane, e.Event.Sequence}] = true
		return true
	})
	for i, u := range found {
		if all[i] == published && rejected[place{u.Event.Lane, u.Event.Sequence}] {
			all[i] = deadLetter
		}
	}
	return all, err
}

// unpublishedFate is what an operator sees of an event that is held or in the outbox; false: it is a dead letter, which
// is shown as that.
func unpublishedFate(u store.Unpublished, s settlement, content bool) (bridge.Fate, bool) {
	f := fateOf(u.Event, content)
	switch {
	case s == deadLetter:
		return f, false
	case s == published:
		f.State = bridge.StatePublished
	case u.Held:
		f.State, f.Sequence, f.Marks = bridge.StateHeld, 0, nil
	default:
		f.State = bridge.StateWaiting
	}
	return f, true
}

// publishedFate is what an operator sees of an entry of the history.
func publishedFate(e *store.HistoryEntry, content bool) bridge.Fate {
	f := fateOf(e.Event, content)
	f.State, f.Published = bridge.StatePublished, e.At.String()
	if !e.Where.IsZero() {
		f.Position = &e.Where
	}
	return f
}

// fateOf is what is known of an event wherever it is.
func fateOf(e *bridge.Event, content bool) bridge.Fate {
	f := bridge.Fate{
		ID: string(e.AppendID(nil)), Kind: e.Lane.Kind.String(), Lane: e.Lane.Subject(), Type: e.Type, Session: e.Session,
		Received: e.Recorded.String(), Sequence: e.Sequence, Marks: e.Marks.List(), Reason: string(e.Reason),
	}
	if e.Quarantined() {
		f.Lane = e.Subject // that of the callback
	}
	if content {
		f.Event = e.AppendStructured(nil)
	}
	return f
}

// limitHistory drops what is too old or too much, and as many bytes as the disk needs.
func (j *Journal) limitHistory(c *commit, need uint64) error {
	dropped, err := c.batch.DropHistory(c.now.Millis(), need)
	j.metrics.dropped(dropped)
	return err
}

// givesFor is how many looks of the writer after a drop the disk may take to give the room back, and to be measured.
const givesFor = 3

// yieldHistory makes room on a disk that is nearly full. The room is given back from the next look on: what a commit
// has deleted is not in the store yet.
func (j *Journal) yieldHistory(c *commit) error {
	kept, _ := j.store.History()
	wanted, r := j.capacity.wanted(), j.capacity
	j.store.PauseHistory(wanted > 0)
	if r.giving > 0 && !j.store.Reclaiming() {
		r.giving--
	}
	if wanted > 0 && kept.Entries > 0 && !j.store.Reclaiming() {
		if err := j.limitHistory(c, wanted); err != nil {
			return err
		}
		r.giving = givesFor
	}
	r.yields.Store(kept.Entries > 0 || r.giving > 0)
	return nil
}

// historyStats returns what is kept; nil: nothing is, nor is to be.
func (j *Journal) historyStats() *bridge.HistoryStats {
	kept, oldest := j.store.History()
	if j.opts.Keep == 0 && kept.Entries == 0 {
		return nil
	}
	s := &bridge.HistoryStats{Usage: bridge.Usage(kept), MaxBytes: j.opts.KeepBytes}
	if j.opts.Keep > 0 {
		s.Keep = j.opts.Keep.String()
	}
	if oldest != 0 {
		s.Oldest = oldest.String()
	}
	return s
}
