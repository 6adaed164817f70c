package nats

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"livebridge/bridge"
)

const (
	// batchMax is the largest number of messages that share an acknowledgement.
	batchMax = 256
	// batchesUnderWay is how many batches may be in flight before the next is held back and grows.
	batchesUnderWay = 2
)

// batches lets waiting messages share one acknowledgement: only the last message of a batch asks for one. Counting
// proves that it covers them all. Nobody else writes to the stream, so its sequence rises by one with every message
// stored, and the offset between the sequence and the number of messages sent stays constant as long as every message
// is stored. When the offset changes (the server dropped a duplicate, or refused a message), every event of the batch
// is sent again by itself with its own acknowledgement; those already stored are then duplicates. Batching resumes once
// a message with its own acknowledgement has established the new offset.
type batches struct {
	messagePool *messagePool
	post        func(d *message, w ackHandler)         // sends; w nil: asks for no answer. It does not call w
	stored      func(e *bridge.Event, sequence uint64) // hears where events are stored; nil: nobody asks

	mu             sync.Mutex
	sent           uint64 // messages to the stream, on any connection
	sequenceOffset uint64 // a message's sequence minus its number, modulo 2^64
	calibrated     bool
	uncertainUntil time.Time // until then, messages of a lost connection may still be stored
	open           *batch    // its last message is not sent yet; only while others are in flight
	underWay       int
}

// batch is events of different lanes that share an acknowledgement.
type batch struct {
	batches   *batches
	events    []*bridge.Event
	callbacks []func(error)
	last      *message // of the last event, until it is sent
	number    uint64   // of its message
}

// add sends an event whose message is d, or puts it in the open batch.
func (bs *batches) add(e *bridge.Event, d *message, done func(error)) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	if !bs.calibrated {
		bs.send(d, &singleAck{batches: bs, event: e, number: bs.sent + 1, done: done})
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

// send sends a message. A failure of one that asks for no answer shows in the count.
func (bs *batches) send(d *message, w ackHandler) {
	bs.sent++
	bs.post(d, w)
	bs.messagePool.release(d)
}

// dispatch sends the last message of the open batch, which asks for the acknowledgement.
func (bs *batches) dispatch() {
	b := bs.open
	bs.open = nil
	bs.underWay++
	b.number = bs.sent + 1
	bs.send(b.last, b)
	b.last = nil
}

// handleAck implements ackHandler.
func (b *batch) handleAck(m *nats.Msg, err error) {
	last, allStored := b.batches.resolve(b, m, err)
	for i, done := range b.callbacks {
		switch {
		case allStored:
			b.batches.reportStored(b.events[i], last-uint64(len(b.events)-1-i))
			done(nil)
		case m == nil && !bridge.IsRejected(err):
			done(err)
		default:
			b.batches.resend(b.events[i], done)
		}
	}
}

// reportStored tells who asks for it the sequence of an event.
func (bs *batches) reportStored(e *bridge.Event, sequence uint64) {
	if bs.stored != nil {
		bs.stored(e, sequence)
	}
}

// resolve processes the answer to a batch and sends the next one. It reports whether every message of the batch is
// stored, and then the sequence of the last one; those before it have the sequences before.
func (bs *batches) resolve(b *batch, m *nats.Msg, err error) (last uint64, allStored bool) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	bs.underWay--
	sequenceOffset, stored := sequenceOffset(b.number, m, err)
	allStored = stored && bs.calibrated && sequenceOffset == bs.sequenceOffset
	bs.calibrated = allStored
	if bs.open != nil {
		bs.dispatch()
	}
	return sequenceOffset + b.number, allStored
}

// sequenceOffset returns the offset that an answer to a message implies, and whether the message was newly stored.
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

// resend sends an event of a batch again, with its own acknowledgement.
func (bs *batches) resend(e *bridge.Event, done func(error)) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	bs.send(bs.messagePool.of(e), &singleAck{batches: bs, event: e, number: bs.sent + 1, done: done})
}

// singleAck is an event that waits for its own acknowledgement.
type singleAck struct {
	batches *batches
	event   *bridge.Event
	number  uint64
	done    func(error)
}

// handleAck implements ackHandler.
func (a *singleAck) handleAck(m *nats.Msg, err error) {
	a.batches.calibrate(a.number, m, err)
	if sequence, known := sequenceIn(m); known && err == nil {
		a.batches.reportStored(a.event, sequence)
	}
	a.done(err)
}

// sequenceIn returns the sequence in an answer: of the message, or of the one that it duplicates.
func sequenceIn(m *nats.Msg) (sequence uint64, known bool) {
	var answer struct {
		Sequence uint64 `json:"seq"`
	}
	if m == nil || json.Unmarshal(m.Data, &answer) != nil {
		return 0, false
	}
	return answer.Sequence, answer.Sequence > 0
}

// calibrate adopts the offset from the answer to a message, unless it would apply to a batch sent before.
func (bs *batches) calibrate(number uint64, m *nats.Msg, err error) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	sequenceOffset, stored := sequenceOffset(number, m, err)
	if !bs.calibrated && stored && bs.underWay == 0 && time.Now().After(bs.uncertainUntil) {
		bs.sequenceOffset, bs.calibrated = sequenceOffset, true
	}
}

// abandon fails the events of the open batch when the connection is lost. Counting is suspended for a while, since the
// server may still store what it has read from that connection.
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
