package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// validity is how long the signature of a stream's first callback is valid. Each later one expires a second later,
// since two pushes of one stream under one signature are tampering.
const validity = 60 * time.Second

// request is an encoded callback.
type request struct {
	path   string
	header http.Header
	body   []byte
}

// outgoing is a callback to be encoded.
type outgoing struct {
	*Callback
	keys *Keys
	now  time.Time
	base int64 // Unix second of the session 0
}

// request encodes the callback as the provider does.
func (d outgoing) request() (request, error) {
	r := request{header: http.Header{"Content-Type": {"application/json"}}}
	var body any
	switch d.Kind {
	case bridge.KindRecord:
		r.path, body = "/live/record", d.record()
	case bridge.KindSnapshot:
		r.path, body = "/live/snapshot/"+d.key(d.keys.SnapshotToken), d.snapshot()
	case bridge.KindRTCRecord:
		r.path, body = "/rtc/record", d.rtcRecord()
	default:
		r.path, body = "/live/stream", d.stream()
	}
	var err error
	if r.body, err = json.Marshal(body); err != nil {
		return request{}, fmt.Errorf("encode %s callback: %w", d.Kind, err)
	}
	if d.Kind == bridge.KindRTCRecord && d.keys.RTC != "" {
		d.signRTC(&r)
	}
	return r, nil
}

// Encode returns the headers and the body of a callback that is sent now to an endpoint that was registered with these
// keys; without its key it is not signed. base is the Unix second of its stream's session 0.
func Encode(c *Callback, keys Keys, now time.Time, base int64) (http.Header, []byte, error) {
	r, err := outgoing{c, &keys, now, base}.request()
	return r.header, r.body, err
}

// key returns the right key, or a forger's.
func (d outgoing) key(right string) string {
	if d.Forged {
		return strings.Repeat("f", 32)
	}
	return right
}

// expires returns the auth_timestamp.
func (d outgoing) expires() string {
	return strconv.FormatInt(d.now.Add(validity).Unix()+d.Offset, 10)
}

// authTimestamp returns the member auth_timestamp, nil without a key.
func (d outgoing) authTimestamp(key string) any {
	if key == "" {
		return nil
	}
	return number(d.expires(), d.Numbers == 1)
}

// sign returns the signature of a Live callback, empty without a key.
func (d outgoing) sign(s bridge.Scheme, key, downloadURL string) string {
	if key == "" {
		return ""
	}
	lane := d.Lane()
	return signature.Sign(s, d.key(key), signature.Claim{
		Kind: d.Kind, Event: d.Event, Domain: lane.Domain, App: lane.App,
		Stream: d.Stream, DownloadURL: downloadURL, Timestamp: d.expires(),
	})
}

// signRTC adds the headers of SparkRTC. Rand is the offset, so that no two callbacks of a stream are alike.
func (d outgoing) signRTC(r *request) {
	c := signature.RTCClaim{
		Rand: fmt.Sprintf("%06d", d.Offset), Timestamp: strconv.FormatInt(d.now.Unix(), 10), Body: r.body,
	}
	r.header.Set("X-Rtc-Rand", c.Rand)
	r.header.Set("X-Rtc-Timestamp", c.Timestamp)
	r.header.Set("X-Rtc-Signature", signature.SignRTC(d.key(d.keys.RTC), c))
}

// number returns digits as a JSON number or string; the provider sends both.
func number(digits string, asText bool) any {
	if asText {
		return digits
	}
	return json.Number(digits)
}
