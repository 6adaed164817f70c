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

// refusal is why a request is refused before, or besides, what the other packages judge.
type refusal struct {
	status  int
	reason  string // for metrics and logs
	message string // for the sender
}

// Error returns the sentence for the sender.
func (e *refusal) Error() string { return e.message }

// The refusals of this package. None is ever written to.
var (
	errTooLarge   = &refusal{http.StatusRequestEntityTooLarge, "too_large", "the body is too large; see MAX_BODY"}
	errCompressed = &refusal{http.StatusUnsupportedMediaType, "compressed", "the body is compressed; send it as it is"}
	errIncomplete = &refusal{http.StatusBadRequest, "incomplete", "the body did not come whole, or too slowly"}
	errToken      = &refusal{http.StatusNotFound, "token", "there is nothing at this path"}
	errNotFound   = &refusal{http.StatusNotFound, "not_found", errToken.message}
	errMethod     = &refusal{http.StatusMethodNotAllowed, "method", "callbacks come by POST"}
	errPanic      = &refusal{http.StatusServiceUnavailable, "panic", "the callback could not be handled; see the log"}

	errSource = &refusal{http.StatusForbidden, "source", "callbacks are not taken from this address; see ALLOW_SOURCES"}

	errTooManyRequests    = &refusal{http.StatusServiceUnavailable, "requests", "too many requests at once; see MAX_CONNECTIONS"}
	errTooManyConnections = &refusal{http.StatusServiceUnavailable, "connections",
		"too many connections; see MAX_CONNECTIONS"}
)

// refusalOf maps every error to HTTP; nothing else does.
func refusalOf(err error) *refusal {
	var own *refusal
	var signed *signature.Error
	var body *callback.Error
	var routed *echo.HTTPError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &signed):
		return &refusal{statusOf(signed.Verdict), signed.Reason, signed.Detail}
	case errors.As(err, &body):
		return &refusal{http.StatusBadRequest, "malformed", body.Error()}
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

// journalRefusal never repeats the error's own text, which may name files.
func journalRefusal(err error) *refusal {
	reason, message := "failed", bridge.ErrFailed.Error()
	switch {
	case errors.Is(err, bridge.ErrFull):
		reason, message = "full", bridge.ErrFull.Error()
	case errors.Is(err, bridge.ErrStopping):
		reason, message = "stopping", bridge.ErrStopping.Error()
	}
	return &refusal{http.StatusServiceUnavailable, reason, message}
}

// body is the answer's JSON. Its result is one word for the status.
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

// write sends the answer. retryAfter is what a 503 asks its sender to wait.
func (e *refusal) write(w http.ResponseWriter, retryAfter string) {
	if e.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.WriteHeader(e.status)
	_, _ = w.Write(e.body()) // a sender that has gone gets no answer
}
