package ingress

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/callback"
	"livebridge/bridge/signature"
)

// Rules are what requests are judged by, beside the keys and the time. They are never written to.
type Rules struct {
	MaxBody       int64  // bytes; beyond: 413
	SnapshotToken string // last path segment of snapshot callbacks; empty: no such route

	// DomainsListed says that the signature ring has a list of domains: then unknown event names are accepted. Otherwise
	// such a name may come from a shifted field boundary, and the callback goes to quarantine.
	DomainsListed bool
	IgnoreStreams *regexp.Regexp  // streams whose callbacks are answered 200 and not published; nil: none
	Policy        callback.Policy // redaction of user_args and client_ip; the zero Policy keeps both
}

// Request is one request to a route of callbacks.
type Request struct {
	Method string
	Kind   bridge.Kind // of the route
	Token  string      // the last path segment of a snapshot callback
	Header http.Header
	Body   []byte // whole, or at least one byte more than Rules.MaxBody
}

// Verdict is what becomes of a request: it is stored, ignored or refused, or stored in the quarantine and refused.
type Verdict struct {
	Lane      bridge.Lane // of the body, if it could be decoded
	EventName string      // likewise; empty for SparkRTC with an invalid signature, whose body is not trusted

	Arrival *bridge.Arrival // has to be durable before the response; nil: nothing is stored
	Ignored bool            // the callback is valid, and IgnoreStreams matches its stream
	Refusal *Refusal        // the response; nil: 200

	// For an explanation of the verdict.
	Malformed error              // why the body could not be decoded
	Claim     signature.Claim    // what the signature of the other kinds covers
	RTCClaim  signature.RTCClaim // and of SparkRTC
}

// Judge decides what becomes of a request that arrives at now, in the order of the checks in the package comment. It
// depends on its arguments alone and changes nothing, but that the ring remembers which keys are used; the Verdict
// refers to req.Body. Duplicates and tampering are not judged here: that takes the journal.
func (r *Rules) Judge(req Request, ring *signature.Ring, now time.Time) Verdict {
	if refused := r.judgeFrame(&req); refused != nil {
		return Verdict{Refusal: refused}
	}
	c, malformed := callback.Decode(req.Kind, req.Body)
	if malformed == nil {
		defer c.Release()
	}
	v := Verdict{Malformed: malformed}
	if req.Kind == bridge.KindRTCRecord {
		r.judgeRTC(&v, c, &req, ring, now)
	} else {
		r.judgeLive(&v, c, &req, ring, now)
	}
	return v
}

// judgeFrame judges all but the content of the body; nil: that is next.
func (r *Rules) judgeFrame(req *Request) *Refusal {
	if refused := r.judgeRoute(req.Kind, req.Token); refused != nil {
		return refused
	}
	switch {
	case req.Method != http.MethodPost:
		return errMethod
	case int64(len(req.Body)) > r.MaxBody:
		return errTooLarge
	case isCompressed(req.Header):
		return errCompressed
	}
	return nil
}

// judgeRoute judges the path, which needs no body; nil: it is that of callbacks of this kind.
func (r *Rules) judgeRoute(k bridge.Kind, token string) *Refusal {
	switch {
	case k != bridge.KindSnapshot:
		return nil
	case r.SnapshotToken == "":
		return errNoSnapshot
	case !sameToken(token, r.SnapshotToken):
		return errToken
	}
	return nil
}

