package partitions

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/transports/kafka/committed"
)

const (
	readAhead   = 4       // fetches that wait to be read
	readRecords = 10_000  // that a Read returns at most, but for the last fetch
	readBytes   = 8 << 20 // likewise
)

// intake reads a partition of the intake ahead, while its owner commits.
type intake struct {
	p      *Partitions
	number int
	reader committed.Reader
	cancel context.CancelFunc
	work   sync.WaitGroup

	fetched chan fetched
	next    uint64       // of what was read; of the owner's goroutine
	known   atomic.Int64 // the offset behind the last record, when it was last heard of
}

// fetched is the result of a fetch.
type fetched struct {
	records []committed.Record
	next    int64 // offset that follows
	err     error // ends the reading
}

// newIntake begins to read at an offset.
func newIntake(p *Partitions, number int, next uint64) *intake {
	ctx, cancel := context.WithCancel(context.Background())
	i := &intake{p: p, number: number, cancel: cancel, next: next, fetched: make(chan fetched, readAhead),
		reader: committed.Reader{Brokers: p.opts.Brokers, Topic: p.opts.Intake, Partition: number, Next: int64(next)}}
	i.work.Go(func() { i.run(ctx) })
	return i
}

// run fetches until ctx ends or an error that does not pass.
func (i *intake) run(ctx context.Context) {
	defer close(i.fetched)
	for {
		before := i.reader.Next
		var records []committed.Record
		err := persist(ctx, i.p.opts.Brokers, func() (err error) {
			records, err = i.reader.Fetch(ctx, fetchWait)
			return err
		})
		if errors.Is(err, committed.ErrOutOfRange) {
			err = i.skip(ctx)
		}
		i.known.Store(i.reader.End)
		if err == nil && i.reader.Next == before {
			continue
		}
		select {
		case i.fetched <- fetched{records, i.reader.Next, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// skip goes on at the beginning of a log that does not have the offset: its retention has removed inputs that no owner
// has read, or it was recreated or has lost its end. What is then read a second time is a redelivery to the state.
func (i *intake) skip(ctx context.Context) error {
	var first int64
	err := persist(ctx, i.p.opts.Brokers, func() (err error) {
		first, err = committed.Begin(ctx, i.p.opts.Brokers, i.p.opts.Intake, i.number)
		return err
	})
	if err != nil {
		return err
	}
	if i.reader.Next == 0 {
		i.reader.Next = first // there is no state yet: the log is older than it
		return nil
	}
	i.p.opts.Log.Error("inputs are lost from the intake: its retention removed them before they were processed, it was "+
		"recreated, or an out-of-sync replica became leader; processing continues at its beginning",
		zap.String("topic", i.p.opts.Intake), zap.Int("partition", i.number), zap.Int64("wanted", i.reader.Next),
		zap.Int64("begins", first))
	i.reader.Next = first
	return nil
}

// end returns the offset behind the last record, which is asked for now.
func (i *intake) end(ctx context.Context) (end int64, err error) {
	err = persist(ctx, i.p.opts.Brokers, func() (err error) {
		end, err = committed.End(ctx, i.p.opts.Brokers, i.p.opts.Intake, i.number, false)
		return err
	})
	if err == nil {
		i.known.Store(end)
	}
	return end, err
}

// add appends what was fetched.
func (i *intake) add(out []bridge.IntakeRecord, f fetched) []bridge.IntakeRecord {
	for _, r := range f.records {
		out = append(out, bridge.IntakeRecord{
			Position: uint64(r.Offset), Recorded: bridge.Millis(r.Time), Value: r.Value})
	}
	i.next = uint64(f.next)
	return out
}

func (i *intake) close() {
	i.cancel()
	i.work.Wait()
}
