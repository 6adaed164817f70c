package ingress

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/callback"
)

// The defaults of Config.
const (
	DefaultMaxBody        = 64 << 10
	DefaultMaxConnections = 4096
	DefaultMaxHeader      = 16 << 10
	DefaultHeaderTimeout  = 5 * time.Second
	DefaultReadTimeout    = 10 * time.Second
	DefaultWriteTimeout   = time.Minute
	DefaultIdleTimeout    = 75 * time.Second
	DefaultRetryAfter     = 5 * time.Second
)

// Config configures a Server. The zero Config is usable: every default, plain HTTP, no snapshots.
type Config struct {
	PathPrefix string // before every route, with or without surrounding slashes
	Rules

	// X-Forwarded-For of TrustedProxies is trusted; requests are accepted from AllowSources only, empty: from everywhere.
	TrustedProxies, AllowSources []netip.Prefix

	MaxConnections int // open at once, idle ones included, and concurrent HTTP/2 requests; beyond: 503
	MaxHeader      int // bytes of request line and headers; net/http allows about 4 KiB more; beyond: 431

	HeaderTimeout time.Duration // to receive the headers, TLS handshake included
	ReadTimeout   time.Duration // to receive headers and body
	WriteTimeout  time.Duration // from the headers to the end of the response, commit included
	IdleTimeout   time.Duration // between two requests of a connection
	RetryAfter    time.Duration // sent with a 503, in whole seconds

	Ready func() error // why /healthz is answered 503; nil: it never is

	TLS *tls.Config      // nil: plain HTTP
	Now func() time.Time // the wall clock that signatures are verified by; nil: time.Now

	Tracer bridge.Tracer // makes a span of every callback; nil: none
}

// DefaultConfig returns the product's defaults: those of the zero Config, and user_args redacted.
func DefaultConfig() Config {
	c := Config{Rules: Rules{Policy: callback.Policy{UserArgs: callback.Redact}}}.withDefaults()
	c.Now, c.Ready = nil, nil
	return c
}

func (c Config) withDefaults() Config {
	c.MaxBody = cmp.Or(c.MaxBody, DefaultMaxBody)
	c.MaxConnections = cmp.Or(c.MaxConnections, DefaultMaxConnections)
	c.MaxHeader = cmp.Or(c.MaxHeader, DefaultMaxHeader)
	c.HeaderTimeout = cmp.Or(c.HeaderTimeout, DefaultHeaderTimeout)
	c.ReadTimeout = cmp.Or(c.ReadTimeout, DefaultReadTimeout)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, DefaultWriteTimeout)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, DefaultIdleTimeout)
	c.RetryAfter = cmp.Or(c.RetryAfter, DefaultRetryAfter)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Ready == nil {
		c.Ready = func() error { return nil }
	}
	return c
}

func (c Config) check() error {
	switch {
	case c.MaxBody < 0:
		return bridge.NewSettingError("MAX_BODY", fmt.Errorf("%d is negative", c.MaxBody), "use 1 or more")
	case c.MaxConnections < 0:
		return bridge.NewSettingError("MAX_CONNECTIONS", fmt.Errorf("%d is negative", c.MaxConnections), "use 1 or more")
	case c.MaxHeader < 0 || min(c.HeaderTimeout, c.ReadTimeout, c.WriteTimeout, c.IdleTimeout, c.RetryAfter) < 0:
		return errors.New("limits on headers and timeouts of connections must be positive")
	case slices.ContainsFunc(c.TrustedProxies, matchesEveryAddress):
		return bridge.NewSettingError("TRUSTED_PROXIES",
			errors.New("includes every address, so that any sender could forge its source"), "list only your proxies")
	case CheckToken(c.SnapshotToken) != nil:
		return bridge.NewSettingError("SNAPSHOT_TOKEN", CheckToken(c.SnapshotToken), "")
	case CheckPrefix(c.PathPrefix) != nil:
		return bridge.NewSettingError("PATH_PREFIX", CheckPrefix(c.PathPrefix), "")
	}
	return nil
}

// CheckToken rejects a snapshot token that a URL may have to escape. The error does not contain it.
func CheckToken(token string) error {
	if strings.ContainsFunc(token, notUnreserved) {
		return errors.New("contains other characters than letters, digits and - . _ ~; use only those")
	}
	return nil
}

// CheckPrefix rejects a PathPrefix that a URL may have to escape or that has a meaning in routes.
func CheckPrefix(path string) error {
	if strings.ContainsFunc(strings.ReplaceAll(path, "/", ""), notUnreserved) {
		return fmt.Errorf("%q contains other characters than letters, digits, slashes and - . _ ~; use only those", path)
	}
	return nil
}

// matchesEveryAddress reports whether a range includes every IPv4 or IPv6 address.
func matchesEveryAddress(p netip.Prefix) bool {
	const before = 96 // bits of an IPv6 address before the IPv4 address in it
	return p.Bits() == 0 || p.Addr().Is4In6() && p.Bits() <= before
}

// retryAfter returns the value of the header Retry-After.
func (c Config) retryAfter() string { return strconv.Itoa(int(c.RetryAfter.Seconds())) }

// prefix returns PathPrefix for routes: empty, or with a leading slash and no trailing one.
func (c Config) prefix() string {
	if p := strings.Trim(c.PathPrefix, "/"); p != "" {
		return "/" + p
	}
	return ""
}

// notUnreserved reports whether a URL may have to escape r, or r has a meaning in routes.
func notUnreserved(r rune) bool {
	return (r < '0' || '9' < r) && (r < 'A' || 'Z' < r) && (r < 'a' || 'z' < r) && !strings.ContainsRune("-._~", r)
}
