package ingress

import (
	"context"

	"livebridge/bridge"
)

// Journal makes callbacks durable. Append returns nil when the arrival, and what its lane decided, is on disk:
// only then is the callback answered 200. It may be called by any number of goroutines; a and all that it points
// to are the journal's until it returns, and the bytes of a.Raw are used again afterwards. Its errors are
// bridge.ErrFull, bridge.ErrStopping and bridge.ErrFailed, possibly wrapped. ctx ends only when the server gives
// up on requests in hand.
type Journal interface {
	Append(ctx context.Context, a *bridge.Arrival) error
}
