package partitions

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"livebridge/bridge"
)

// restore reads what was committed up to the fence, and hands over the rows behind the position from.
func (p *partition) restore(ctx context.Context, from uint64, put func([]bridge.Row, uint64) error) error {
	if from > p.sequence || from > 0 && from < p.cursor.forgotten {
		return bridge.ErrStateGone
	}
	if err := p.finishLarge(ctx); err != nil {
		return err
	}
	if from > 0 {
		if err := p.readSlots(ctx); err != nil {
			return err
		}
	}
	r := p.owned.reader(p.number, from, put)
	defer r.log.close()
	if from == 0 {
		r.slots, r.progress = p.slots, &p.owned.progress[p.number]
	}
	return r.readOwned(ctx, p.sequence)
}

// finishLarge carries out what the owner before has written down.
func (p *partition) finishLarge(ctx context.Context) error {
	if p.cursor.pieces == 0 {
		return nil
	}
	r := p.owned.reader(p.number, 0, func([]bridge.Row, uint64) error { return nil })
	defer r.log.close()
	r.pieces = make(map[int][]byte)
	if err := r.readOwned(ctx, p.sequence); err != nil {
		return err
	}
	var text []byte
	for i := range int(p.cursor.pieces) {
		text = append(text, r.pieces[i]...)
	}
	messages, err := readMessages(text)
	if err == nil {
		err = p.carryOut(ctx, messages)
	}
	return err
}

// readSlots learns where rows lie, without reading them.
func (p *partition) readSlots(ctx context.Context) error {
	r := p.owned.reader(p.number, 0, func([]bridge.Row, uint64) error { return nil })
	defer r.log.close()
	r.log.headersOnly, r.slots, r.progress = true, p.slots, &p.owned.progress[p.number]
	return r.readOwned(ctx, p.sequence)
}

// How many rows are handed over at once.
const (
	putRows  = 5000
	putBytes = 4 << 20
)

// reader reads the state of a partition.
type reader struct {
	p      *Partitions
	number int
	log    follower
	from   uint64
	put    func([]bridge.Row, uint64) error
	prefix string         // of subjects
	slots  *slots         // learns where rows lie; nil: nobody asks
	pieces map[int][]byte // of a commit that was written down; nil: nobody asks

	progress *progress // that is told; never nil

	rows  []bridge.Row
	bytes int
	next  uint64 // position behind the rows

	partial bridge.Row // a row of which the first parts were read
	parts   int        // that were
}

func (p *Partitions) reader(number int, from uint64, put func([]bridge.Row, uint64) error) *reader {
	return &reader{p: p, number: number, from: from, put: put, prefix: p.subject(number, ""), progress: new(progress),
		log: follower{connection: p.opts.Connection, stream: p.opts.State, next: from + 1, subject: p.subject(number, "s.>")}}
}

// readOwned reads to the cursor of this sequence, which is the last unless somebody has taken the partition since.
func (r *reader) readOwned(ctx context.Context, end uint64) error {
	for {
		m, err := r.log.read(ctx)
		if err != nil {
			return err
		}
		r.progress.read(&m)
		isCursor, err := r.take(&m)
		switch {
		case err != nil:
			return err
		case m.sequence > end:
			return bridge.ErrFenced
		case isCursor && m.sequence == end:
			r.next = end
			return r.flush()
		}
	}
}

// readCommitted reads to a cursor behind which nothing was committed when it was sent, this one or a later one: rows
// that have changed since reading began lie behind it.
func (r *reader) readCommitted(ctx context.Context, least uint64) error {
	for {
		m, err := r.log.read(ctx)
		if err != nil {
			return err
		}
		isCursor, err := r.take(&m)
		if err != nil {
			return err
		}
		if isCursor && m.sequence >= least && m.left == 0 {
			at, err := r.p.decodeCursor(m.Data())
			if err == nil && r.from > 0 && r.from < at.forgotten {
				err = bridge.ErrStateGone
			}
			if err != nil {
				return err
			}
			r.next = m.sequence
			return r.flush()
		}
	}
}

// take takes a message, and reports whether it is the cursor.
func (r *reader) take(m *message) (isCursor bool, err error) {
	rest := strings.TrimPrefix(m.Subject(), r.prefix)
	if number, is := strings.CutPrefix(rest, pieceSubject); is {
		return false, r.takePiece(number, m)
	}
	if slot, is := strings.CutPrefix(rest, rowSubject); is {
		return false, r.takeSlot(slot, m)
	}
	if rest != cursorSubject {
		return false, fmt.Errorf("stream %s has a message under %s, which livebridge has not written", r.log.stream,
			m.Subject())
	}
	return true, nil
}

func (r *reader) takePiece(number string, m *message) error {
	i, err := strconv.Atoi(number)
	if err == nil && r.pieces != nil {
		r.pieces[i] = m.Data()
	}
	return err
}

func (r *reader) takeSlot(slot string, m *message) error {
	if r.pieces != nil {
		return nil
	}
	c, err := readSlot(slot, m.Headers())
	if err != nil {
		return fmt.Errorf("message %d of stream %s: %w", m.sequence, r.log.stream, err)
	}
	if r.slots != nil {
		r.slots.found(c.slot, m.sequence, c.key, c.part)
	}
	if r.log.headersOnly {
		return nil
	}
	return r.takeRow(&c, m)
}

// takeRow takes a row, or a part of one. The parts of a row follow one another, unless the row has changed while it was
// read: then it comes once more.
func (r *reader) takeRow(c *slotContent, m *message) error {
	switch {
	case c.removed != "":
		r.add(bridge.Row{Key: []byte(c.removed)})
	case c.key == "":
		return nil
	case c.parts == 1:
		r.add(bridge.Row{Key: []byte(c.key), Value: append([]byte{}, m.Data()...)})
	case c.part == 0:
		r.partial, r.parts = bridge.Row{Key: []byte(c.key), Value: append([]byte{}, m.Data()...)}, 1
		return nil
	case string(r.partial.Key) != c.key || r.parts != c.part:
		r.partial, r.parts = bridge.Row{}, 0
		return nil
	default:
		r.partial.Value = append(r.partial.Value, m.Data()...)
		if r.parts++; r.parts < c.parts {
			return nil
		}
		r.add(r.partial)
		r.partial, r.parts = bridge.Row{}, 0
	}
	r.next = m.sequence
	if len(r.rows) >= putRows || r.bytes >= putBytes {
		return r.flush()
	}
	return nil
}

func (r *reader) add(row bridge.Row) {
	r.rows = append(r.rows, row)
	r.bytes += len(row.Key) + len(row.Value)
}

// flush hands rows over.
func (r *reader) flush() error {
	err := r.put(r.rows, r.next)
	r.rows, r.bytes = r.rows[:0], 0
	return err
}
