package ingress

import (
	"context"

	"livebridge/bridge"
)

// Journal makes callbacks durable. Append returns nil when the arrival and the decision of its lane are on disk: only
// then is the callback answered 200. It must be safe for concurrent use. The journal owns a and all that it points to
// until it returns; a.Raw is reused afterwards. Its errors are bridge.ErrFull, bridge.ErrStopping, bridge.ErrFailed and
// bridge.ErrBrokerAway, possibly wrapped. ctx ends only when the server abandons requests in flight.
type Journal interface {
	Append(ctx context.Context, a *bridge.Arrival) error
}
