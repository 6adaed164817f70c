package signature

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"

	"livebridge/bridge"
)

// Sign makes the signature of a Live callback as the provider does: lower-case hex, 64 digits, or 32 for SchemeMD5. It
// ignores the claim's own Sign and returns "" where no formula is known (see Canonical).
func Sign(s bridge.Scheme, key string, c Claim) string {
	fields := Canonical(s, c)
	if fields == nil {
		return ""
	}
	if !keyInFront(s) {
		return hex.EncodeToString(sum(key, fields...))
	}
	if s == bridge.SchemeMD5 {
		digest := md5.Sum([]byte(key + c.Timestamp))
		return hex.EncodeToString(digest[:])
	}
	return hex.EncodeToString(sum(key, key, c.Timestamp))
}

// SignRTC makes the signature of a SparkRTC callback, for the header X-Rtc-Signature: 64 lower-case hex digits
// over Rand, Timestamp and Body.
func SignRTC(key string, c RTCClaim) string {
	return hex.EncodeToString(sum(key, c.Rand, c.Timestamp, string(c.Body)))
}

func sum(key string, parts ...string) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	for _, part := range parts {
		mac.Write([]byte(part))
	}
	return mac.Sum(nil)
}
