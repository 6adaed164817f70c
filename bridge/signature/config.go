package signature

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"livebridge/bridge"
	"livebridge/bridge/signature/diagnose"
)

// Config is the configuration of a Ring. All keys of a list are valid at once, so that keys can be rotated at the
// provider without a gap.
type Config struct {
	Stream []string // keys of stream status: 32 to 128 characters
	Record []string // keys of Live recordings: 32 or more ASCII letters and digits
	RTC    []string // keys of SparkRTC recordings: 32 to 64 characters

	// RecordScheme is the only scheme accepted for Live recordings: SchemeHMAC, SchemeHMACLegacy or SchemeMD5. It is never
	// derived from the message, so no sender can choose a weaker one. The zero value means SchemeHMAC.
	RecordScheme bridge.Scheme

	// Rules choose keys by domain and app; the lists above apply where no rule matches.
	Rules []Rule

	// AcceptUnsigned accepts callbacks of kinds without any key, in rules too, whatever signature they carry.
	AcceptUnsigned bool

	// Domains are the ingest domains whose Live callbacks are accepted, case-insensitive; empty: any host name.
	Domains []string

	Skew      time.Duration // how long past its auth_timestamp a Live signature is accepted
	MaxAhead  time.Duration // how far in the future an auth_timestamp, or a SparkRTC timestamp, may lie
	RTCMaxAge time.Duration // how old a SparkRTC timestamp may be

	Uses *Uses // where key usage is counted; nil: in the ring only
}

// ParseScheme returns the recording scheme of a sign_type: HMACSHA256 and MD5 are the provider's names,
// HMACSHA256-LEGACY is ours for its formula of 2021.
func ParseScheme(signType string) (bridge.Scheme, error) {
	switch signType {
	case "HMACSHA256":
		return bridge.SchemeHMAC, nil
	case "HMACSHA256-LEGACY":
		return bridge.SchemeHMACLegacy, nil
	case "MD5":
		return bridge.SchemeMD5, nil
	}
	return 0, fmt.Errorf("unknown sign type %q; use HMACSHA256, HMACSHA256-LEGACY or MD5", signType)
}

// length is the provider's rule on the characters of a key.
type length struct {
	min, max     int // max 0: no limit
	alphanumeric bool
}

func keyLength(k bridge.Kind) length {
	switch k {
	case bridge.KindRecord:
		return length{min: 32, alphanumeric: true}
	case bridge.KindRTCRecord:
		return length{min: 32, max: 64}
	default:
		return length{min: 32, max: 128}
	}
}

// String returns the rule in the words of the provider's console.
func (l length) String() string {
	s := fmt.Sprintf("%d to %d characters", l.min, l.max)
	if l.max == 0 {
		s = fmt.Sprintf("at least %d characters", l.min)
	}
	if l.alphanumeric {
		s += ", letters and digits only"
	}
	return s
}

// checkKey rejects a key that the provider's console does not accept. position counts from 1.
func checkKey(k bridge.Kind, position int, key string) error {
	rule, n := keyLength(k), utf8.RuneCountInString(key)
	if n < rule.min || (rule.max > 0 && n > rule.max) {
		return fmt.Errorf("%v key %d has %d characters; the provider accepts %v%s", k, position, n, rule, withProblem(key))
	}
	if rule.alphanumeric && strings.ContainsFunc(key, notAlphanumeric) {
		return fmt.Errorf("%v key %d has characters other than letters and digits; the provider accepts %v%s",
			k, position, rule, withProblem(key))
	}
	if strings.ContainsFunc(key, unicode.IsControl) || strings.TrimSpace(key) != key {
		return fmt.Errorf("%v key %d has a line end, another control character, or surrounding white space; remove it",
			k, position)
	}
	return nil
}

func notAlphanumeric(r rune) bool {
	return (r < '0' || '9' < r) && (r < 'A' || 'Z' < r) && (r < 'a' || 'z' < r)
}

func (c *Config) recordScheme() bridge.Scheme { return cmp.Or(c.RecordScheme, bridge.SchemeHMAC) }

// check rejects negative durations, and schemes that no recording is signed with.
func (c *Config) check() error {
	schemes := []bridge.Scheme{c.recordScheme()}
	for i := range c.Rules {
		schemes = append(schemes, c.Rules[i].Scheme)
	}
	for _, s := range schemes {
		if s == bridge.SchemeRTC || s > bridge.SchemeRTC {
			return fmt.Errorf("recordings are not signed with %v; use HMACSHA256, HMACSHA256-LEGACY or MD5", s)
		}
	}
	if c.Skew < 0 || c.MaxAhead < 0 || c.RTCMaxAge < 0 {
		return fmt.Errorf("AUTH_SKEW %v, AUTH_MAX_AHEAD %v, RTC_MAX_AGE %v: must not be negative",
			c.Skew, c.MaxAhead, c.RTCMaxAge)
	}
	return nil
}

// withProblem returns what is wrong with a key as the end of an error.
func withProblem(key string) string {
	if problem := diagnose.KeyProblem(key); problem != "" {
		return "; it " + problem
	}
	return ""
}
