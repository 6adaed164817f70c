package nats

import (
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/bridge"
)

// tooLarge is the server's code for a message above the stream's limit.
const tooLarge jetstream.ErrorCode = 10054

// classify tells what the broker will never take from what it may take later. A stream that is not there is looked for,
// and made again where it is ours.
func (p *Publisher) classify(err error) error {
	var api *jetstream.APIError
	switch {
	case errors.Is(err, nats.ErrMaxPayload), errors.Is(err, nats.ErrBadSubject), errors.Is(err, nats.ErrBadHeaderMsg):
		return bridge.Rejected("NATS: %w", err)
	case errors.As(err, &api) && api.ErrorCode == tooLarge:
		return bridge.Rejected("NATS: %w", err)
	case errors.Is(err, jetstream.ErrNoStreamResponse), errors.Is(err, nats.ErrNoResponders):
		p.streams.look()
	}
	return bridge.Unavailable("NATS: %w", err)
}

func settingError(setting string, err error) error {
	return fmt.Errorf("LIVEBRIDGE_%s: %w", setting, err)
}
