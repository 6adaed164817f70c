package ingress

import (
	"fmt"
	"log"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/time/rate"

	"livebridge/bridge"
)

// Limits on log lines of one kind: anybody who can reach the port can cause them. Each source has a smaller share, so
// that it cannot hide others; the most recent sources are remembered.
const (
	linesPerSecond       = 5
	linesAtOnce          = 20
	sourceLinesPerSecond = 0.2
	sourceLinesAtOnce    = 5
	sourcesRemembered    = 4096
)

// The fields that count suppressed lines: of one kind, and of one source.
const (
	suppressedKey         = "suppressed"
	suppressedOfSourceKey = "suppressed_of_source"
)

// throttle lets lines through at a limited rate and counts the others.
type throttle struct {
	limiter    *rate.Limiter
	suppressed atomic.Uint64
}

func newThrottle() *throttle { return &throttle{limiter: rate.NewLimiter(linesPerSecond, linesAtOnce)} }

// perSource keeps a throttle for each source.
type perSource struct {
	mu        sync.Mutex
	throttles *simplelru.LRU[netip.Addr, *throttle]
}

func newPerSource() *perSource {
	lru, err := simplelru.NewLRU[netip.Addr, *throttle](sourcesRemembered, nil)
	if err != nil {
		panic(err) // the size is above zero
	}
	return &perSource{throttles: lru}
}

// allow is throttle.allow for one source.
func (p *perSource) allow(source netip.Addr) (zap.Field, bool) {
	p.mu.Lock()
	t, found := p.throttles.Get(source)
	if !found {
		t = &throttle{limiter: rate.NewLimiter(sourceLinesPerSecond, sourceLinesAtOnce)}
		p.throttles.Add(source, t)
	}
	p.mu.Unlock()
	return t.allow()
}

// allow reports whether to write a line, and returns how many were suppressed since the last one.
func (t *throttle) allow() (zap.Field, bool) {
	if !t.limiter.Allow() {
		t.suppressed.Add(1)
		return zap.Skip(), false
	}
	if n := t.suppressed.Swap(0); n > 0 {
		return zap.Uint64(suppressedKey, n), true
	}
	return zap.Skip(), true
}

// reporter logs errors of clients, of the service, and of connections, each at its own limited rate: a flood of one
// must not hide the others.
type reporter struct {
	log                                         *zap.Logger
	sources                                     *perSource
	clientErrors, serverErrors, transportErrors *throttle
}

func newReporter(l *zap.Logger) *reporter {
	return &reporter{
		log: l, sources: newPerSource(),
		clientErrors: newThrottle(), serverErrors: newThrottle(), transportErrors: newThrottle(),
	}
}

// refused logs why a request was rejected and where it came from. Of its body it logs only what it is
// about: domain, app, stream and event. Errors of the service are limited in total, those of clients per source too.
func (r *reporter) refused(k kindLabel, req refusedRequest) {
	if req.why.lost() {
		if suppressed, ok := r.serverErrors.allow(); ok {
			r.log.Error(unavailableMessage(req.why.Reason), append(req.fields(k), suppressed)...)
		}
		return
	}
	suppressedOfSource, ok := r.sources.allow(sourceGroup(req.source.address))
	if !ok {
		return
	}
	if suppressed, ok := r.clientErrors.allow(); ok {
		if suppressedOfSource.Type != zapcore.SkipType {
			suppressedOfSource.Key = suppressedOfSourceKey
		}
		r.log.Warn("callback rejected", append(req.fields(k), suppressedOfSource, suppressed)...)
	}
}

func unavailableMessage(reason string) string {
	switch reason {
	case errTooManyConnections.Reason, errTooManyRequests.Reason:
		return "callback rejected: MAX_CONNECTIONS reached"
	case errPanic.Reason:
		return "callback rejected: internal error"
	}
	return "callback rejected: journal unavailable"
}

func (r *refusedRequest) fields(k kindLabel) []zap.Field {
	fields := []zap.Field{
		zap.Stringer("kind", k), zap.Int("status", r.why.Status), zap.String("reason", r.why.Reason),
		zap.String("detail", r.why.Detail()), zap.String("remote", r.remote), zap.Stringer("source", r.source.address),
	}
	for _, of := range [][2]string{{"domain", r.lane.Domain}, {"app", r.lane.App}, {"stream", r.lane.Stream},
		{"event", r.event}} {
		if of[1] != "" {
			fields = append(fields, zap.String(of[0], printable(of[1])))
		}
	}
	if r.path != "" {
		fields = append(fields, zap.String("path", r.path))
	}
	if r.trace != nil {
		fields = append(fields, zap.String("trace_id", r.trace.ID()))
	}
	if r.source.unreadable != "" {
		fields = append(fields, zap.String("unreadable_forwarded_for", printable(r.source.unreadable)))
	}
	return fields
}

// handshakeFailed logs a failed TLS handshake.
func (r *reporter) handshakeFailed(remote, reason, detail string) {
	source := addressOf(remote)
	suppressedOfSource, ok := r.sources.allow(sourceGroup(source))
	if !ok {
		return
	}
	if suppressed, ok := r.clientErrors.allow(); ok {
		if suppressedOfSource.Type != zapcore.SkipType {
			suppressedOfSource.Key = suppressedOfSourceKey
		}
		r.log.Warn("TLS handshake failed", zap.String("reason", reason), zap.String("error", printable(detail)),
			zap.String("remote", remote), zap.Stringer("source", source), suppressedOfSource, suppressed)
	}
}

// maxLoggedBytes bounds texts in the log that a sender has chosen.
const maxLoggedBytes = 128

// printable returns a sender's text for the log: truncated, and without control characters.
func printable(text string) string {
	cut := len(text) > maxLoggedBytes
	if cut {
		text = text[:maxLoggedBytes]
	}
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, text)
	if cut {
		text += "..."
	}
	return text
}

// panicked logs a panic with its stack. A value that is not a runtime.Error may contain anything, such as the body, so
// only its type is logged.
func (r *reporter) panicked(k bridge.Kind, value any) {
	what := fmt.Sprintf("%T", value)
	if fault, ok := value.(runtime.Error); ok {
		what = fault.Error()
	}
	if suppressed, ok := r.serverErrors.allow(); ok {
		r.log.Error("request handler panicked",
			zap.Stringer("kind", k), zap.String("panic", what), zap.Stack("stack"), suppressed)
	}
}

// standard returns the logger for net/http, which logs connection errors.
func (r *reporter) standard() *log.Logger { return log.New(r, "", 0) }

// Write logs a line of net/http.
func (r *reporter) Write(line []byte) (int, error) {
	if suppressed, ok := r.transportErrors.allow(); ok {
		r.log.Debug("connection error", zap.String("error", strings.TrimSpace(string(line))), suppressed)
	}
	return len(line), nil
}