// sameToken hashes both sides, so that timing reveals neither the token's length nor a common prefix.
func sameToken(got, want string) bool {
	a, b := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// isCompressed finds compressed bodies, whose decompressed size has no bound. It ignores values that are not content
// codings, such as a charset put there by mistake.
func isCompressed(h http.Header) bool {
	for _, line := range h["Content-Encoding"] {
		for coding := range strings.SplitSeq(line, ",") {
			if isCoding(strings.ToLower(strings.TrimSpace(coding))) {
				return true
			}
		}
	}
	return false
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

// judgeLive judges a stream, record or snapshot callback.
func (r *Rules) judgeLive(v *Verdict, c *callback.Callback, req *Request, ring *signature.Ring, now time.Time) {
	if v.Malformed != nil {
		v.Refusal = refusalOf(v.Malformed)
		return
	}
	v.Lane, v.EventName = c.Lane, c.EventName
	v.Claim = signature.Claim{
		Kind: c.Kind, Event: c.EventName, Domain: c.Domain, App: c.App, Stream: c.Stream,
		DownloadURL: c.DownloadURL, PlayURL: c.PlayURL, Timestamp: c.AuthTimestamp, Sign: c.AuthSign,
	}
	scheme, sig, err := ring.Verify(v.Claim, now)
	if !authentic(err) {
		v.Refusal = refusalOf(err)
		return
	}
	v.Arrival = &bridge.Arrival{Signature: sig, Raw: req.Body, EventName: c.EventName}
	if !c.Known && !r.DomainsListed {
		v.Arrival.Reason = bridge.ReasonUnknownEvent
	}
	v.Arrival.Event, v.Arrival.Identity = c.Event(r.Policy, callback.Nonce{}, bridge.MillisOf(now))
	v.Arrival.Event.Scheme = scheme
	r.decide(v, err)
}

// judgeRTC judges a SparkRTC callback. Its signature is over the raw body, so nothing in the body is trusted before
// verification except app_id, which may choose a key.
func (r *Rules) judgeRTC(v *Verdict, c *callback.Callback, req *Request, ring *signature.Ring, now time.Time) {
	nonce := callback.Nonce{Rand: req.Header.Get("X-Rtc-Rand"), Timestamp: req.Header.Get("X-Rtc-Timestamp")}
	v.RTCClaim = signature.RTCClaim{Rand: nonce.Rand, Timestamp: nonce.Timestamp,
		Sign: req.Header.Get("X-Rtc-Signature"), Body: req.Body}
	if v.Malformed == nil {
		v.RTCClaim.AppID = c.Domain
	}
	scheme, sig, err := ring.VerifyRTC(v.RTCClaim, now)
	switch {
	case !authentic(err):
		v.Refusal = refusalOf(err)
		return
	case v.Malformed != nil && scheme == bridge.SchemeNone:
		v.Refusal = refusalOf(v.Malformed)
		return
	}
	v.Arrival = &bridge.Arrival{Signature: sig, Raw: req.Body}
	if v.Malformed == nil {
		v.EventName, v.Arrival.EventName = c.EventName, c.EventName
		v.Arrival.Event, v.Arrival.Identity = c.Event(r.Policy, nonce, bridge.MillisOf(now))
	} else {
		v.Arrival.Event, v.Arrival.Reason = callback.Malformed(req.Body, nonce), bridge.ReasonMalformed
	}
	v.Arrival.Event.Scheme = scheme
	v.Lane = v.Arrival.Event.Lane
	r.decide(v, err)
}

// authentic reports whether a callback's signature is valid, even if expired.
func authentic(err error) bool {
	if err == nil {
		return true
	}
	var e *signature.Error
	return errors.As(err, &e) && e.Verdict == signature.Expired
}

// decide completes the verdict on an authentic callback. err is not nil if its signature has expired: then it goes to
// the quarantine, and is refused all the same.
func (r *Rules) decide(v *Verdict, err error) {
	switch {
	case err != nil:
		v.Arrival.Reason, v.Refusal = bridge.ReasonExpired, refusalOf(err)
	case r.ignores(v.Lane):
		v.Arrival, v.Ignored = nil, true
	}
}

func (r *Rules) ignores(lane bridge.Lane) bool {
	return r.IgnoreStreams != nil && !lane.IsZero() && r.IgnoreStreams.MatchString(lane.Stream)
}
