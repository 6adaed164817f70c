package journal

import (
	"math"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// List implements bridge.ReviewQueues. It reads beside the writer; what a commit on its way to the disk puts on a
// review queue may be shown.
func (j *Journal) List(s bridge.ReviewQueue, q bridge.Query) ([]bridge.Entry, error) {
	if q.After == math.MaxUint64 { // there is none behind it, and no next number to begin with
		return nil, nil
	}
	var entries []bridge.Entry
	err := j.read(func() error {
		return j.store.Entries(s, q.After, func(kept processor.Entry) bool {
			if e := kept.Describe(s, q.Raw); q.Matches(&e) {
				entries = append(entries, e)
			}
			return len(entries) < q.Size()
		})
	})
	return entries, err
}

// Release implements bridge.ReviewQueues.
func (j *Journal) Release(s bridge.ReviewQueue, numbers []uint64) ([]bridge.Outcome, error) {
	r, err := j.do(command{op: opRelease, queue: s, numbers: numbers})
	return r.outcomes, err
}

// Purge implements bridge.ReviewQueues.
func (j *Journal) Purge(s bridge.ReviewQueue, numbers []uint64) ([]bridge.Outcome, error) {
	r, err := j.do(command{op: opPurge, queue: s, numbers: numbers})
	return r.outcomes, err
}
