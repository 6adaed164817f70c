package nats

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/bridge"
	"livebridge/transports/nats/partitions"
)

// noResponderPause is how long an input waits before it asks again a stream that has no leader: that is answered at
// once.
const noResponderPause = 50 * time.Millisecond

// errNoLeader says that nobody has the stream: it has no leader, or there is none.
var errNoLeader = errors.New("the stream has no leader")

// Append implements bridge.IntakeLog. The stream acknowledges an input once most of its replicas have it.
func (r *Replicas) Append(ctx context.Context, partition int, input []byte) error {
	if partition < 0 || partition >= r.count {
		return fmt.Errorf("stream %s has no partition %d", r.intakeStream(), partition)
	}
	return r.ofInput(r.bundlers[partition].append(ctx, input))
}

// sendInputs sends inputs as one message until the stream has answered, or ctx ends.
func (r *Replicas) sendInputs(ctx context.Context, partition int, inputs [][]byte) error {
	m := nats.NewMsg(r.intakeStream() + "." + strconv.Itoa(partition))
	m.Data = partitions.Bundle(inputs)
	for {
		conn, _ := r.connection()
		answer, err := conn.RequestMsgWithContext(ctx, m)
		if err == nil {
			return outcome(answer, r.intakeStream(), ackOf(r.intakeStream()))
		}
		if !errors.Is(err, nats.ErrNoResponders) {
			return err
		}
		r.bundlers[partition].report(errNoLeader)
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", errNoLeader, ctx.Err())
		case <-time.After(noResponderPause):
		}
	}
}

// isTooLarge reports whether a message, or an input, is larger than the servers or the stream take.
func isTooLarge(err error) bool {
	var api *jetstream.APIError
	return errors.Is(err, nats.ErrMaxPayload) || errors.As(err, &api) && api.ErrorCode == tooLarge
}

// ofInput says in an error what was refused.
func (r *Replicas) ofInput(err error) error {
	switch {
	case err == nil:
		return nil
	case isTooLarge(err):
		return bridge.Rejected(bridge.RejectionTooLarge, "a callback is larger than max_payload of the NATS servers, "+
			"or max_msg_size of stream %s: raise that: %w", r.intakeStream(), err)
	}
	return bridge.Unavailable("stream %s at NATS: no acknowledgement of the callback: %w", r.intakeStream(), err)
}

// messageBytes is how large a message may be for the servers.
func (r *Replicas) messageBytes() int {
	conn, _ := r.connection()
	return int(conn.MaxPayload())
}

// Partitions implements bridge.IntakeLog.
func (r *Replicas) Partitions() int { return r.count }
