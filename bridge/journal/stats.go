package journal

import (
	"time"

	"livebridge/bridge"
)

// Inspect implements bridge.JournalAdmin.
func (j *Journal) Inspect() (bridge.JournalStats, error) {
	r, err := j.do(command{op: opInspect})
	if err != nil {
		return bridge.JournalStats{}, err
	}
	i := r.stats
	i.Format, i.MaxBytes, i.FreeBytes = formatVersion, j.opts.MaxBytes, j.capacity.free.Load()
	return i, j.read(func() error {
		i.StoreBytes = j.db.Metrics().DiskSpaceUsage()
		return each(j.db, tableLane, func(_, _ []byte) error { i.Lanes++; return nil })
	})
}

// Backlog returns what waits for the broker.
func (j *Journal) Backlog() bridge.Backlog {
	return bridge.Backlog{Events: j.outbox.Pending(), OldestAge: j.outbox.Age(time.Now()),
		JournalBytes: j.capacity.bytes.Load(), FreeBytes: j.capacity.free.Load()}
}

// count fills in what only the writer knows.
func (c *commit) count(i *bridge.JournalStats) {
	m, q := &c.j.meta, c.j.quarantine
	i.Commit, i.Bytes, i.Identities = m.commit, c.j.bytes(), c.j.dedupe.count()
	i.Outbox, i.Held = m.outbox.plus(c.j.batches.usage).show(), m.held.show()
	i.Quarantine, i.DeadLetters = m.quarantine.show(), m.dead.show()
	i.LanesHeld = len(c.j.holds.lanes)
	i.Reasons = make(map[string]int)
	for reason, entries := range q.reasons {
		if len(entries) > 0 {
			i.Reasons[string(reason)] = len(entries)
		}
	}
}

func (t usage) show() bridge.Usage { return bridge.Usage{Entries: t.entries, Bytes: t.bytes} }
