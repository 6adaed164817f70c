package signature_test

import (
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

const key = "0123456789abcdef0123456789abcdef"

func publish() signature.Claim {
	return signature.Claim{Kind: bridge.KindStream, Event: "PUBLISH", Domain: "push.example.com", App: "live",
		Stream: "example_stream", Timestamp: "1587954140"}
}

func recordStart() signature.Claim {
	return signature.Claim{Kind: bridge.KindRecord, Event: "RECORD_START", Domain: "push.example.com", App: "live",
		Stream: "mystream", Timestamp: "1583676745"}
}

func rtcComplete() signature.RTCClaim {
	return signature.RTCClaim{Rand: "123456", Timestamp: "1619600000",
		Body: []byte(`{"event_type":"RECORD_FILE_COMPLETE","stream_name":"mystream"}`)}
}

// The vectors are our own: the provider publishes none.
const (
	sumPublish  = "fa5addca9ea94589d2a7f936a82e2ef3af10bf7ffc665e278c05214537e2ed41"
	sumDone     = "fe71cd27e6df78034898faef20237ead1f13540de1b340b7644e8444c5024308"
	sumRecord   = "049bed415b3a3b3fc61bacec18ca7c0732873c3a5177fd7b3e6e4454c545342a"
	sumLegacy   = "21626348e89ec05edb350a733eb2f65fd673406029aa2b5bc9688e6e26815b94"
	sumMD5      = "fbea60f41db857bbdee04a5127b742fa"
	sumRTC      = "2441fbc85120da3744098171bcf412bee23fedcfe244dfd63b051d2a4f76a0a4"
	downloadURL = "https://obs.example.com/a.m3u8"
	playURL     = "https://play.example.com/a.m3u8"
)

func TestVectors(t *testing.T) {
	done := publish()
	done.Event = "PUBLISH_DONE"
	for _, tt := range []struct {
		name   string
		scheme bridge.Scheme
		claim  signature.Claim
		want   string
	}{
		{"stream PUBLISH", bridge.SchemeHMAC, publish(), sumPublish},
		{"stream PUBLISH_DONE", bridge.SchemeHMAC, done, sumDone},
		{"record", bridge.SchemeHMAC, recordStart(), sumRecord},
		{"record-legacy", bridge.SchemeHMACLegacy, recordStart(), sumLegacy},
		{"record-md5", bridge.SchemeMD5, recordStart(), sumMD5},
	} {
		if got := signature.Sign(tt.scheme, key, tt.claim); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	if got := signature.SignRTC(key, rtcComplete()); got != sumRTC {
		t.Errorf("rtc: %s, want %s", got, sumRTC)
	}
}

func TestCanonical(t *testing.T) {
	record := recordStart()
	record.DownloadURL, record.PlayURL = downloadURL, playURL
	for _, tt := range []struct {
		name   string
		scheme bridge.Scheme
		claim  signature.Claim
		want   string
	}{
		{"stream", bridge.SchemeHMAC, publish(), "PUBLISH|push.example.com|live|example_stream|1587954140"},
		{"record", bridge.SchemeHMAC, record,
			"1583676745|RECORD_START|push.example.com|live|mystream|" + downloadURL + "|" + playURL},
		{"record without URLs", bridge.SchemeHMAC, recordStart(), "1583676745|RECORD_START|push.example.com|live|mystream||"},
		{"legacy", bridge.SchemeHMACLegacy, record, "1583676745"},
		{"md5", bridge.SchemeMD5, record, "1583676745"},
		{"snapshot", bridge.SchemeHMAC, signature.Claim{Kind: bridge.KindSnapshot}, ""},
		{"rtc", bridge.SchemeRTC, signature.Claim{Kind: bridge.KindRTCRecord}, ""},
		{"stream under md5", bridge.SchemeMD5, publish(), ""},
		{"unsigned", bridge.SchemeNone, publish(), ""},
	} {
		if got := strings.Join(signature.Canonical(tt.scheme, tt.claim), "|"); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestSignKnowsNoFormula(t *testing.T) {
	snapshot := signature.Claim{Kind: bridge.KindSnapshot, Domain: "push.example.com"}
	if got := signature.Sign(bridge.SchemeHMAC, key, snapshot); got != "" {
		t.Errorf("a snapshot was signed: %s", got)
	}
}
