package ingress

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/callback"
	"livebridge/bridge/signature"
)

// The headers of SparkRTC's signature.
const (
	headerRTCRand      = "X-Rtc-Rand"
	headerRTCTimestamp = "X-Rtc-Timestamp"
	headerRTCSignature = "X-Rtc-Signature"
)

// errIgnored: verified, and left out because of IGNORE_STREAMS.
var errIgnored = errors.New("ignored")

// take decides one request from its body on. Nil: the callback is durable.
type take func(c echo.Context, k bridge.Kind, body []byte) error

// handler answers one kind of callback. A panic costs this request only.
func (s *Server) handler(k bridge.Kind, t take) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		begun := time.Now()
		defer func() {
			if p := recover(); p != nil {
				s.log.Error("a request has panicked", zap.Stringer("kind", k), zap.String("panic", fmt.Sprintf("%T", p)), zap.Stack("stack"))
				err = s.refuse(c, notTaken(bridge.ErrFailed))
			}
			s.metrics.answered(k, time.Since(begun))
		}()
		b := buffers.Get().(*buffer)
		defer b.release()
		body, refused := s.read(c.Request(), b)
		if refused == nil {
			refused = s.judge(t(c, k, body))
		}
		if refused == nil {
			s.metrics.accepted(k)
			return accepted(c)
		}
		if refused.result == errIgnored.Error() {
			s.metrics.ignored(k)
			return accepted(c)
		}
		s.metrics.refused(k, refused.reason)
		s.refused.note(k, refused.reason, c.Request().RemoteAddr)
		return s.refuse(c, refused)
	}
}

// judge turns every error of a take into its answer: the one place where errors become statuses.
func (s *Server) judge(err error) *refusal {
	var fault *callback.Error
	var disbelief *signature.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errIgnored):
		return &refusal{status: http.StatusOK, result: errIgnored.Error()}
	case errors.Is(err, errNoToken):
		return &refusal{http.StatusNotFound, "not_found", "token", "there is nothing here"}
	case errors.As(err, &fault):
		return badBody(err)
	case errors.As(err, &disbelief):
		return notBelieved(disbelief)
	}
	return notTaken(err)
}

// takeLive takes stream status and Live recordings, which are signed over members of the body.
func (s *Server) takeLive(c echo.Context, k bridge.Kind, body []byte) error {
	cb, err := callback.Decode(k, body)
	if err != nil {
		return err
	}
	defer cb.Release()
	now := time.Now()
	scheme, sig, err := s.ring.Load().Verify(signature.Claim{
		Kind: k, Event: cb.Word, Domain: cb.Domain, App: cb.App, Stream: cb.Stream,
		DownloadURL: cb.DownloadURL, PlayURL: cb.PlayURL, Timestamp: cb.AuthTimestamp, Sign: cb.AuthSign,
	}, now)
	return s.enter(c, cb, proof{scheme: scheme, signature: sig, err: err}, callback.Nonce{}, body, now)
}

// errNoToken: the snapshot route was called without its token.
var errNoToken = errors.New("no such token")

// takeSnapshot takes snapshots, whose formula the provider does not tell: the secret is in the path.
func (s *Server) takeSnapshot(c echo.Context, k bridge.Kind, body []byte) error {
	if subtle.ConstantTimeCompare([]byte(c.Param("token")), []byte(s.cfg.SnapshotToken)) != 1 {
		return errNoToken
	}
	return s.takeLive(c, k, body)
}

// takeRTC takes SparkRTC recordings, which are signed over headers and the raw body: what does not parse was signed all
// the same, and is kept in the quarantine.
func (s *Server) takeRTC(c echo.Context, k bridge.Kind, body []byte) error {
	h, now := c.Request().Header, time.Now()
	nonce := callback.Nonce{Rand: h.Get(headerRTCRand), Timestamp: h.Get(headerRTCTimestamp)}
	scheme, sig, err := s.ring.Load().VerifyRTC(signature.RTCClaim{
		Rand: nonce.Rand, Timestamp: nonce.Timestamp, Sign: h.Get(headerRTCSignature), Body: body}, now)
	if err != nil && !isExpired(err) {
		return err
	}
	p := proof{scheme: scheme, signature: sig, err: err}
	cb, err := callback.Decode(k, body)
	if err != nil {
		return s.enterMalformed(c, p, nonce, body, err)
	}
	defer cb.Release()
	return s.enter(c, cb, p, nonce, body, now)
}

// proof is what the ring said of a callback.
type proof struct {
	scheme    bridge.Scheme
	signature bridge.Signature
	err       error
}

func isExpired(err error) bool {
	var e *signature.Error
	return errors.As(err, &e) && e.Verdict == signature.Expired
}

// enter hands a callback to the journal: to its lane, or to the quarantine. One that has expired is kept and refused.
func (s *Server) enter(c echo.Context, cb *callback.Callback, p proof, nonce callback.Nonce, body []byte, now time.Time) error {
	if p.err != nil && !isExpired(p.err) {
		return p.err
	}
	if s.cfg.IgnoreStreams != nil && s.cfg.IgnoreStreams.MatchString(cb.Stream) && p.err == nil {
		return errIgnored
	}
	a := bridge.Arrival{Signature: p.signature, Raw: body}
	a.Event, a.Identify = cb.Event(s.cfg.Policy, nonce, bridge.MillisOf(now))
	a.Event.Scheme = p.scheme
	switch {
	case p.err != nil:
		a.Reason = bridge.ReasonExpired
	case !cb.Known && cb.Kind != bridge.KindRTCRecord && !s.cfg.DomainsListed:
		a.Reason = bridge.ReasonUnknownEvent
	}
	if err := s.journal.Append(c.Request().Context(), &a); err != nil {
		return err
	}
	return p.err
}

// enterMalformed keeps a SparkRTC body that cannot be read. Unsigned ones are refused as any other body is.
func (s *Server) enterMalformed(c echo.Context, p proof, nonce callback.Nonce, body []byte, fault error) error {
	if p.scheme == bridge.SchemeNone {
		return fault
	}
	a := bridge.Arrival{Signature: p.signature, Raw: body, Event: callback.Malformed(body, nonce), Reason: bridge.ReasonMalformed}
	if p.err != nil {
		a.Reason = bridge.ReasonExpired
	}
	a.Event.Scheme = p.scheme
	if err := s.journal.Append(c.Request().Context(), &a); err != nil {
		return err
	}
	return p.err
}
