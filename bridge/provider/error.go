package provider

import (
	"fmt"
	"strings"
)

// Error is how a request to the provider failed.
type Error struct {
	// Op is what was requested, such as "create record push.example.com/live".
	Op string
	// Status is the HTTP status, 0 without a response.
	Status int
	// Code is the provider's error_code, such as LIVE.100011001; empty if it sent none.
	Code string
	// Message is the provider's error_msg, or what went wrong on the way. It has no line breaks and no key.
	Message string
	// RequestID identifies the request to the provider's support; empty if it sent none.
	RequestID string
	// Advice is what to do, a sentence without a full stop; empty if nothing is known.
	Advice string
	// Temporary says that the same request can succeed later without a change: throttling, 5xx, a time-out.
	Temporary bool

	cause error
}

// Error returns one line with all that is known.
func (e *Error) Error() string {
	var known []string
	if e.Status != 0 {
		known = append(known, fmt.Sprintf("status %d", e.Status))
	}
	if e.Code != "" {
		known = append(known, "error_code "+e.Code)
	}
	if e.RequestID != "" {
		known = append(known, "request id "+e.RequestID)
	}
	text := e.Op + ": " + e.Message
	if len(known) > 0 {
		text += " (" + strings.Join(known, ", ") + ")"
	}
	if e.Advice != "" {
		text += "; " + e.Advice
	}
	return text
}

// Unwrap returns the cause: the SDK's error, or that of the context.
func (e *Error) Unwrap() error { return e.cause }
