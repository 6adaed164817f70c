package ingress

import (
	"errors"
	"net/http"
	"strings"

	"livebridge/bridge"
	"livebridge/bridge/callback"
	"livebridge/bridge/signature"
)

// outcome is the outcome of a request: stored, ignored because of IGNORE_STREAMS, or rejected.
type outcome struct {
	lane    bridge.Lane // of the body, if it could be decoded
	event   string      // likewise; empty for SparkRTC, whose body is not trusted before its signature is
	ignored bool
	probe   *verifiedProbe // no callback, but one of these
	err     error
}

// handleCallback turns a panic into an outcome, so that it costs only one request. That request's buffers are not
// reused, since something may still refer to them.
func (s *Server) handleCallback(w http.ResponseWriter, r *http.Request, k bridge.Kind) (o outcome) {
	defer func() {
		if p := recover(); p != nil {
			s.report.panicked(k, p)
			o = outcome{err: errPanic}
		}
	}()
	return s.judge(w, r, k)
}

func (s *Server) judge(w http.ResponseWriter, r *http.Request, k bridge.Kind) (o outcome) {
	b := s.buffers.get()
	if o.err = b.read(w, r, s.cfg.MaxBody); o.err == nil {
		o.err = checkEncoding(r.Header)
	}
	switch {
	case o.err != nil:
	case s.isProbe(&o, k, r.Header, b.bytes):
	case k == bridge.KindRTCRecord:
		o = s.judgeRTC(r.Header, b.bytes)
	default:
		o = s.judgeLive(k, b.bytes)
	}
	s.buffers.put(b)
	return o
}

// checkEncoding rejects compressed bodies, whose decompressed size has no bound. It ignores values that are not content
// codings, such as a charset put there by mistake.
func checkEncoding(h http.Header) error {
	for _, line := range h["Content-Encoding"] {
		for coding := range strings.SplitSeq(line, ",") {
			if isCoding(strings.ToLower(strings.TrimSpace(coding))) {
				return errCompressed
			}
		}
	}
	return nil
}

// isCoding reports whether name is a registered content coding other than identity.
func isCoding(name string) bool {
	switch name {
	case "gzip", "x-gzip", "br", "deflate", "zstd", "compress", "x-compress", "aes128gcm",
		"dcb", "dcz", "exi", "pack200-gzip":
		return true
	}
	return false
}

// judgeLive handles a stream, record or snapshot callback.
func (s *Server) judgeLive(k bridge.Kind, body []byte) outcome {
	c, err := callback.Decode(k, body)
	if err != nil {
		return outcome{err: err}
	}
	defer c.Release()
	now := s.cfg.Now()
	scheme, sig, err := s.ring.Load().Verify(signature.Claim{
		Kind: k, Event: c.EventName, Domain: c.Domain, App: c.App, Stream: c.Stream,
		DownloadURL: c.DownloadURL, PlayURL: c.PlayURL, Timestamp: c.AuthTimestamp, Sign: c.AuthSign,
	}, now)
	if !authentic(err) {
		return outcome{lane: c.Lane, event: c.EventName, err: err}
	}
	a := bridge.Arrival{Signature: sig, Raw: body, EventName: c.EventName}
	if !c.Known && !s.cfg.DomainsListed {
		a.Reason = bridge.ReasonUnknownEvent
	}
	a.Event, a.Identity = c.Event(s.cfg.Policy, callback.Nonce{}, bridge.MillisOf(now))
	a.Event.Scheme = scheme
	return s.store(&a, c.EventName, err)
}

// judgeRTC handles a SparkRTC callback. Its signature is over the raw body, so nothing in the body is trusted before
// verification except app_id, which may choose a key.
func (s *Server) judgeRTC(h http.Header, body []byte) outcome {
	now, nonce := s.cfg.Now(), callback.Nonce{Rand: h.Get("X-Rtc-Rand"), Timestamp: h.Get("X-Rtc-Timestamp")}
	claim := signature.RTCClaim{Rand: nonce.Rand, Timestamp: nonce.Timestamp, Sign: h.Get("X-Rtc-Signature"), Body: body}
	c, err := callback.Decode(bridge.KindRTCRecord, body)
	if err == nil {
		defer c.Release()
		claim.AppID = c.Domain
	}
	scheme, sig, verdict := s.ring.Load().VerifyRTC(claim, now)
	if !authentic(verdict) {
		return outcome{err: verdict}
	}
	a := bridge.Arrival{Signature: sig, Raw: body}
	switch {
	case err == nil:
		a.EventName = c.EventName
		a.Event, a.Identity = c.Event(s.cfg.Policy, nonce, bridge.MillisOf(now))
	case scheme == bridge.SchemeNone:
		return outcome{err: err}
	default:
		a.Event, a.Reason = callback.Malformed(body, nonce), bridge.ReasonMalformed
	}
	a.Event.Scheme = scheme
	var event string
	if err == nil {
		event = c.EventName
	}
	return s.store(&a, event, verdict)
}

// authentic reports whether a callback's signature is valid, even if expired.
func authentic(verdict error) bool {
	if verdict == nil {
		return true
	}
	var e *signature.Error
	return errors.As(verdict, &e) && e.Verdict == signature.Expired
}

// store appends an authentic callback to the journal. verdict is not nil if its signature has expired: then it goes to
// the quarantine, and the outcome is the verdict all the same.
func (s *Server) store(a *bridge.Arrival, event string, verdict error) outcome {
	lane := a.Event.Lane
	if verdict != nil {
		a.Reason = bridge.ReasonExpired
	} else if s.ignores(lane) {
		return outcome{lane: lane, event: event, ignored: true}
	}
	if err := s.journal.Append(s.ctx, a); err != nil {
		return outcome{lane: lane, event: event, err: err}
	}
	return outcome{lane: lane, event: event, err: verdict}
}

func (s *Server) ignores(lane bridge.Lane) bool {
	return s.cfg.IgnoreStreams != nil && !lane.IsZero() && s.cfg.IgnoreStreams.MatchString(lane.Stream)
}
