package signature

import "livebridge/bridge"

// Claim is what the signature of a Live callback covers, as sent: JSON-decoded, in the sender's case. An absent member
// is the empty text.
type Claim struct {
	Kind   bridge.Kind
	Event  string // event, or event_type of a recording
	Domain string // domain, or publish_domain of a recording
	App    string
	Stream string

	DownloadURL string // recordings only
	PlayURL     string // recordings only

	Timestamp string // auth_timestamp: the literal digits, the Unix second at which the signature expires
	Sign      string // auth_sign: hex digits
}

// RTCClaim is a SparkRTC callback: three headers and the body as received. No function keeps Body after it returns.
type RTCClaim struct {
	AppID     string // from the body; empty if that cannot be decoded. The formula does not need it
	Rand      string // X-Rtc-Rand
	Timestamp string // X-Rtc-Timestamp: time of signing in seconds (10 digits) or milliseconds (13)
	Sign      string // X-Rtc-Signature: hex digits
	Body      []byte
}

// maxFields is the most fields that any scheme covers.
const maxFields = 7

// Canonical returns the fields that scheme s signs, in signing order. The provider joins them without a separator;
// SchemeHMACLegacy and SchemeMD5 also prepend the key. It is nil where no formula is known: snapshots, unsigned
// callbacks, and SparkRTC, which signs a body and not a Claim.
func Canonical(s bridge.Scheme, c Claim) []string { return appendCanonical(nil, s, &c) }

func appendCanonical(dst []string, s bridge.Scheme, c *Claim) []string {
	switch {
	case s == bridge.SchemeHMAC && c.Kind == bridge.KindStream:
		return append(dst, c.Event, c.Domain, c.App, c.Stream, c.Timestamp)
	case s == bridge.SchemeHMAC && c.Kind == bridge.KindRecord:
		return append(dst, c.Timestamp, c.Event, c.Domain, c.App, c.Stream, c.DownloadURL, c.PlayURL)
	case keyInFront(s) && c.Kind == bridge.KindRecord:
		return append(dst, c.Timestamp)
	}
	return dst
}

// keyInFront reports whether the scheme puts the key before what it signs.
func keyInFront(s bridge.Scheme) bool { return s == bridge.SchemeHMACLegacy || s == bridge.SchemeMD5 }
