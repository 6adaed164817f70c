package nats

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// repairTimeout is how long putting one stream in order after a crash may take.
const repairTimeout = 2 * time.Minute

// repair puts the streams in order after a crash, before any consumer can connect: all that the server has, those of
// earlier settings too, which may be in use again tomorrow.
//
// A power loss can take a block away that was never synced and leave a younger one. What follows such a gap was not
// checkpointed either, so the outbox publishes all of it again; but the server would drop the repeats of what it still
// has, and a lane's events from the gap would come after those. So everything above the gap is removed.
//
// It can also take messages away that a consumer's position on the disk already counts as delivered. The sequences up to
// that position are used up, so that no event gets one of them and is skipped by that consumer.
func (e *Embedded) repair(ctx context.Context, conn *nats.Conn, st *state) error {
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	names, err := streamNames(ctx, js)
	if err != nil {
		return err
	}
	for _, name := range names {
		ctx, cancel := context.WithTimeout(ctx, repairTimeout)
		last, err := e.repairStream(ctx, js, name, st.Base[name])
		cancel()
		if err != nil {
			return fmt.Errorf("stream %s: %w", name, err)
		}
		st.Base[name] = last
	}
	return nil
}

func streamNames(ctx context.Context, js jetstream.JetStream) ([]string, error) {
	var out []string
	names := js.StreamNames(ctx)
	for name := range names.Name() {
		out = append(out, name)
	}
	return out, names.Err()
}

// repairStream returns the stream's last sequence.
func (e *Embedded) repairStream(ctx context.Context, js jetstream.JetStream, name string, base uint64) (uint64, error) {
	stream, err := js.Stream(ctx, name)
	if err != nil {
		return 0, err
	}
	info, err := stream.Info(ctx, jetstream.WithDeletedDetails(true))
	if err != nil {
		return 0, err
	}
	have := info.State
	if gap := firstAbove(have.Deleted, base); gap > 0 {
		e.publish.Log.Warn("the embedded NATS server lost messages in a crash; those after them are published again",
			zap.String("stream", name), zap.Uint64("from", gap), zap.Uint64("to", have.LastSeq))
		if err := removeFrom(ctx, stream, gap, have.LastSeq, have.Deleted); err != nil {
			return 0, err
		}
	}
	return e.useUp(ctx, js, stream, have.LastSeq)
}

// firstAbove returns the smallest sequence above base; 0: none.
func firstAbove(sequences []uint64, base uint64) uint64 {
	for _, s := range slices.Sorted(slices.Values(sequences)) {
		if s > base {
			return s
		}
	}
	return 0
}

func removeFrom(ctx context.Context, stream jetstream.Stream, first, last uint64, missing []uint64) error {
	gone := make(map[uint64]bool, len(missing))
	for _, sequence := range missing {
		gone[sequence] = true
	}
	for sequence := first; sequence <= last; sequence++ {
		if gone[sequence] {
			continue
		}
		if err := stream.DeleteMsg(ctx, sequence); err != nil && !errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) {
			return fmt.Errorf("remove message %d: %w", sequence, err)
		}
	}
	return nil
}

// useUp publishes and removes empty messages until the stream's sequence has passed every consumer's position.
func (e *Embedded) useUp(ctx context.Context, js jetstream.JetStream, stream jetstream.Stream, last uint64) (uint64, error) {
	var position uint64
	consumers := stream.ListConsumers(ctx)
	for c := range consumers.Info() {
		position = max(position, c.Delivered.Stream, c.AckFloor.Stream)
	}
	if err := consumers.Err(); err != nil {
		return 0, err
	}
	subject := fillerSubject(stream.CachedInfo().Config.Subjects)
	for last < position {
		ack, err := js.Publish(ctx, subject, nil)
		if err != nil {
			return 0, err
		}
		if last = ack.Sequence; stream.DeleteMsg(ctx, last) != nil {
			return 0, fmt.Errorf("remove message %d", last)
		}
	}
	return last, nil
}

// fillerSubject returns a subject that a stream takes and no event has.
func fillerSubject(patterns []string) string {
	if len(patterns) == 0 {
		return ""
	}
	return strings.NewReplacer("*", "filler", ">", "filler").Replace(patterns[0])
}
