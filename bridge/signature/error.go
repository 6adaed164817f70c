package signature

import (
	"errors"
	"fmt"
	"strings"
)

// Verdict is what to do with a callback that does not pass.
type Verdict uint8

// The verdicts, in the order in which they are reached.
const (
	Unauthorized Verdict = iota + 1 // 401: not signed with a key of ours
	Forbidden                       // 403: valid or unsigned, but not for this service
	Expired                         // 401 and quarantine: valid, but expired, unless a clock is wrong
)

// The reasons, one for each check, for metrics and logs.
const (
	ReasonNoKey              = "no_key"              // no key for this kind, and unsigned callbacks are rejected
	ReasonNoSignature        = "no_signature"        // a key for this kind, but no signature in the callback
	ReasonMalformedSignature = "malformed_signature" // not the hex digits of the scheme
	ReasonMalformedTimestamp = "malformed_timestamp" // auth_timestamp is not 10 digits
	ReasonMismatch           = "mismatch"            // no key of this kind makes this signature
	ReasonNoHostName         = "no_host_name"        // not a host name: a field boundary may have been shifted
	ReasonDomain             = "domain"              // the domain is not listed
	ReasonApp                = "app"                 // the domain has rules, but none for the app
	ReasonExpired            = "expired"             // matches, but has expired
	ReasonTooFarAhead        = "too_far_ahead"       // matches, but lies too far in the future
	ReasonOddTimestamp       = "odd_timestamp"       // matches, but its SparkRTC timestamp has no unit
)

// Reasons returns all of them with their verdicts.
func Reasons() map[string]Verdict {
	return map[string]Verdict{
		ReasonNoKey: Unauthorized, ReasonNoSignature: Unauthorized, ReasonMalformedSignature: Unauthorized,
		ReasonMalformedTimestamp: Unauthorized, ReasonMismatch: Unauthorized,
		ReasonNoHostName: Forbidden, ReasonDomain: Forbidden, ReasonApp: Forbidden,
		ReasonExpired: Expired, ReasonTooFarAhead: Expired, ReasonOddTimestamp: Expired,
	}
}

// Error is why a callback is rejected. Its text contains no key and no signature.
type Error struct {
	Verdict Verdict
	Reason  string // one of the Reason constants
	Detail  string // what is wrong, naming the member or header, and behind a semicolon what the operator can do
}

// Public returns what is wrong, for the sender: without the advice, which is about this service's settings.
func (e *Error) Public() string {
	fact, _, _ := strings.Cut(e.Detail, "; ")
	return fact
}

// Advice returns what the operator can do, which may be empty.
func (e *Error) Advice() string {
	_, advice, _ := strings.Cut(e.Detail, "; ")
	return advice
}

// Error returns Detail.
func (e *Error) Error() string { return e.Detail }

func unauthorized(reason, detail string) error { return &Error{Unauthorized, reason, detail} }
func forbidden(reason, detail string) error    { return &Error{Forbidden, reason, detail} }
func expired(reason, detail string) error      { return &Error{Expired, reason, detail} }

// WithLocation prefixes each of the errors that err joins with where the mistake is. It returns nil for nil.
func WithLocation(where string, err error) error {
	joined, many := err.(interface{ Unwrap() []error })
	switch {
	case err == nil:
		return nil
	case !many:
		return fmt.Errorf("%s: %w", where, err)
	}
	var errs []error
	for _, e := range joined.Unwrap() {
		errs = append(errs, WithLocation(where, e))
	}
	return errors.Join(errs...)
}
