package partitions

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/bridge"
)

// Pauses of what is tried again.
const (
	firstPause = 2 * time.Millisecond
	lastPause  = 250 * time.Millisecond
)

// pause waits, unless ctx ends, and returns how long to wait the next time.
func pause(ctx context.Context, d time.Duration) time.Duration {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	return min(2*d, lastPause)
}

// fence makes this process the owner: it writes the cursor with a higher epoch, so that no commit that expects the one
// before succeeds any more.
func (p *Partitions) fence(ctx context.Context, number int) (*partition, error) {
	mine := cursor{owner: rand.Uint64()}
	for wait := firstPause; ; wait = pause(ctx, wait) {
		last, sequence, err := p.lastCursor(ctx, number)
		if err != nil {
			return nil, err
		}
		if last.owner == mine.owner && last.epoch == mine.epoch { // its acknowledgement was lost
			return newPartition(p, number, mine, sequence), nil
		}
		epoch, owner := last.epoch+1, mine.owner
		mine = last
		mine.epoch, mine.owner, mine.partitions = epoch, owner, uint64(p.opts.Count)
		written, err := p.writeCursor(ctx, number, &mine, sequence)
		if err == nil {
			return newPartition(p, number, mine, written), nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("take the partition over: %w; the last answer: %w", ctx.Err(), err)
		}
	}
}

// writeCursor writes a cursor where the one before has the sequence.
func (p *Partitions) writeCursor(ctx context.Context, number int, c *cursor, expected uint64) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, p.opts.AckTimeout)
	defer cancel()
	conn, _ := p.opts.Connection()
	return request(ctx, conn, p.cursorMessage(number, c, expected))
}

// lastCursor returns the cursor and its sequence, which are zero where there is none. It asks until there is an answer
// or ctx ends. What it returns may be older than what was committed last.
func (p *Partitions) lastCursor(ctx context.Context, number int) (c cursor, sequence uint64, err error) {
	for wait := firstPause; ; wait = pause(ctx, wait) {
		c, sequence, err = p.getCursor(ctx, number)
		var fatal *fatalError
		if err == nil || errors.As(err, &fatal) {
			return c, sequence, err
		}
		if ctx.Err() != nil {
			return c, 0, fmt.Errorf("read the cursor: %w; the last answer: %w", ctx.Err(), err)
		}
	}
}

// fatalError is one that asking again does not help.
type fatalError struct{ error }

// Unwrap returns the cause.
func (f *fatalError) Unwrap() error { return f.error }

func (p *Partitions) getCursor(ctx context.Context, number int) (c cursor, sequence uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.opts.AckTimeout)
	defer cancel()
	_, js := p.opts.Connection()
	stream, err := js.Stream(ctx, p.opts.State)
	if err != nil {
		return c, 0, err
	}
	m, err := stream.GetLastMsgForSubject(ctx, p.subject(number, cursorSubject))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return c, 0, nil
	}
	if err != nil {
		return c, 0, err
	}
	c, err = p.decodeCursor(m.Data)
	return c, m.Sequence, err
}

// decodeCursor decodes a cursor of this intake.
func (p *Partitions) decodeCursor(value []byte) (cursor, error) {
	c, err := decodeCursor(value)
	if err != nil {
		return c, &fatalError{err}
	}
	if c.partitions != uint64(p.opts.Count) {
		return c, &fatalError{fmt.Errorf("its cursor was written when %s had %d partitions, and now it has %d: streams have "+
			"moved to other partitions; use new streams with so many partitions, and the old ones until they are empty",
			p.opts.Intake, c.partitions, p.opts.Count)}
	}
	return c, nil
}

// cursorSubject ends the subject of a partition's cursor.
const cursorSubject = "s.c"

func (p *Partitions) cursorMessage(number int, c *cursor, expected uint64) *nats.Msg {
	m := nats.NewMsg(p.subject(number, cursorSubject))
	m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, fmt.Sprint(expected))
	m.Data = c.encode()
	return m
}

// fencedBy reports whether the partition is another owner's, as far as the cursor says.
func (p *partition) fencedBy(ctx context.Context) (bool, error) {
	last, _, err := p.owned.lastCursor(ctx, p.number)
	return last.owner != p.cursor.owner || last.epoch != p.cursor.epoch, err
}

// outcome is the error of a commit that was answered: another owner's, or one that says nothing of it.
func (p *partition) outcome(ctx context.Context, err error) error {
	if !isCode(err, codeWrongSequence) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.owned.opts.AckTimeout)
	defer cancel()
	fenced, asked := p.fencedBy(ctx)
	if asked == nil && fenced {
		p.owned.opts.Fenced(p.number)
		return fmt.Errorf("%w: %w", bridge.ErrFenced, err)
	}
	return errors.Join(err, asked)
}
