package committed

import (
	"cmp"
	"slices"
)

// filter tells the batches of one response that were committed from those of aborted transactions.
type filter struct {
	aborted []abortedTransaction // that begin behind what was looked at, by first offset
	open    map[int64]bool       // producers whose records are of an aborted transaction here
}

// newFilter returns the filter of a response. Brokers list aborted transactions by their last offset.
func newFilter(aborted []abortedTransaction) *filter {
	slices.SortFunc(aborted, func(a, b abortedTransaction) int { return cmp.Compare(a.first, b.first) })
	return &filter{aborted: aborted, open: make(map[int64]bool)}
}

// visible reports whether a batch has committed records. It must see every batch, in the order of the log. Compaction
// may have left a transaction's marker alone, so that control batches begin transactions, too.
func (f *filter) visible(b *batch) bool {
	for len(f.aborted) > 0 && f.aborted[0].first <= b.last {
		f.open[f.aborted[0].producer] = true
		f.aborted = f.aborted[1:]
	}
	switch {
	case b.control():
		if b.aborts() {
			delete(f.open, b.producer)
		}
		return false
	case b.transactional():
		return !f.open[b.producer]
	}
	return true
}
