package ingress

import (
	"fmt"
	"log"
	"net/http"
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

// How many lines of one sort go to the log: whoever can reach the port can cause them. One source has a smaller share, so
// that it cannot hide what others do; some sources are remembered, those that were heard of last.
const (
	linesPerSecond       = 5
	linesAtOnce          = 20
	sourceLinesPerSecond = 0.2
	sourceLinesAtOnce    = 5
	sourcesRemembered    = 4096
)

// throttle lets so many lines through and counts the others.
type throttle struct {
	limiter    *rate.Limiter
	suppressed atomic.Uint64
}

func newThrottle() *throttle { return &throttle{limiter: rate.NewLimiter(linesPerSecond, linesAtOnce)} }

// perSource has a throttle for each source.
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

// allow reports whether a line may be written, with how many have been left out since the last one.
func (t *throttle) allow() (zap.Field, bool) {
	if !t.limiter.Allow() {
		t.suppressed.Add(1)
		return zap.Skip(), false
	}
	if n := t.suppressed.Swap(0); n > 0 {
		return zap.Uint64("left_out", n), true
	}
	return zap.Skip(), true
}

// reporter writes to the log what strangers can cause and what is ours, each at its own bounded rate: a flood of
// the one must not hide the other.
type reporter struct {
	log                                         *zap.Logger
	sources                                     *perSource
	clientErrors, serverErrors, transportErrors *throttle
}

func newReporter(l *zap.Logger) *reporter {
	return &reporter{log: l, sources: newPerSource(), clientErrors: newThrottle(), serverErrors: newThrottle(), transportErrors: newThrottle()}
}

// refused tells why a request was refused and whose it was. Nothing of its body is shown but the domain. What is lost
// by our fault is told at the rate of all sources together, what a source has done wrong at its own rate as well.
func (r *reporter) refused(k kindLabel, req refusedRequest, why *refusal) {
	if why.status == http.StatusServiceUnavailable {
		if suppressed, ok := r.serverErrors.allow(); ok {
			r.log.Error("callback not taken", append(req.fields(k, why), suppressed)...)
		}
		return
	}
	suppressedOfSource, ok := r.sources.allow(sourceGroup(req.source.address))
	if !ok {
		return
	}
	if suppressed, ok := r.clientErrors.allow(); ok {
		if suppressedOfSource.Type != zapcore.SkipType {
			suppressedOfSource.Key = "left_out_of_source"
		}
		r.log.Warn("callback refused", append(req.fields(k, why), suppressedOfSource, suppressed)...)
	}
}

func (r *refusedRequest) fields(k kindLabel, why *refusal) []zap.Field {
	fields := []zap.Field{zap.Stringer("kind", k), zap.String("reason", why.reason), zap.String("why", why.message),
		zap.String("remote", r.remote), zap.Stringer("source", r.source.address), zap.String("domain", r.domain)}
	if r.path != "" {
		fields = append(fields, zap.String("path", r.path))
	}
	if r.source.unreadable != "" {
		fields = append(fields, zap.String("unreadable_forwarded_for", printable(r.source.unreadable)))
	}
	return fields
}

// handshakeFailed tells why a connection did not get as far as a request.
func (r *reporter) handshakeFailed(remote, reason, detail string) {
	source := addressOf(remote)
	suppressedOfSource, ok := r.sources.allow(sourceGroup(source))
	if !ok {
		return
	}
	if suppressed, ok := r.clientErrors.allow(); ok {
		if suppressedOfSource.Type != zapcore.SkipType {
			suppressedOfSource.Key = "left_out_of_source"
		}
		r.log.Warn("TLS handshake failed", zap.String("reason", reason), zap.String("error", printable(detail)),
			zap.String("remote", remote), zap.Stringer("source", source), suppressedOfSource, suppressed)
	}
}

// maxLoggedBytes is how much of a text goes to the log that a sender has chosen.
const maxLoggedBytes = 128

// printable returns a text that a sender has chosen as it may be logged: not too long, and no control characters.
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

// panicked tells of a fault in the program, and where; a value that is no fault of the runtime may hold anything, such
// as the body, and only its type is told.
func (r *reporter) panicked(k bridge.Kind, value any) {
	what := fmt.Sprintf("%T", value)
	if fault, ok := value.(runtime.Error); ok {
		what = fault.Error()
	}
	if suppressed, ok := r.serverErrors.allow(); ok {
		r.log.Error("a request made the program panic", zap.Stringer("kind", k), zap.String("panic", what), zap.Stack("stack"), suppressed)
	}
}

// standard returns the logger for net/http, which tells of TLS handshakes and the like.
func (r *reporter) standard() *log.Logger { return log.New(r, "", 0) }

// Write takes a line of net/http.
func (r *reporter) Write(line []byte) (int, error) {
	if suppressed, ok := r.transportErrors.allow(); ok {
		r.log.Debug("connection", zap.String("why", strings.TrimSpace(string(line))), suppressed)
	}
	return len(line), nil
}
