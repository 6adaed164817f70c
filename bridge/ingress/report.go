package ingress

import (
	"fmt"
	"log"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"livebridge/bridge"
)

// How many lines of one sort go to the log: whoever can reach the port can cause them.
const (
	linesPerSecond = 5
	linesAtOnce    = 20
)

// throttle lets so many lines through and counts the others.
type throttle struct {
	limiter *rate.Limiter
	leftOut atomic.Uint64
}

func newThrottle() *throttle { return &throttle{limiter: rate.NewLimiter(linesPerSecond, linesAtOnce)} }

// allow reports whether a line may be written, with how many have been left out since the last one.
func (t *throttle) allow() (zap.Field, bool) {
	if !t.limiter.Allow() {
		t.leftOut.Add(1)
		return zap.Skip(), false
	}
	if n := t.leftOut.Swap(0); n > 0 {
		return zap.Uint64("left_out", n), true
	}
	return zap.Skip(), true
}

// reporter writes to the log what strangers can cause and what is ours, each at its own bounded rate: a flood of
// the one must not hide the other.
type reporter struct {
	log                     *zap.Logger
	theirs, ours, transport *throttle
}

func newReporter(l *zap.Logger) *reporter {
	return &reporter{log: l, theirs: newThrottle(), ours: newThrottle(), transport: newThrottle()}
}

// refused tells why a request was refused and whose it was. Nothing of its body is shown but the domain.
func (r *reporter) refused(k sender, req refusedRequest, why *refusal) {
	t, write, text := r.theirs, r.log.Warn, "callback refused"
	if why.status == http.StatusServiceUnavailable {
		t, write, text = r.ours, r.log.Error, "callback not taken"
	}
	if leftOut, ok := t.allow(); ok {
		write(text, zap.Stringer("kind", k), zap.String("reason", why.reason), zap.String("why", why.message),
			zap.String("remote", req.remote), zap.String("domain", req.domain), leftOut)
	}
}

// panicked tells of a fault in the program, and where; a value that is no fault of the runtime may hold anything, such
// as the body, and only its type is told.
func (r *reporter) panicked(k bridge.Kind, value any) {
	what := fmt.Sprintf("%T", value)
	if fault, ok := value.(runtime.Error); ok {
		what = fault.Error()
	}
	if leftOut, ok := r.ours.allow(); ok {
		r.log.Error("a request made the program panic", zap.Stringer("kind", k), zap.String("panic", what), zap.Stack("stack"), leftOut)
	}
}

// standard returns the logger for net/http, which tells of TLS handshakes and the like.
func (r *reporter) standard() *log.Logger { return log.New(r, "", 0) }

// Write takes a line of net/http.
func (r *reporter) Write(line []byte) (int, error) {
	if leftOut, ok := r.transport.allow(); ok {
		r.log.Debug("connection", zap.String("why", strings.TrimSpace(string(line))), leftOut)
	}
	return len(line), nil
}
