package partitions

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Headers of the messages of a batch.
const (
	headerBatchID       = "Nats-Batch-Id"
	headerBatchSequence = "Nats-Batch-Sequence"
	headerBatchCommit   = "Nats-Batch-Commit"
)

// Codes of the server's answers to a batch. Nothing of it is stored with any of them.
const (
	codeWrongSequence jetstream.ErrorCode = 10071 // the cursor is another one than expected
	codeInFlight      jetstream.ErrorCode = 10164 // something is under way for a subject: perhaps what was just stored
	codeIncomplete    jetstream.ErrorCode = 10176 // a part of the batch was lost, as when the leader changes
	codeTooMany       jetstream.ErrorCode = 10210 // of batches that are open
	codeNoLeader      jetstream.ErrorCode = 10008 // or another reason that passes
	codeNotCurrent    jetstream.ErrorCode = 10009
)

// isCode reports whether an error is the server's answer with one of the codes.
func isCode(err error, codes ...jetstream.ErrorCode) bool {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return false
	}
	for _, c := range codes {
		if api.ErrorCode == c {
			return true
		}
	}
	return false
}

// notStored reports whether an error says that nothing was stored, and that the same may be sent again.
func notStored(err error) bool {
	return errors.Is(err, nats.ErrNoResponders) || errors.Is(err, errNotSent) ||
		isCode(err, codeInFlight, codeIncomplete, codeTooMany, codeNoLeader, codeNotCurrent)
}

// errNotSent says that a batch was given up before its last message.
var errNotSent = errors.New("the batch was not sent to its end")

// commitBatch sends messages as one atomic batch until they are stored, and returns the sequence of the last one. It
// sends them again where nothing of them was stored; an error other than of an answer leaves it open.
func commitBatch(ctx context.Context, connection func() *nats.Conn, batch []*nats.Msg, patience time.Duration) (
	uint64, error) {
	for wait := firstPause; ; wait = pause(ctx, wait) {
		sequence, err := sendBatch(ctx, connection(), batch, patience)
		if err == nil || !notStored(err) {
			return sequence, err
		}
		if ctx.Err() != nil {
			return 0, fmt.Errorf("commit: %w; the last answer: %w", ctx.Err(), err)
		}
	}
}

// sendBatch sends a batch once.
func sendBatch(ctx context.Context, conn *nats.Conn, batch []*nats.Msg, patience time.Duration) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	last := batch[len(batch)-1]
	if len(batch) == 1 {
		return request(ctx, conn, last)
	}
	id := rand.Text()
	for i, m := range batch {
		m.Header.Set(headerBatchID, id)
		m.Header.Set(headerBatchSequence, strconv.Itoa(i+1))
		if m == last {
			break
		}
		if err := conn.PublishMsg(m); err != nil {
			return 0, fmt.Errorf("%w: %w", errNotSent, err)
		}
	}
	last.Header.Set(headerBatchCommit, "1")
	return request(ctx, conn, last)
}

// request sends a message to a stream and returns its sequence there.
func request(ctx context.Context, conn *nats.Conn, m *nats.Msg) (uint64, error) {
	answer, err := conn.RequestMsgWithContext(ctx, m)
	if err != nil {
		return 0, err
	}
	var ack struct {
		Sequence uint64              `json:"seq"`
		Error    *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(answer.Data, &ack); err != nil {
		return 0, fmt.Errorf("the answer of the stream cannot be read: %w", err)
	}
	if ack.Error != nil {
		return 0, ack.Error
	}
	if ack.Sequence == 0 {
		return 0, errors.New("the answer of the stream has no sequence")
	}
	return ack.Sequence, nil
}
