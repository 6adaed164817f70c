package partitions

import (
	"context"
	"time"

	"livebridge/bridge"
)

// leastAsking is how long a tick may take at least.
const leastAsking = time.Second

// endInterval is how long an owner that always finds something to read goes without asking where the intake ends, for
// which it has to wait for a tick: holds expire at an end only.
const endInterval = 50 * time.Millisecond

// Read implements bridge.Partition. The end is a tick that is written while it runs, and read.
func (p *partition) Read(ctx context.Context, wait time.Duration) ([]bridge.IntakeRecord, bool, error) {
	if p.broken != nil {
		return nil, false, p.owned.failed(p.number, p.broken)
	}
	r := reading{i: p.intake, begun: time.Now(), wait: wait}
	r.takeBuffered()
	if len(r.records) > 0 && time.Since(p.intake.ended) < endInterval {
		return r.records, false, nil
	}
	r.tick = p.intake.tick()
	return r.run(ctx)
}

// reading is one call of Read.
type reading struct {
	i       *intake
	begun   time.Time
	wait    time.Duration
	tick    uint64 // that tells the end
	records []bridge.IntakeRecord
	bytes   int
}

// run waits for the tick, and for inputs.
func (r *reading) run(ctx context.Context) ([]bridge.IntakeRecord, bool, error) {
	timer := time.NewTimer(r.left())
	defer timer.Stop()
	for {
		ended := r.i.seen >= r.tick
		left := r.left()
		if r.full() || left <= 0 || ended && len(r.records) > 0 {
			records, ended := r.done(ended)
			return records, ended, nil
		}
		timer.Reset(left)
		select {
		case f := <-r.i.fetched:
			r.take(f)
			r.takeBuffered()
		case <-timer.C:
		case <-ctx.Done():
			if len(r.records) > 0 {
				return r.records, false, nil // they would not come again
			}
			return nil, false, ctx.Err()
		}
	}
}

// left is how long to go on waiting. Who has inputs does not wait long for the end.
func (r *reading) left() time.Duration {
	most := r.wait
	switch {
	case len(r.records) > 0:
		most = endInterval
	case r.i.seen < r.tick:
		most = max(most, leastAsking)
	}
	return most - time.Since(r.begun)
}

func (r *reading) done(ended bool) ([]bridge.IntakeRecord, bool) {
	if ended {
		r.i.ended = time.Now()
	}
	return r.records, ended
}

// takeBuffered takes what was read ahead.
func (r *reading) takeBuffered() {
	for !r.full() {
		select {
		case f := <-r.i.fetched:
			r.take(f)
		default:
			return
		}
	}
}

func (r *reading) take(f fetched) {
	r.i.behind = f.behind
	if f.tick > 0 {
		r.i.seen = max(r.i.seen, f.tick)
		return
	}
	r.records = append(r.records, f.record)
	r.bytes += len(f.record.Value)
}

// full reports whether the records are enough for one Read.
func (r *reading) full() bool { return len(r.records) >= readRecords || r.bytes >= readBytes }
