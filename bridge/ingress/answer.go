package ingress

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"livebridge/bridge"
	"livebridge/bridge/callback"
	"livebridge/bridge/signature"
)

// refusal is an answer that is not 200. Its texts hold no secret and go to the sender.
type refusal struct {
	status  int
	result  string // one word for the answer
	reason  string // one word for metrics and logs, finer than result
	message string
}

var success = []byte(`{"status":1,"result":"success"}`)

// accepted answers 200.
func accepted(c echo.Context) error {
	return c.JSONBlob(http.StatusOK, success)
}

// refuse answers with what was wrong.
func (s *Server) refuse(c echo.Context, r *refusal) error {
	body, err := json.Marshal(struct {
		Status  int    `json:"status"`
		Result  string `json:"result"`
		Message string `json:"message"`
	}{0, r.result, r.message})
	if err != nil {
		return err
	}
	if r.status == http.StatusServiceUnavailable {
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(s.cfg.RetryAfter.Seconds())))
	}
	if r.status == http.StatusRequestEntityTooLarge {
		c.Response().Header().Set("Connection", "close")
	}
	return c.JSONBlob(r.status, body)
}

// unrouted answers what no route takes.
func (s *Server) unrouted(err error, c echo.Context) {
	r := &refusal{http.StatusNotFound, "not_found", "not_found",
		"there is nothing here; callbacks go to /live/stream, /live/record, /live/snapshot/<token> and /rtc/record behind PATH_PREFIX"}
	var h *echo.HTTPError
	if errors.As(err, &h) && h.Code == http.StatusMethodNotAllowed {
		r = &refusal{http.StatusMethodNotAllowed, "method_not_allowed", "method_not_allowed", "callbacks are sent with POST"}
	}
	s.metrics.refused(0, r.reason)
	if err := s.refuse(c, r); err != nil {
		s.log.Debug("an answer could not be sent")
	}
}

// badBody is the refusal of a body that is no callback.
func badBody(err error) *refusal {
	r := &refusal{http.StatusBadRequest, "bad_request", "body", err.Error()}
	var fault *callback.Error
	if errors.As(err, &fault) && fault.Field != "" {
		r.reason = "member"
	}
	return r
}

// notBelieved is the refusal of a callback whose signature was judged.
func notBelieved(err *signature.Error) *refusal {
	if err.Verdict == signature.Forbidden {
		return &refusal{http.StatusForbidden, "forbidden", err.Reason, err.Detail}
	}
	return &refusal{http.StatusUnauthorized, "unauthorized", err.Reason, err.Detail}
}

// notTaken is the refusal of a callback that the journal could not take.
func notTaken(err error) *refusal {
	r := &refusal{http.StatusServiceUnavailable, "unavailable", "failed", "the journal has failed; send the callback again later"}
	switch {
	case errors.Is(err, bridge.ErrFull):
		r.reason, r.message = "full", "there is no room for more now; send the callback again later"
	case errors.Is(err, bridge.ErrStopping):
		r.reason, r.message = "stopping", "the service is stopping; send the callback again later"
	}
	return r
}
