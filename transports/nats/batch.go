package nats

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"livebridge/bridge"
)

const (
	// batchMax is how many messages share an answer at the most.
	batchMax = 256
	// batchesUnderWay is how many batches may wait for their answer before the next is held back and grows.
	batchesUnderWay = 2
)

// batches lets the messages that wait share one answer: only the last message of a batch asks for one. That it stands for
// all is checked by counting. Of a stream that nobody else writes to, the server's sequence rises by one with every message
// stored, so sequence and number of messages sent keep their distance for as long as every one is stored. When they do not
// (a repeat that the server has dropped, a message that it has refused), every event of the batch is sent again by itself
// and has an answer of its own; what was stored before is then a repeat. Batches begin again when a message with an answer
// of its own has told the distance anew.
type batches struct {
	messagePool *messagePool
	post        func(d *message, w ackHandler) // sends; w nil: without asking for an answer. It does not call w

	mu             sync.Mutex
	sent           uint64 // messages to the stream, on any connection
	sequenceOffset uint64 // of the sequence from the number of its message, modulo 2^64
	calibrated     bool
	uncertainUntil time.Time // until then, messages of a connection that is gone may still be stored
	open           *batch    // its last message is not sent yet; only while others are under way
	underWay       int
}

// batch is some events, each of another lane, and how their outcome is told.
type batch struct {
	batches   *batches
	events    []*bridge.Event
	callbacks []func(error)
	last      *message // of the last event, until it is sent
	number    uint64   // of its message
}

// add takes an event whose message is d.
func (bs *batches) add(e *bridge.Event, d *message, done func(error)) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	if !bs.calibrated {
		bs.send(d, &singleAck{batches: bs, number: bs.sent + 1, done: done})
		return
	}
	if bs.open == nil {
		bs.open = &batch{batches: bs}
	}
	b := bs.open
	if b.last != nil {
		bs.send(b.last, nil)
	}
	b.events, b.callbacks, b.last = append(b.events, e), append(b.callbacks, done), d
	if bs.underWay < batchesUnderWay || len(b.events) == batchMax {
		bs.dispatch()
	}
}

// send sends a message. When that fails without an answer asked for, the count will tell.
func (bs *batches) send(d *message, w ackHandler) {
	bs.sent++
	bs.post(d, w)
	bs.messagePool.release(d)
}

// dispatch sends the last message of the open batch, which asks for the answer.
func (bs *batches) dispatch() {
	b := bs.open
	bs.open = nil
	bs.underWay++
	b.number = bs.sent + 1
	bs.send(b.last, b)
	b.last = nil
}

// handleAck implements waiter.
func (b *batch) handleAck(m *nats.Msg, err error) {
	allStored := b.batches.resolve(b, m, err)
	for i, done := range b.callbacks {
		switch {
		case allStored:
			done(nil)
		case m == nil && !bridge.IsRejected(err):
			done(err)
		default:
			b.batches.resend(b.events[i], done)
		}
	}
}

// resolve notes the answer to a batch and lets the next one go. It reports whether every message of the batch is stored.
func (bs *batches) resolve(b *batch, m *nats.Msg, err error) bool {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	bs.underWay--
	sequenceOffset, stored := sequenceOffset(b.number, m, err)
	allStored := stored && bs.calibrated && sequenceOffset == bs.sequenceOffset
	bs.calibrated = allStored
	if bs.open != nil {
		bs.dispatch()
	}
	return allStored
}

// sequenceOffset returns that of the answer to a message, and whether the message was stored just now.
func sequenceOffset(number uint64, m *nats.Msg, err error) (uint64, bool) {
	if m == nil || err != nil {
		return 0, false
	}
	var answer struct {
		Sequence  uint64 `json:"seq"`
		Duplicate bool   `json:"duplicate"`
	}
	if json.Unmarshal(m.Data, &answer) != nil || answer.Duplicate {
		return 0, false
	}
	return answer.Sequence - number, true
}

// resend sends an event of a batch again, with an answer of its own.
func (bs *batches) resend(e *bridge.Event, done func(error)) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	bs.send(bs.messagePool.of(e), &singleAck{batches: bs, number: bs.sent + 1, done: done})
}

// singleAck is an event that waits for an answer of its own.
type singleAck struct {
	batches *batches
	number  uint64
	done    func(error)
}

// handleAck implements waiter.
func (a *singleAck) handleAck(m *nats.Msg, err error) {
	a.batches.calibrate(a.number, m, err)
	a.done(err)
}

// calibrate takes the distance from the answer to a message, when no batch would be judged by it that was sent before.
func (bs *batches) calibrate(number uint64, m *nats.Msg, err error) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	sequenceOffset, stored := sequenceOffset(number, m, err)
	if !bs.calibrated && stored && bs.underWay == 0 && time.Now().After(bs.uncertainUntil) {
		bs.sequenceOffset, bs.calibrated = sequenceOffset, true
	}
}

// abandon answers the events that wait for the next batch: the connection is gone. For a while nothing is judged by
// counting, since the server may still store what it has read of it.
func (bs *batches) abandon(err error, while time.Duration) {
	bs.mu.Lock()
	b := bs.open
	bs.open, bs.calibrated, bs.uncertainUntil = nil, false, time.Now().Add(while)
	bs.mu.Unlock()
	if b == nil {
		return
	}
	bs.messagePool.release(b.last)
	for _, done := range b.callbacks {
		done(err)
	}
}
