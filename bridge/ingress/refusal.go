package ingress

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"livebridge/bridge"
	"livebridge/bridge/callback"
	"livebridge/bridge/signature"
)

// refusal is why a request is rejected, and how.
type refusal struct {
	status  int
	reason  string // for metrics and logs
	message string // for the sender, who learns nothing of the settings
	advice  string // for the operator, in the log; may be empty
}

// Error returns the message for the sender.
func (e *refusal) Error() string { return e.message }

// detail returns the message with the advice, for the log.
func (e *refusal) detail() string {
	if e.advice == "" {
		return e.message
	}
	return e.message + "; " + e.advice
}

// lost reports whether a well-formed callback may be lost with this answer, since the provider promises no retry.
func (e *refusal) lost() bool { return e.status == http.StatusServiceUnavailable }

// unknown reports whether the request was no callback, but for a path or with a method that does not exist, as those of
// scanners are.
func (e *refusal) unknown() bool { return e == errNotFound || e == errMethod }

// The refusals of this package. None is ever written to.
var (
	errTooLarge   = &refusal{http.StatusRequestEntityTooLarge, "too_large", "request body too large", "raise MAX_BODY"}
	errCompressed = &refusal{http.StatusUnsupportedMediaType, "compressed",
		"request body is compressed; send it uncompressed", ""}
	errIncomplete = &refusal{http.StatusBadRequest, "incomplete", "incomplete request body or read timeout", ""}
	errToken      = &refusal{http.StatusNotFound, "token", "no such path", ""}
	errNotFound   = &refusal{http.StatusNotFound, "not_found", errToken.message, ""}
	errMethod     = &refusal{http.StatusMethodNotAllowed, "method", "method not allowed; use POST", ""}
	errPanic      = &refusal{http.StatusServiceUnavailable, "panic", "internal error", ""}

	errSource = &refusal{http.StatusForbidden, "source", "source address not allowed", "see ALLOW_SOURCES"}

	errTooManyRequests = &refusal{http.StatusServiceUnavailable, "requests",
		"too many concurrent requests", "raise MAX_CONNECTIONS"}
	errTooManyConnections = &refusal{http.StatusServiceUnavailable, "connections",
		"too many connections", "raise MAX_CONNECTIONS"}
)

// Reasons of refusals that are made as they are needed.
const (
	reasonMalformed = "malformed"
	reasonFull      = "full"
	reasonStopping  = "stopping"
	reasonFailed    = "failed"
)

// refusalOf maps errors to HTTP responses; nothing else does.
func refusalOf(err error) *refusal {
	var own *refusal
	var signed *signature.Error
	var body *callback.Error
	var routed *echo.HTTPError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &signed):
		return &refusal{statusOf(signed.Verdict), signed.Reason, signed.Public(), signed.Advice()}
	case errors.As(err, &body):
		return &refusal{http.StatusBadRequest, reasonMalformed, body.Error(), ""}
	case errors.As(err, &routed) && routed.Code == http.StatusMethodNotAllowed:
		return errMethod
	case errors.As(err, &routed):
		return errNotFound
	}
	return journalRefusal(err)
}

func statusOf(v signature.Verdict) int {
	if v == signature.Forbidden {
		return http.StatusForbidden
	}
	return http.StatusUnauthorized
}

// journalRefusal never contains the error's own text, which may name files.
func journalRefusal(err error) *refusal {
	reason, message := reasonFailed, bridge.ErrFailed.Error()
	switch {
	case errors.Is(err, bridge.ErrFull):
		reason, message = reasonFull, bridge.ErrFull.Error()
	case errors.Is(err, bridge.ErrStopping):
		reason, message = reasonStopping, bridge.ErrStopping.Error()
	}
	return &refusal{http.StatusServiceUnavailable, reason, message, ""}
}

// body is the response's JSON. Its result is a name for the status.
func (e *refusal) body() []byte {
	b, err := json.Marshal(struct {
		Status  int    `json:"status"`
		Result  string `json:"result"`
		Message string `json:"message"`
	}{0, e.result(), e.message})
	if err != nil {
		return []byte(`{"status":0,"result":"` + e.result() + `","message":""}`)
	}
	return b
}

func (e *refusal) result() string {
	switch e.status {
	case http.StatusBadRequest:
		return "malformed"
	case http.StatusUnauthorized:
		return "unauthorized"
	case http.StatusForbidden:
		return "forbidden"
	case http.StatusNotFound:
		return "not_found"
	case http.StatusMethodNotAllowed:
		return "method_not_allowed"
	case http.StatusRequestEntityTooLarge:
		return "too_large"
	case http.StatusUnsupportedMediaType:
		return "unsupported"
	}
	return "unavailable"
}

// write sends the response. retryAfter is sent with a 503.
func (e *refusal) write(w http.ResponseWriter, retryAfter string) {
	if e.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.WriteHeader(e.status)
	_, _ = w.Write(e.body()) // the client may have gone
}
