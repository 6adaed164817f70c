package ingress

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"livebridge/bridge/callback"
)

// What a zero value in Config means.
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

// Config is what a Server is made from. The zero Config is usable: every default, plain HTTP, no snapshots.
type Config struct {
	PathPrefix    string // before the routes, with or without slashes around it
	SnapshotToken string // last path segment of snapshot callbacks; empty: no such route

	// DomainsListed says that the signature ring has a list of domains: then an event word that is not known is an event
	// like any other. Without it such a word may come from a shifted field boundary and goes to quarantine.
	DomainsListed bool
	IgnoreStreams *regexp.Regexp  // streams to answer 200 and leave out; nil: none
	Policy        callback.Policy // what becomes of user_args and client_ip; the zero Policy keeps both

	// TrustedProxies may say in X-Forwarded-For whom they speak for; AllowSources is where requests are taken from, empty:
	// everywhere.
	TrustedProxies, AllowSources []netip.Prefix

	MaxBody        int64 // bytes; beyond: 413
	MaxConnections int   // open at once, idle ones included, and with HTTP/2 requests in hand; beyond: 503
	MaxHeader      int   // bytes of request line and headers; net/http allows about 4 KiB more; beyond: 431

	HeaderTimeout time.Duration // from the first chance to send until the headers are in, TLS handshake included
	ReadTimeout   time.Duration // the same until the body is in
	WriteTimeout  time.Duration // from the headers until the answer is out, so it must leave the journal its time
	IdleTimeout   time.Duration // between two requests of a connection
	RetryAfter    time.Duration // told with a 503, in whole seconds

	TLS *tls.Config      // nil: plain HTTP
	Now func() time.Time // the wall clock that signatures are judged by; nil: time.Now
}

// DefaultConfig returns the product's defaults: those of a zero value, written out, and user_args redacted.
func DefaultConfig() Config {
	c := Config{Policy: callback.Policy{UserArgs: callback.Redact}}.withDefaults()
	c.Now = nil
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
	return c
}

func (c Config) check() error {
	switch {
	case c.MaxBody < 0:
		return fmt.Errorf("MAX_BODY is %d; it must be positive", c.MaxBody)
	case c.MaxConnections < 0:
		return fmt.Errorf("MAX_CONNECTIONS is %d; it must be positive", c.MaxConnections)
	case c.MaxHeader < 0 || min(c.HeaderTimeout, c.ReadTimeout, c.WriteTimeout, c.IdleTimeout, c.RetryAfter) < 0:
		return errors.New("the limits on headers and the timeouts of connections must be positive")
	case slices.ContainsFunc(c.TrustedProxies, matchesEveryAddress):
		return errors.New("TRUSTED_PROXIES trusts everybody: anybody could say to be somebody else; name your proxies")
	case CheckToken(c.SnapshotToken) != nil:
		return fmt.Errorf("SNAPSHOT_TOKEN %w", CheckToken(c.SnapshotToken))
	case CheckPrefix(c.PathPrefix) != nil:
		return fmt.Errorf("PATH_PREFIX %w", CheckPrefix(c.PathPrefix))
	}
	return nil
}

// CheckToken refuses a snapshot token that a URL may have to escape. The error does not hold it.
func CheckToken(token string) error {
	if strings.ContainsFunc(token, notUnreserved) {
		return errors.New("holds something else than letters, digits and - . _ ~, and would not be the same in every URL")
	}
	return nil
}

// CheckPrefix refuses a PathPrefix that a URL may have to escape, or a route give a meaning.
func CheckPrefix(path string) error {
	if strings.ContainsFunc(strings.ReplaceAll(path, "/", ""), notUnreserved) {
		return fmt.Errorf("%q holds something else than letters, digits, slashes and - . _ ~", path)
	}
	return nil
}

// matchesEveryAddress reports whether a range holds every address of IPv4 or of IPv6.
func matchesEveryAddress(p netip.Prefix) bool {
	const before = 96 // bits of an IPv6 address before the IPv4 address in it
	return p.Bits() == 0 || p.Addr().Is4In6() && p.Bits() <= before
}

// retryAfter returns RetryAfter as the header wants it.
func (c Config) retryAfter() string { return strconv.Itoa(int(c.RetryAfter.Seconds())) }

// prefix returns PathPrefix as it goes before a route: empty, or with a slash in front and none behind.
func (c Config) prefix() string {
	if p := strings.Trim(c.PathPrefix, "/"); p != "" {
		return "/" + p
	}
	return ""
}

// notUnreserved reports whether a URL may have to escape r, or a route give it a meaning.
func notUnreserved(r rune) bool {
	return (r < '0' || '9' < r) && (r < 'A' || 'Z' < r) && (r < 'a' || 'z' < r) && !strings.ContainsRune("-._~", r)
}
