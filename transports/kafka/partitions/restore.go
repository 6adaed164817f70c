package partitions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/transports/kafka/committed"
)

// restore reads the state of a partition. The state's own count is the offset of the last record of the position that
// was handed over: reading from there meets it again, so that the position in the intake is always found.
type restore struct {
	p      *Partitions
	number int
	put    func([]bridge.Row, uint64) error
	reader committed.Reader

	progress *progress
	position position
	found    bool   // position is one that was read
	next     uint64 // in the state's own count
}

func (p *Partitions) restore(number int, put func([]bridge.Row, uint64) error) *restore {
	return &restore{p: p, number: number, put: put, reader: committed.Reader{
		Brokers: p.opts.Brokers, Topic: p.opts.State, Partition: number, Committed: true},
		progress: new(progress)}
}

// run reads up to what is committed now.
func (r *restore) run(ctx context.Context, from uint64) error {
	var end int64
	err := persist(ctx, r.p.opts.Brokers, func() (err error) {
		end, err = committed.End(ctx, r.p.opts.Brokers, r.p.opts.State, r.number, true)
		return err
	})
	if err == nil {
		err = r.begin(ctx, from, end)
	}
	r.progress.begin(r.reader.Next, end)
	if err == nil {
		err = r.readTo(ctx, end)
	}
	if errors.Is(err, committed.ErrOutOfRange) {
		return fmt.Errorf("the state topic %s lost records while it was read: %w", r.p.opts.State, err)
	}
	return err
}

// restoreAhead is how many fetches may wait to be taken: fetching goes on meanwhile.
const restoreAhead = 2

// readTo hands over what lies before the end.
func (r *restore) readTo(ctx context.Context, end int64) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ahead := make(chan fetched, restoreAhead)
	go r.fetchTo(ctx, end, ahead)
	for f := range ahead {
		if err == nil {
			err = f.err
		}
		if err == nil {
			err = r.take(f.records)
			r.progress.next.Store(f.next)
		}
		if err != nil {
			cancel()
		}
	}
	return err
}

// fetchTo fetches what lies before the end, until an error, and closes the channel.
func (r *restore) fetchTo(ctx context.Context, end int64, ahead chan<- fetched) {
	defer close(ahead)
	for r.reader.Next < end {
		var f fetched
		f.err = persist(ctx, r.p.opts.Brokers, func() (err error) {
			f.records, err = r.reader.Fetch(ctx, fetchWait)
			return err
		})
		f.next = r.reader.Next
		ahead <- f
		if f.err != nil {
			return
		}
	}
}

// begin sets where reading begins.
func (r *restore) begin(ctx context.Context, from uint64, end int64) error {
	b, topic := r.p.opts.Brokers, r.p.opts.State
	var first, kept int64
	err := persist(ctx, b, func() (err error) {
		first, err = committed.Begin(ctx, b, topic, r.number)
		return err
	})
	if err != nil || from == 0 {
		r.reader.Next = first
		return err
	}
	r.reader.Next, r.next = int64(from), from
	if int64(from) >= end {
		r.warnLost(end)
	}
	if int64(from) >= end || int64(from) < first {
		return bridge.ErrStateGone
	}
	err = persist(ctx, b, func() (err error) {
		kept, err = committed.Since(ctx, b, topic, r.number, time.Now().Add(-r.p.opts.Tombstones()/2))
		return err
	})
	// What was removed behind it may have been forgotten, unless everything there is younger than that takes, or the
	// record of the position is still the last of all.
	if err == nil && (kept < 0 || kept > int64(from)) && !r.last(ctx, end) {
		return bridge.ErrStateGone
	}
	return err
}

// warnLost logs that the topic ends before what was read of it, or committed to it, earlier.
func (r *restore) warnLost(end int64) {
	r.p.opts.Log.Error("the state topic lacks commits that the broker had acknowledged: what they have published is "+
		"decided and published again; the topic was recreated or has lost its end, or the broker did not end a transaction "+
		"in all of its partitions", zap.String("topic", r.p.opts.State), zap.Int("partition", r.number),
		zap.Int64("wanted", r.reader.Next), zap.Int64("ends", end))
}

// last reports whether nothing was committed behind the record of the position at which reading begins.
func (r *restore) last(ctx context.Context, end int64) bool {
	probe := r.reader
	for probe.Next < end {
		records, err := probe.Fetch(ctx, fetchWait)
		if err != nil || len(records) > 1 || len(records) == 1 && records[0].Offset != r.reader.Next {
			return false
		}
	}
	return true
}

// take hands the rows of a fetch over.
func (r *restore) take(records []committed.Record) error {
	rows, before := make([]bridge.Row, 0, len(records)), r.next
	for _, record := range records {
		if len(record.Key) > 0 {
			rows = append(rows, bridge.Row{Key: record.Key, Value: record.Value})
			continue
		}
		p, err := decodePosition(record.Value)
		if err != nil {
			return err
		}
		if p.partitions != r.p.opts.Count {
			return fmt.Errorf("its position was written when %s had %d partitions, and now it has %d: streams have moved to "+
				"other partitions; use new topics with so many partitions, and the old ones until they are empty",
				r.p.opts.Intake, p.partitions, r.p.opts.Count)
		}
		r.position, r.found, r.next = p, true, uint64(record.Offset)
	}
	if len(rows) == 0 && r.next == before {
		return nil
	}
	return r.put(rows, r.next)
}
