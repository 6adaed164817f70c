package partitions

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"livebridge/bridge"
)

// headerTTL is the life of a message in its stream.
const headerTTL = "Nats-TTL"

// plan is the messages of a commit, without the cursor.
type plan struct {
	messages []*nats.Msg
	notices  int // messages up to the last one that is a notice
	others   int // likewise, that is none
	slots    *draft
	cursor   cursor
}

// Commit implements bridge.Partition.
func (p *partition) Commit(ctx context.Context, c bridge.PartitionCommit) (uint64, error) {
	if p.broken != nil {
		return 0, p.owned.failed(p.number, p.broken)
	}
	plan, err := p.plan(c)
	if err != nil {
		return 0, p.owned.failed(p.number, err)
	}
	first := p.sequence + 1 // of its messages, or below
	if p.fits(plan.messages) {
		if err = p.commit(ctx, plan.messages, &plan.cursor); err == nil {
			first = p.sequence - uint64(len(plan.messages))
		}
	} else {
		err = p.commitLarge(ctx, plan)
	}
	if err != nil {
		p.broken = errors.New("a commit has failed before: " + err.Error()) // which is not of a later call's context
		return 0, p.owned.failed(p.number, err)
	}
	plan.slots.apply(p.sequence)
	p.owned.opts.Committed(p.number, plan.committed(first))
	return p.sequence, nil
}

// committed is what a commit has committed with messages from a sequence on.
func (p *plan) committed(first uint64) Committed {
	c := Committed{Next: messageAt(p.cursor.next)}
	if p.others > 0 {
		c.Events = first + uint64(p.others-1)
	}
	if p.notices > 0 {
		c.Notices = first + uint64(p.notices-1)
	}
	return c
}

// commit commits messages and a cursor as one batch.
func (p *partition) commit(ctx context.Context, messages []*nats.Msg, c *cursor) error {
	connection := func() *nats.Conn { conn, _ := p.owned.opts.Connection(); return conn }
	batch := append(messages[:len(messages):len(messages)], p.owned.cursorMessage(p.number, c, p.sequence))
	sequence, err := commitBatch(ctx, connection, batch, p.owned.opts.AckTimeout)
	if err != nil {
		return p.outcome(ctx, err)
	}
	p.cursor, p.sequence = *c, sequence
	return nil
}

// fits reports whether messages and a cursor are taken as one batch.
func (p *partition) fits(messages []*nats.Msg) bool {
	var total int64
	for _, m := range messages {
		total += int64(m.Size())
	}
	return len(messages) < p.owned.opts.BatchMessages && total <= p.owned.opts.BatchBytes
}

// plan makes the messages of a commit. An event that is too large is told before anything is sent.
func (p *partition) plan(c bridge.PartitionCommit) (*plan, error) {
	limit := p.owned.messageBytes()
	out := &plan{slots: p.slots.draft(p.cursor.forgotten), cursor: p.cursor}
	for i, e := range c.Events {
		m := p.eventMessage(i, e)
		if size := payload(m); size > limit {
			return nil, &bridge.RejectedEvent{Index: i, Err: bridge.Rejected(bridge.RejectionTooLarge,
				"message of %d bytes exceeds the %d that the server's max_payload leaves for an event: raise it, "+
					"then retry the dead letter", size, limit)}
		}
		out.messages = append(out.messages, m)
		if e.Quarantined() {
			out.notices = len(out.messages)
		} else {
			out.others = len(out.messages)
		}
	}
	for _, row := range c.Rows {
		messages, err := p.rowMessages(out.slots, row, limit)
		if err != nil {
			return nil, err
		}
		out.messages = append(out.messages, messages...)
	}
	out.cursor.next, out.cursor.forgotten = c.Next, out.slots.forgotten
	return out, nil
}

// eventMessage returns the message of an event, with a subject that no other message ever has: of all commits that
// expect the same cursor one succeeds.
func (p *partition) eventMessage(i int, e *bridge.Event) *nats.Msg {
	encoded, branch := p.owned.opts.Encode(e), "e"
	if encoded.Notice {
		branch = "q"
	}
	rest := fmt.Sprintf("%s.%d-%d.%s", branch, p.sequence, i, encoded.Subject)
	m := &nats.Msg{Subject: p.owned.subject(p.number, rest), Header: encoded.Header, Data: encoded.Data}
	if live := p.owned.opts.EventsLive; live > 0 {
		m.Header[headerTTL] = []string{strconv.FormatInt(int64((live+time.Second-1)/time.Second), 10)}
	}
	return m
}

// payload returns the size of a message as max_payload counts it: headers as on the wire, and data.
func payload(m *nats.Msg) int {
	n := len("NATS/1.0\r\n\r\n") + len(m.Data)
	for name, values := range m.Header {
		for _, v := range values {
			n += len(name) + len(": \r\n") + len(v)
		}
	}
	return n
}
