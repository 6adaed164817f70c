package signature

import (
	"errors"
	"fmt"
)

// Verdict says what to do with a callback that is not simply good.
type Verdict uint8

// The verdicts, in the order in which they are reached.
const (
	Unauthorized Verdict = iota + 1 // 401: nobody who knows a key signed this
	Forbidden                       // 403: signed well or not in need of it, but not for us
	Expired                         // 401 and quarantine: signed well, but a clock may be wrong
)

// The words for why, one for each check, for metrics and logs.
const (
	ReasonNoKey              = "no_key"              // no key for this kind, and unsigned callbacks are refused
	ReasonNoSignature        = "no_signature"        // a key for this kind, and no signature in the callback
	ReasonMalformedSignature = "malformed_signature" // not as many hex digits as the scheme has
	ReasonMalformedTimestamp = "malformed_timestamp" // auth_timestamp is not 10 digits
	ReasonMismatch           = "mismatch"            // no key of this kind makes this signature
	ReasonNoHostName         = "no_host_name"        // the domain is none, so a field boundary may have been shifted
	ReasonDomain             = "domain"              // the domain is not listed
	ReasonApp                = "app"                 // the domain has rules, and none for the app
	ReasonExpired            = "expired"             // matches, and has expired
	ReasonTooFarAhead        = "too_far_ahead"       // matches, and lies too far in the future
	ReasonOddTimestamp       = "odd_timestamp"       // matches, and its SparkRTC timestamp has no unit
)

// Error is why a callback was not believed. Its text holds no key and no signature and may be shown to the sender.
type Error struct {
	Verdict Verdict
	Reason  string // one of the Reason constants
	Detail  string // the same as a sentence, naming the member or header and what to do
}

// Error returns the sentence.
func (e *Error) Error() string { return e.Detail }

func unauthorized(reason, detail string) error { return &Error{Unauthorized, reason, detail} }
func forbidden(reason, detail string) error    { return &Error{Forbidden, reason, detail} }
func expired(reason, detail string) error      { return &Error{Expired, reason, detail} }

// WithLocation says where a mistake is, in front of each that err joins; nil: none.
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
