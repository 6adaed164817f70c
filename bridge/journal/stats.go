package journal

import (
	"time"

	"livebridge/bridge"
	"livebridge/bridge/store"
)

// Inspect implements bridge.JournalAdmin.
func (j *Journal) Inspect() (bridge.JournalStats, error) {
	r, err := j.do(command{op: opInspect})
	if err != nil {
		return bridge.JournalStats{}, err
	}
	i := r.stats
	i.Format, i.MaxBytes, i.FreeBytes = store.Format, j.opts.MaxBytes, j.capacity.free.Load()
	return i, j.read(func() (err error) {
		i.StoreBytes = j.store.DiskBytes()
		i.Lanes, err = j.store.Lanes()
		return err
	})
}

// Backlog returns what waits for the broker.
func (j *Journal) Backlog() bridge.Backlog {
	return bridge.Backlog{Events: j.outbox.Pending(), OldestAge: j.outbox.Age(time.Now()),
		JournalBytes: j.capacity.bytes.Load(), FreeBytes: j.capacity.free.Load()}
}

// count fills in what only the writer knows.
func (j *Journal) count(i *bridge.JournalStats) {
	j.processor.Count(i)
	i.Commit, i.Bytes, i.Outbox = j.store.Committed(), j.bytes(), bridge.Usage(j.store.Outbox())
	i.History = j.historyStats()
}
