package partitions

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
)

// commitLarge commits what one batch does not take: the batch that is the commit writes all messages down, with a
// cursor that says in how many pieces, and then they are sent.
func (p *partition) commitLarge(ctx context.Context, plan *plan) error {
	pieces, err := p.pieces(plan.messages)
	if err != nil {
		return err
	}
	written := plan.cursor
	written.pieces, written.done = uint64(len(pieces)), 0
	if err := p.commit(ctx, pieces, &written); err != nil {
		return err
	}
	return p.carryOut(ctx, plan.messages)
}

// carryOut sends what is left of a commit that was written down, and empties what it was written to.
func (p *partition) carryOut(ctx context.Context, messages []*nats.Msg) error {
	if p.cursor.done > uint64(len(messages)) {
		return fmt.Errorf("%w: it has done more than there is to do", errCursor)
	}
	for left := messages[p.cursor.done:]; len(left) > 0; {
		n := p.fitting(left)
		next := p.cursor
		next.done += uint64(n)
		if err := p.commit(ctx, left[:n], &next); err != nil {
			return err
		}
		left = left[n:]
	}
	next := p.cursor
	next.pieces, next.done = 0, 0
	var empty []*nats.Msg
	for i := range int(p.cursor.pieces) {
		empty = append(empty, p.pieceMessage(i))
	}
	return p.commit(ctx, empty, &next)
}

// fitting returns how many messages go with one batch.
func (p *partition) fitting(messages []*nats.Msg) int {
	total, n := int64(0), 0
	for ; n < len(messages) && n < p.owned.opts.BatchMessages-1; n++ {
		total += int64(messages[n].Size())
		if n > 0 && total > p.owned.opts.BatchBytes {
			break
		}
	}
	return n
}

func (p *partition) pieceMessage(number int) *nats.Msg {
	return nats.NewMsg(p.owned.subject(p.number, pieceSubject+strconv.Itoa(number)))
}

// pieces returns the messages that messages are written down in.
func (p *partition) pieces(messages []*nats.Msg) (out []*nats.Msg, err error) {
	var text []byte
	for _, m := range messages {
		text = appendMessage(text, m)
	}
	limit := p.owned.messageBytes() - 256
	for ; len(text) > 0; text = text[min(limit, len(text)):] {
		m := p.pieceMessage(len(out))
		m.Data = text[:min(limit, len(text))]
		out = append(out, m)
	}
	if most := min(maxPieces, p.owned.opts.BatchMessages-1); len(out) > most {
		return nil, fmt.Errorf("a commit of %d bytes is more than %d messages hold: raise max_payload of the NATS servers",
			len(text), most)
	}
	return out, nil
}

var errPieces = errors.New("a commit that was written down cannot be decoded")

// appendMessage appends a message: subject, number of headers, each with name and value, and data. Texts stand behind
// their lengths.
func appendMessage(dst []byte, m *nats.Msg) []byte {
	dst = appendText(dst, m.Subject)
	dst = binary.AppendUvarint(dst, uint64(len(m.Header)))
	for name, values := range m.Header {
		dst = appendText(appendText(dst, name), values[0])
	}
	return appendText(dst, string(m.Data))
}

func appendText(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// readMessages reads what appendMessage has appended.
func readMessages(b []byte) (out []*nats.Msg, err error) {
	r := messageReader{rest: b}
	for len(r.rest) > 0 && !r.failed {
		m := nats.NewMsg(r.text())
		for n := r.number(); n > 0 && !r.failed; n-- {
			name := r.text()
			m.Header[name] = []string{r.text()}
		}
		m.Data = []byte(r.text())
		out = append(out, m)
	}
	if r.failed {
		return nil, errPieces
	}
	return out, nil
}

// messageReader reads texts behind their lengths.
type messageReader struct {
	rest   []byte
	failed bool
}

func (r *messageReader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.failed = true
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *messageReader) text() string {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.failed = true
		return ""
	}
	text := r.rest[:n]
	r.rest = r.rest[n:]
	return string(text)
}
