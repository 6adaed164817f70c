package embedded

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// repairTimeout bounds the repair of one stream.
const repairTimeout = 2 * time.Minute

// repair repairs the streams after a crash, before any consumer can connect. It covers all streams of the server, also
// those of earlier settings, which may be used again later.
//
// A power loss can lose a block that was never synced and leave a younger one. What follows such a gap was not
// checkpointed either, so the outbox publishes all of it again; but the server would drop the duplicates of what it
// still has, and a lane's events from the gap would come after those. So everything above the gap is removed.
//
// A power loss can also lose messages that a consumer's position on disk already counts as delivered. The server itself
// resets such a consumer to the end of the stream, so that it skips nothing.
//
// It reports whether messages were removed.
func (e *Publisher) repair(ctx context.Context, conn *natsgo.Conn, st *state) (removed bool, err error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return false, err
	}
	names, err := streamNames(ctx, js)
	if err != nil {
		return false, err
	}
	for _, name := range names {
		ctx, cancel := context.WithTimeout(ctx, repairTimeout)
		last, some, err := e.repairStream(ctx, js, name, st.Base[name])
		cancel()
		if err != nil {
			return false, fmt.Errorf("stream %s: %w", name, err)
		}
		st.Base[name] = last
		removed = removed || some
	}
	return removed, nil
}

func streamNames(ctx context.Context, js jetstream.JetStream) ([]string, error) {
	var out []string
	names := js.StreamNames(ctx)
	for name := range names.Name() {
		out = append(out, name)
	}
	return out, names.Err()
}

// repairStream returns the stream's last sequence, and whether messages were removed.
func (e *Publisher) repairStream(ctx context.Context, js jetstream.JetStream, name string, base uint64) (
	last uint64, removed bool, err error,
) {
	stream, err := js.Stream(ctx, name)
	if err != nil {
		return 0, false, err
	}
	info, err := stream.Info(ctx, jetstream.WithDeletedDetails(true))
	if err != nil {
		return 0, false, err
	}
	have := info.State
	gap, youngest := gapAbove(have, base)
	if gap == 0 {
		return have.LastSeq, false, nil
	}
	e.publish.Log.Warn("embedded NATS server lost messages in a crash; they are published again",
		zap.String("stream", name), zap.Uint64("from", gap), zap.Uint64("to", youngest))
	return have.LastSeq, true, removeFrom(ctx, stream, gap, youngest, have.Deleted)
}

// lastSequences returns the last sequence of each stream.
func lastSequences(ctx context.Context, conn *natsgo.Conn) (map[string]uint64, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	out := make(map[string]uint64)
	streams := js.ListStreams(ctx)
	for info := range streams.Info() {
		out[info.Config.Name] = info.State.LastSeq
	}
	return out, streams.Err()
}

// gapAbove returns the first missing sequence above base that a message follows, and the last message; 0: there is
// none. What is missing at the end was reserved and skipped.
func gapAbove(have jetstream.StreamState, base uint64) (gap, youngest uint64) {
	missing := slices.Sorted(slices.Values(have.Deleted))
	youngest = have.LastSeq
	for i := len(missing) - 1; i >= 0 && missing[i] == youngest; i-- {
		youngest--
	}
	for _, s := range missing {
		if s > base && s < youngest {
			return s, youngest
		}
	}
	return 0, 0
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
		if err := stream.DeleteMsg(ctx, sequence); err != nil && !isDeleted(ctx, stream, sequence) {
			return fmt.Errorf("remove message %d: %w", sequence, err)
		}
	}
	return nil
}

// isDeleted reports whether a message is gone: a limit of the stream may have removed it in the meantime.
func isDeleted(ctx context.Context, stream jetstream.Stream, sequence uint64) bool {
	_, err := stream.GetMsg(ctx, sequence)
	return errors.Is(err, jetstream.ErrMsgNotFound)
}
