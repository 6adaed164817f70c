package cluster

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// HandOverOptions is what a hand-over needs to know. What a journal of one machine remembers goes into the intake logs,
// for the owners of the partitions to remember it: lanes and entries of the review queues into the partitions of their
// streams, and identities and signatures, of which it is not known what streams they are of, into all partitions.
//
//	journal ─ Memory ─► pieces ─► intake logs ─► processor.Remember, by each partition's owner
//
// Each piece is one input and one commit. A partition takes a piece once, so that a hand-over which was interrupted is
// begun again with the same Salt and changes nothing that it has changed before. A callback that comes into a log
// behind the pieces is decided by what they say.
type HandOverOptions struct {
	Intake bridge.IntakeLog
	Salt   [16]byte // of this hand-over; drawn once
	Memory func(f func(*processor.Memory) error) error

	// Backoff is how long a piece that was not acknowledged waits; it doubles up to BackoffMax.
	Backoff, BackoffMax time.Duration
	Log                 *zap.Logger
}

// HandedOver is what was handed over.
type HandedOver struct{ Lanes, Identities, Signatures, Quarantined, DeadLetters, Pieces int }

// handOver is a hand-over under way.
type handOver struct {
	ctx    context.Context
	opts   *HandOverOptions
	all    *processor.Packer   // of what goes into all partitions
	each   []*processor.Packer // of what goes into one
	handed HandedOver
}

// HandOver hands over what a journal remembers, and returns once the intake logs have it durably. What cannot be
// reached is tried again until ctx ends. The error wraps ErrTooLarge where a log does not take a piece.
func HandOver(ctx context.Context, opts HandOverOptions) (HandedOver, error) {
	h := &handOver{ctx: ctx, opts: &opts}
	h.all = processor.NewPacker(opts.Salt, h.appendToAll)
	for p := range opts.Intake.Partitions() {
		h.each = append(h.each, processor.NewPacker(opts.Salt, func(m *processor.Memory) error { return h.append(p, m) }))
	}
	err := opts.Memory(h.add)
	for _, packer := range append([]*processor.Packer{h.all}, h.each...) {
		if err == nil {
			err = packer.Flush()
		}
	}
	return h.handed, err
}

// add sends a thing that is remembered on its way. What goes into all partitions comes first.
func (h *handOver) add(m *processor.Memory) error {
	h.count(m)
	switch {
	case len(m.Lanes) > 0:
		return h.of(m.Lanes[0].Name).Add(m)
	case len(m.Quarantined) > 0:
		return h.of(m.Quarantined[0].Event.Lane).Add(m)
	case len(m.DeadLetters) > 0:
		return h.of(m.DeadLetters[0].Event.Lane).Add(m)
	}
	return h.all.Add(m)
}

func (h *handOver) of(lane bridge.Lane) *processor.Packer { return h.each[lane.Partition(len(h.each))] }

func (h *handOver) count(m *processor.Memory) {
	h.handed.Lanes += len(m.Lanes)
	h.handed.Identities += len(m.Identities)
	h.handed.Signatures += len(m.Signatures)
	h.handed.Quarantined += len(m.Quarantined)
	h.handed.DeadLetters += len(m.DeadLetters)
}

// appendToAll writes a piece into the logs of all partitions.
func (h *handOver) appendToAll(m *processor.Memory) error {
	var work errgroup.Group
	value := memoryRecord(m)
	for p := range h.each {
		work.Go(func() error { return h.write(p, m, value) })
	}
	h.handed.Pieces += len(h.each)
	return work.Wait()
}

func (h *handOver) append(partition int, m *processor.Memory) error {
	h.handed.Pieces++
	return h.write(partition, m, memoryRecord(m))
}

// write writes a piece into a log until that has it. One that is there twice is taken once.
func (h *handOver) write(partition int, m *processor.Memory, value []byte) error {
	var reminders bridge.Reminders
	pause := &backoff{h.opts.Backoff, h.opts.Backoff, h.opts.BackoffMax}
	for {
		err := h.opts.Intake.Append(h.ctx, partition, value)
		switch {
		case err == nil:
			return nil
		case bridge.IsRejected(err):
			return fmt.Errorf("%s (%d bytes): %w: %w", describe(m), len(value), ErrTooLarge, err)
		case h.ctx.Err() != nil:
			return err
		}
		if suppressed, due := reminders.Due("append", time.Now()); due {
			h.opts.Log.Warn("memory of the journal cannot be handed over yet",
				zap.Int("partition", partition), zap.Error(err), zap.Int("suppressed", suppressed))
		}
		pause.wait(h.ctx)
	}
}

// describe names a piece by what an operator can do something about.
func describe(m *processor.Memory) string {
	switch {
	case len(m.Quarantined) > 0:
		e := m.Quarantined[0].Event
		return fmt.Sprintf("the quarantine entry of event %s of lane %s", e.ID, e.Lane)
	case len(m.DeadLetters) > 0:
		e := m.DeadLetters[0].Event
		return fmt.Sprintf("the dead letter of event %s of lane %s", e.ID, e.Lane)
	}
	return "a piece of the journal's memory"
}
