package partitions

import (
	"context"
	"time"

	"livebridge/bridge"
)

// leastAsking is how long the question for the end may take at least.
const leastAsking = time.Second

// endInterval is how long an owner that always finds something to read goes without asking where the intake ends, for
// which it may have to wait for another fetch: holds expire at an end only.
const endInterval = 50 * time.Millisecond

// Read implements bridge.Partition. The end is asked for while it runs: what a fetch says that was on its way before
// may be older than the call.
func (p *partition) Read(ctx context.Context, wait time.Duration) ([]bridge.IntakeRecord, bool, error) {
	if p.broken != nil {
		return nil, false, p.owned.failed(p.number, p.broken)
	}
	begun := time.Now()
	records, err := p.buffered(nil)
	if err != nil || len(records) > 0 && time.Since(p.ended) < endInterval {
		return records, false, err
	}
	end, known, err := p.askEnd(ctx, wait)
	if len(records) > 0 && ctx.Err() != nil {
		return records, false, nil // they would not come again
	}
	if err != nil {
		return nil, false, err
	}
	if len(records) > 0 { // what is missing up to the end comes with the next fetch, or too late
		wait = min(wait, endInterval)
	}
	waiting, cancel := context.WithDeadline(ctx, begun.Add(wait))
	defer cancel()
	for {
		if records, err = p.buffered(records); err != nil {
			return nil, false, err
		}
		reached := known && p.intake.next >= uint64(end)
		if len(records) > 0 && (reached || full(records)) || waiting.Err() != nil {
			return p.at(ctx, records, reached)
		}
		select {
		case f, more := <-p.intake.fetched:
			if records, err = p.take(records, f, more); err != nil {
				return nil, false, err
			}
		case <-waiting.Done():
		}
	}
}

// askEnd asks where the intake ends. It is not known if the broker does not say in time.
func (p *partition) askEnd(ctx context.Context, wait time.Duration) (end int64, known bool, err error) {
	asking, cancel := context.WithTimeout(ctx, max(wait, leastAsking))
	defer cancel()
	end, err = p.intake.end(asking)
	switch {
	case err == nil:
		return end, true, nil
	case ctx.Err() == nil && asking.Err() != nil:
		return 0, false, nil
	}
	return 0, false, p.readError(ctx, err)
}

// at returns the records, and notes that the end was reached.
func (p *partition) at(ctx context.Context, records []bridge.IntakeRecord, end bool) (
	[]bridge.IntakeRecord, bool, error) {
	if ctx.Err() != nil && len(records) == 0 {
		return nil, false, ctx.Err()
	}
	if end {
		p.ended = time.Now()
	}
	return records, end, nil
}

// buffered appends what was fetched already.
func (p *partition) buffered(records []bridge.IntakeRecord) ([]bridge.IntakeRecord, error) {
	for !full(records) {
		select {
		case f, more := <-p.intake.fetched:
			var err error
			if records, err = p.take(records, f, more); err != nil {
				return nil, err
			}
		default:
			return records, nil
		}
	}
	return records, nil
}

// take appends a fetch.
func (p *partition) take(records []bridge.IntakeRecord, f fetched, more bool) ([]bridge.IntakeRecord, error) {
	switch {
	case !more:
		p.broken = errClosed
	case f.err != nil:
		p.broken = f.err
	default:
		return p.intake.add(records, f), nil
	}
	return nil, p.owned.failed(p.number, p.broken)
}

// full reports whether the records are enough for one Read.
func full(records []bridge.IntakeRecord) bool {
	if len(records) >= readRecords {
		return true
	}
	total := 0
	for _, r := range records {
		total += len(r.Value)
	}
	return total >= readBytes
}

// readError returns the error of a question for the end.
func (p *partition) readError(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		p.broken = err
	}
	return p.owned.failed(p.number, err)
}
