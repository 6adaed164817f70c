package signature

import (
	"strings"
	"time"

	"livebridge/bridge"
)

// Verify verifies a Live callback at the instant now. It returns the scheme that the callback was verified with
// (SchemeNone when its kind has no formula, or has no key and unsigned callbacks are accepted) and what to remember of
// its signature. The error is nil or an *Error; with the verdict Expired, scheme and signature are returned too.
//
// The checks, in this order: a domain with rules but none for the app (Forbidden); no key, no signature, not hex of the
// scheme's length, auth_timestamp not 10 digits, no match (Unauthorized); the domain no host name or not listed
// (Forbidden); past its expiry by more than Skew, or expiring more than MaxAhead from now (Expired).
func (r *Ring) Verify(c Claim, now time.Time) (bridge.Scheme, bridge.Signature, error) {
	t := r.tableOf(c.Kind)
	set, err := t.choose(c.Domain, c.App)
	if err != nil {
		return bridge.SchemeNone, bridge.Signature{}, err
	}
	signed, err := r.checkKeys(t, set, c.Sign)
	if err != nil {
		return bridge.SchemeNone, bridge.Signature{}, err
	}
	if !signed {
		return bridge.SchemeNone, bridge.Signature{}, r.checkDomain(c.Domain)
	}
	w := r.scratchPool.Get().(*scratch)
	defer r.scratchPool.Put(w)
	s, k, err := r.checkSign(set, w, &c)
	if err == nil {
		err = r.checkDomain(c.Domain)
	}
	if err != nil {
		return bridge.SchemeNone, bridge.Signature{}, err
	}
	if err = r.checkExpiry(s.Expires, now); err == nil {
		k.used.record(now)
	}
	return set.scheme, s, err
}

// checkSign tries the keys and returns the one that matches.
func (r *Ring) checkSign(set *keys, w *scratch, c *Claim) (bridge.Signature, *key, error) {
	if !w.decode(set.scheme, c.Sign) {
		return bridge.Signature{}, nil, notHex("auth_sign", set.scheme)
	}
	expiry, ok := digits(c.Timestamp, secondDigits)
	if !ok {
		return bridge.Signature{}, nil, unauthorized(ReasonMalformedTimestamp,
			"auth_timestamp is not 10 digits, a Unix time in seconds")
	}
	var buffer [maxFields]string
	fields := appendCanonical(buffer[:0], set.scheme, c)
	w.join(fields...)
	k := set.match(w, nil)
	if k == nil {
		return bridge.Signature{}, nil, mismatch("auth_sign", c.Kind)
	}
	return bridge.Signature{
		Sum:     w.signatureID(set.scheme, c.Kind),
		Signed:  w.digestFields(fields...),
		Expires: bridge.Millis(expiry*1000 + r.skew.Milliseconds()),
		Strict:  c.Kind == bridge.KindStream,
		Key:     k.name.id,
	}, k, nil
}

// checkExpiry checks whether a valid signature has expired. end is its expiry plus the skew.
func (r *Ring) checkExpiry(end bridge.Millis, now time.Time) error {
	at := bridge.MillisOf(now)
	switch expiry := end - millis(r.skew); {
	case at > end:
		return expired(ReasonExpired, "the signature has expired; compare this machine's clock with auth_timestamp")
	case expiry > at+millis(r.maxAhead):
		return expired(ReasonTooFarAhead, "the signature expires too far in the future; "+
			"compare this machine's clock with auth_timestamp, or raise AUTH_MAX_AHEAD")
	}
	return nil
}

func (r *Ring) checkDomain(domain string) error {
	if !hostName(domain) {
		return forbidden(ReasonNoHostName, "the domain is not a host name")
	}
	if r.domains != nil && !r.domains[strings.ToLower(domain)] {
		return forbidden(ReasonDomain, "the domain is not allowed; add it to DOMAINS if it is yours")
	}
	return nil
}

func notHex(where string, s bridge.Scheme) error {
	size := "64"
	if s == bridge.SchemeMD5 {
		size = "32"
	}
	return unauthorized(ReasonMalformedSignature, where+" is not "+size+
		" hex digits; compare the sign type with the provider's")
}

func mismatch(where string, k bridge.Kind) error {
	return unauthorized(ReasonMismatch, where+" does not match; compare the key and the sign type of "+k.String()+
		" callbacks with the provider's")
}

func millis(d time.Duration) bridge.Millis { return bridge.Millis(d.Milliseconds()) }
