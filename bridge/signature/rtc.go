package signature

import (
	"time"

	"livebridge/bridge"
)

// The lengths of a Unix time by its unit.
const (
	secondDigits = 10
	milliDigits  = 13
)

// VerifyRTC judges a SparkRTC callback at the instant now, over the body as received: before it is parsed. The
// scheme is SchemeRTC, or SchemeNone when there is no key and unsigned ones are taken. The signature to remember
// is always zero: a repeat is told by its event's id. The error is nil or an *Error.
//
// The checks, in this order: no key, no signature, not 64 hex digits, no match (Unauthorized); a timestamp that is
// neither 10 nor 13 digits, older than RTCMaxAge, or more than MaxAhead from now (Expired).
func (r *Ring) VerifyRTC(c RTCClaim, now time.Time) (bridge.Scheme, bridge.Signature, error) {
	set, signed, err := r.checkKeys(bridge.KindRTCRecord, c.Sign)
	if err != nil || !signed {
		return bridge.SchemeNone, bridge.Signature{}, err
	}
	w := r.works.Get().(*work)
	defer r.works.Put(w)
	if !w.decode(set.scheme, c.Sign) {
		return bridge.SchemeNone, bridge.Signature{}, notHex("X-Rtc-Signature", set.scheme)
	}
	w.join(c.Rand, c.Timestamp)
	if !set.match(w, c.Body) {
		return bridge.SchemeNone, bridge.Signature{}, mismatch("X-Rtc-Signature", bridge.KindRTCRecord)
	}
	return set.scheme, bridge.Signature{}, r.checkAge(c.Timestamp, bridge.MillisOf(now))
}

// checkAge judges a good signature by the clock. Rand and timestamp are signed side by side, so that a timestamp of
// another length may have taken digits from rand.
func (r *Ring) checkAge(timestamp string, now bridge.Millis) error {
	signed, ok := rtcMillis(timestamp)
	switch {
	case !ok:
		return expired(ReasonOddTimestamp, "X-Rtc-Timestamp is neither 10 digits (seconds) nor 13 (milliseconds)")
	case now-signed > millis(r.rtcMaxAge):
		return expired(ReasonExpired, "the signature is too old; compare this machine's clock with X-Rtc-Timestamp")
	case signed-now > millis(r.maxAhead):
		return expired(ReasonTooFarAhead, "the signature was made too far in the future; "+
			"compare this machine's clock with X-Rtc-Timestamp")
	}
	return nil
}

func rtcMillis(timestamp string) (bridge.Millis, bool) {
	if ms, ok := digits(timestamp, milliDigits); ok {
		return bridge.Millis(ms), true
	}
	s, ok := digits(timestamp, secondDigits)
	return bridge.Millis(s * 1000), ok
}
