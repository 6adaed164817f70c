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
)

// noResponderPause is how long Append waits before it asks again a stream that has no leader: that is answered at once.
const noResponderPause = 50 * time.Millisecond

// Append implements bridge.IntakeLog. The stream acknowledges an input once most of its replicas have it.
func (r *Replicas) Append(ctx context.Context, partition int, input []byte) error {
	if partition < 0 || partition >= r.count {
		return fmt.Errorf("stream %s has no partition %d", r.intakeStream(), partition)
	}
	m := nats.NewMsg(r.intakeStream() + "." + strconv.Itoa(partition))
	m.Data = input
	for {
		conn, _ := r.connection()
		answer, err := conn.RequestMsgWithContext(ctx, m)
		if err == nil {
			return r.ofInput(outcome(answer, r.intakeStream(), ackOf(r.intakeStream())))
		}
		if !errors.Is(err, nats.ErrNoResponders) {
			return r.ofInput(err)
		}
		select { // nobody has it: the stream has no leader, or there is none
		case <-ctx.Done():
			return bridge.Unavailable("stream %s at NATS has no leader: %w", r.intakeStream(), ctx.Err())
		case <-time.After(noResponderPause):
		}
	}
}

// ofInput says in an error what was refused.
func (r *Replicas) ofInput(err error) error {
	if err == nil {
		return nil
	}
	var api *jetstream.APIError
	if errors.Is(err, nats.ErrMaxPayload) || errors.As(err, &api) && api.ErrorCode == tooLarge {
		return bridge.Rejected(bridge.RejectionTooLarge, "a callback is larger than max_payload of the NATS servers, "+
			"or max_msg_size of stream %s: raise that: %w", r.intakeStream(), err)
	}
	return bridge.Unavailable("stream %s at NATS: no acknowledgement of the callback: %w", r.intakeStream(), err)
}

// Partitions implements bridge.IntakeLog.
func (r *Replicas) Partitions() int { return r.count }
