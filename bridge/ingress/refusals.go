package ingress

import (
	"net"
	"sync"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"livebridge/bridge"
)

// refusals logs what was refused, at a bounded rate: whoever floods us must not fill the disk with words. What was left
// out is counted and said with the next line.
type refusals struct {
	log     *zap.Logger
	limit   *rate.Limiter
	mu      sync.Mutex
	leftOut int
}

func newRefusals(log *zap.Logger) *refusals {
	return &refusals{log: log, limit: rate.NewLimiter(10, 50)}
}

// note logs one refusal. Nothing of the callback itself is in the line.
func (r *refusals) note(k bridge.Kind, reason, remote string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.limit.Allow() {
		r.leftOut++
		return
	}
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	r.log.Warn("callback refused", zap.Stringer("kind", k), zap.String("reason", reason), zap.String("source", host),
		zap.Int("left_out", r.leftOut))
	r.leftOut = 0
}

// flush says what was left out last.
func (r *refusals) flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.leftOut > 0 {
		r.log.Warn("more callbacks were refused", zap.Int("left_out", r.leftOut))
	}
}
