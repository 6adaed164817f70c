package journal

import (
	"livebridge/bridge/processor"
)

// Memory calls f with what the journal, of a service that does not run, remembers, one thing at a time: see
// store.Store.Memory.
func (j *Journal) Memory(f func(*processor.Memory) error) error {
	return j.read(func() error { return j.store.Isolate(func() error { return j.store.Memory(f) }) })
}

// Remember has the journal, of a service that does not run, remember what partitions have remembered, and returns when
// it is on disk. The journal must be open with ReadWrite.
func (j *Journal) Remember(m *processor.Memory) error {
	j.store.LoadFilters()
	_, err := j.do(command{op: opRemember, memory: m})
	return err
}
