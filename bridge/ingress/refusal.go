package ingress

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// Refusal is why a request is rejected, and how. It contains no key, no signature and no token.
type Refusal struct {
	Status  int    // of HTTP
	Reason  string // for metrics and logs
	Message string // for the sender, who learns nothing of the settings
	Advice  string // for the operator, in the log; may be empty
}

// Error returns the message for the sender.
func (e *Refusal) Error() string { return e.Message }

// Detail returns the message with the advice, for the operator.
func (e *Refusal) Detail() string {
	if e.Advice == "" {
		return e.Message
	}
	return e.Message + "; " + e.Advice
}

// lost reports whether a well-formed callback may be lost with this answer, since the provider promises no retry.
func (e *Refusal) lost() bool { return e.Status == http.StatusServiceUnavailable }

// unknown reports whether the request was no callback, but for a path or with a method that does not exist, as those of
// scanners are.
func (e *Refusal) unknown() bool { return e == errNotFound || e == errMethod }

// The refusals of this package. None is ever written to.
var (
	errTooLarge   = &Refusal{http.StatusRequestEntityTooLarge, "too_large", "request body too large", "raise MAX_BODY"}
	errCompressed = &Refusal{http.StatusUnsupportedMediaType, "compressed",
		"request body is compressed; send it uncompressed", ""}
	errIncomplete = &Refusal{http.StatusBadRequest, "incomplete", "incomplete request body or read timeout", ""}
	errToken      = &Refusal{http.StatusNotFound, "token", "no such path", ""}
	errNotFound   = &Refusal{http.StatusNotFound, "not_found", errToken.Message, ""}
	errNoSnapshot = &Refusal{http.StatusNotFound, "not_found", errToken.Message,
		"snapshots need SNAPSHOT_TOKEN, the last segment of their path"}
	errMethod = &Refusal{http.StatusMethodNotAllowed, "method", "method not allowed; use POST", ""}
	errPanic  = &Refusal{http.StatusServiceUnavailable, "panic", "internal error", ""}

	errSource = &Refusal{http.StatusForbidden, "source", "source address not allowed", "see ALLOW_SOURCES"}

	errTooManyRequests = &Refusal{http.StatusServiceUnavailable, "requests",
		"too many concurrent requests", "raise MAX_CONNECTIONS"}
	errTooManyConnections = &Refusal{http.StatusServiceUnavailable, "connections",
		"too many connections", "raise MAX_CONNECTIONS"}
)

// Reasons of refusals that are made as they are needed.
const (
	reasonMalformed = "malformed"
	reasonFull      = "full"
	reasonStopping  = "stopping"
	reasonFailed    = "failed"
	reasonAway      = "broker"
)

// refusalOf maps the errors of packages callback and signature to HTTP responses; nothing else does.
func refusalOf(err error) *Refusal {
	var signed *signature.Error
	if errors.As(err, &signed) {
		return &Refusal{statusOf(signed.Verdict), signed.Reason, signed.Public(), signed.Advice()}
	}
	return &Refusal{http.StatusBadRequest, reasonMalformed, err.Error(), ""}
}

// routeRefusal maps the errors of routing.
func routeRefusal(err error) *Refusal {
	var own *Refusal
	var routed *echo.HTTPError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &routed) && routed.Code == http.StatusMethodNotAllowed:
		return errMethod
	}
	return errNotFound
}

func statusOf(v signature.Verdict) int {
	if v == signature.Forbidden {
		return http.StatusForbidden
	}
	return http.StatusUnauthorized
}

// journalRefusal never contains the error's own text, which may name files.
func journalRefusal(err error) *Refusal {
	reason, message := reasonFailed, bridge.ErrFailed.Error()
	switch {
	case errors.Is(err, bridge.ErrFull):
		reason, message = reasonFull, bridge.ErrFull.Error()
	case errors.Is(err, bridge.ErrStopping):
		reason, message = reasonStopping, bridge.ErrStopping.Error()
	case errors.Is(err, bridge.ErrBrokerAway):
		reason, message = reasonAway, bridge.ErrBrokerAway.Error()
	}
	return &Refusal{http.StatusServiceUnavailable, reason, message, ""}
}

// body is the response's JSON. Its result is a name for the status.
func (e *Refusal) body() []byte {
	b, err := json.Marshal(struct {
		Status  int    `json:"status"`
		Result  string `json:"result"`
		Message string `json:"message"`
	}{0, e.result(), e.Message})
	if err != nil {
		return []byte(`{"status":0,"result":"` + e.result() + `","message":""}`)
	}
	return b
}

func (e *Refusal) result() string {
	switch e.Status {
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
func (e *Refusal) write(w http.ResponseWriter, retryAfter string) {
	if e.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.WriteHeader(e.Status)
	_, _ = w.Write(e.body()) // the client may have gone
}
