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

// VerifyRTC verifies a SparkRTC callback at the instant now, over the body as received. Its app_id chooses the keys;
// if the body has none, every key of SparkRTC is tried. The scheme is SchemeRTC, or SchemeNone when there is no key
// and unsigned callbacks are accepted. Of the signature only Sum is set: duplicates are recognised by their event's
// id, but one message can be split into headers and body in many ways, and all of them share one signature's quota in
// the quarantine. The error is nil or an *Error.
//
// The checks, in this order: no key, no signature, not 64 hex digits, no match (Unauthorized); a timestamp that is
// neither 10 nor 13 digits, older than RTCMaxAge, or more than MaxAhead from now (Expired).
func (r *Ring) VerifyRTC(c RTCClaim, now time.Time) (bridge.Scheme, bridge.Signature, error) {
	set, signed, err := r.chooseRTC(&c)
	if err != nil || !signed {
		return bridge.SchemeNone, bridge.Signature{}, err
	}
	w := r.scratchPool.Get().(*scratch)
	defer r.scratchPool.Put(w)
	if !w.decode(set.scheme, c.Sign) {
		return bridge.SchemeNone, bridge.Signature{}, notHex("X-Rtc-Signature", set.scheme)
	}
	w.join(c.Rand, c.Timestamp)
	k := set.match(w, c.Body)
	if k == nil {
		return bridge.SchemeNone, bridge.Signature{}, mismatch("X-Rtc-Signature", bridge.KindRTCRecord)
	}
	if err = r.checkAge(c.Timestamp, bridge.MillisOf(now)); err == nil {
		k.used.record(now)
	}
	return set.scheme, bridge.Signature{Sum: w.signatureID(set.scheme, bridge.KindRTCRecord), Key: k.name.id}, err
}

func (r *Ring) chooseRTC(c *RTCClaim) (set *keys, signed bool, err error) {
	set = r.rtc.all
	if c.AppID != "" {
		if set, err = r.rtc.choose(c.AppID, Any); err != nil {
			return nil, false, err
		}
	}
	signed, err = r.checkKeys(r.rtc, set, c.Sign)
	return set, signed, err
}

// checkAge checks the age of a valid signature. Rand and timestamp are joined without a separator, so a timestamp of
// another length may include digits of rand.
func (r *Ring) checkAge(timestamp string, now bridge.Millis) error {
	signed, ok := rtcMillis(timestamp)
	switch {
	case !ok:
		return expired(ReasonOddTimestamp, "X-Rtc-Timestamp has neither 10 digits (seconds) nor 13 (milliseconds)")
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
