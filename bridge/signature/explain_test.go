package signature_test

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"net/url"
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// sum makes a signature as somebody might: parts, the first being the key of the HMAC.
func sum(h func() hash.Hash, key string, parts ...string) string {
	m := hmac.New(h, []byte(key))
	m.Write([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(m.Sum(nil))
}

func TestExplain(t *testing.T) {
	ring := newRing(t, func(c *signature.Config) { c.Stream = []string{otherKey, key} })
	c := signed(bridge.SchemeHMAC, key, publish())
	c.Sign = strings.ToUpper(c.Sign)
	e := ring.Explain(c)
	if fmt.Sprint(e.Fields) != "[{event PUBLISH} {domain push.example.com} {app live} {stream example_stream} {auth_timestamp 1587954140}]" {
		t.Errorf("the fields are %v", e.Fields)
	}
	if e.Scheme != bridge.SchemeHMAC || len(e.Attempts) != 2 || e.Attempts[0].Matches || !e.Attempts[1].Matches || e.Attempts[1].Sign != sumPublish ||
		e.Attempts[1].Key != signature.KeyID(key) || e.Diagnosis != "" {
		t.Errorf("%+v", e)
	}
	md5 := newRing(t, func(c *signature.Config) { c.RecordScheme = bridge.SchemeMD5 }).Explain(signed(bridge.SchemeMD5, key, recordStart()))
	if fmt.Sprint(md5.Fields) != "[{key } {auth_timestamp 1583676745}]" || !md5.Attempts[0].Matches || md5.Attempts[0].Sign != sumMD5 {
		t.Errorf("%+v", md5)
	}
	rtc := rtcComplete()
	rtc.Sign = sumRTC
	if e := ring.ExplainRTC(rtc); e.Scheme != bridge.SchemeRTC || !e.Attempts[0].Matches || e.Attempts[0].Sign != sumRTC || e.Fields[2].Value != string(rtc.Body) {
		t.Errorf("%+v", e)
	}
	if e := ring.Explain(signature.Claim{Kind: bridge.KindSnapshot, Domain: "a.example.com"}); e.Scheme != bridge.SchemeNone || len(e.Attempts) > 0 || e.Diagnosis != "" {
		t.Errorf("a snapshot: %+v", e)
	}
}

// Signatures with one mistake, and the diagnosis of each.
func TestDiagnosis(t *testing.T) {
	const mixed = "Ab0123456789Ab0123456789Ab0123456789Ab01"
	ring := newRing(t, func(c *signature.Config) { c.Stream, c.Record = []string{mixed}, []string{mixed} })
	p := publish()
	p.Domain = "Push.example.com"
	text := strings.Join(signature.Canonical(bridge.SchemeHMAC, p), "")
	r := recordStart()
	r.DownloadURL = "https://obs.example.com/a b.m3u8"
	recordText := strings.Join(signature.Canonical(bridge.SchemeHMAC, r), "")
	mac := func(key, text string) string { return sum(sha256.New, key, text) }
	digest := md5.Sum([]byte(mixed + r.Timestamp))
	raw, _ := hex.DecodeString(mac(mixed, text))
	decoded, _ := hex.DecodeString(mixed)
	for _, tt := range []struct {
		claim signature.Claim
		sign  string
		want  string
	}{
		{r, hex.EncodeToString(digest[:]), "MD5 over the key and auth_timestamp; that is the sign type MD5"},
		{r, mac(mixed, mixed+r.Timestamp), "HMAC-SHA256 over the key and auth_timestamp; that is the formula of 2021"},
		{r, mac(mixed, r.Timestamp), "HMAC-SHA256 over auth_timestamp"},
		{p, mac(mixed+"\n", text), "with a line end after the key"},
		{p, mac(strings.ToLower(mixed), text), "with the key in lower case"},
		{p, mac(`"`+mixed+`"`, text), "with the key in quotes"},
		{p, mac("", text), "with an empty key"},
		{p, mac(mixed[:32], text), "with the key cut to 32 characters"},
		{p, mac(string(decoded), text), "with the key decoded from hex"},
		{p, mac(key, text), "the key " + signature.KeyID(key) + " of rtc-record callbacks, which does not apply to this one"},
		{p, base64.StdEncoding.EncodeToString(raw), "encoded in base64"},
		{p, "sha256=" + mac(mixed, text), "extra characters around its digits"},
		{p, mac(mixed, text)[:32], "cut to 32 of 64 digits"},
		{p, sum(sha1.New, mixed, text), "HMAC-SHA1 over event + domain"},
		{p, mac(mixed, strings.ToLower(text)), "in lower case"},
		{p, mac(mixed, strings.Replace(text, "Push", "push", 1)), "the domain in lower case"},
		{p, mac(mixed, strings.Join(signature.Canonical(bridge.SchemeHMAC, p), "&")), "with '&' between them"},
		{p, mac(mixed, p.Timestamp+p.Event+p.Domain+p.App+p.Stream), "auth_timestamp + event_type + publish_domain + app + stream"},
		{p, mac(mixed, p.Domain+p.App+p.Stream+p.Event+p.Timestamp), "domain + app + stream + event + auth_timestamp: another order"},
		{p, mac(mixed, p.Event+p.Domain+p.App+p.Stream), "event + domain + app + stream: a field is missing"},
		{p, mac(mixed, text+"000"), "auth_timestamp in milliseconds"},
		{r, mac(mixed, strings.Replace(recordText, r.DownloadURL, url.QueryEscape(r.DownloadURL), 1)), "URL-encoded"},
		{r, mac(mixed, strings.ReplaceAll(recordText, "/", `\/`)), "slashes escaped as in JSON"},
		{r, mac(mixed, recordText+"null"), "absent ones as null"},
		{r, mac(mixed, strings.Replace(recordText, r.DownloadURL, "", 1)), "a field is missing"},
		{p, mac(strings.Repeat("x", 32), text), ""},
		{p, "nonsense", ""},
		{p, "", ""},
		{p, "00", ""},
	} {
		tt.claim.Sign = tt.sign
		got := ring.Explain(tt.claim).Diagnosis
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%q, want %q", got, tt.want)
		}
		if strings.Contains(got, mixed) || strings.Contains(got, key) {
			t.Errorf("the diagnosis shows the key: %s", got)
		}
	}
}

func TestDiagnosisOfRTC(t *testing.T) {
	ring := newRing(t, nil)
	c := rtcComplete()
	for _, tt := range []struct{ sign, want string }{
		{signature.SignRTC(key, signature.RTCClaim{Rand: c.Rand, Timestamp: c.Timestamp, Body: append([]byte(nil), c.Body[:len(c.Body)-1]...)}), "without its trailing line end"},
		{sum(sha256.New, key, c.Timestamp, c.Rand, string(c.Body)), "another order"},
		{sum(sha256.New, key, string(c.Body)), "the body alone"},
		{sum(sha256.New, strings.Repeat("x", 32)), ""},
	} {
		c := c
		if tt.want == "without its trailing line end" {
			c.Body = append(append([]byte(nil), c.Body[:len(c.Body)-1]...), '\n')
		}
		c.Sign = tt.sign
		if got := ring.ExplainRTC(c).Diagnosis; (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// An app without a rule has no key, and still the diagnosis says whose signature it is.
func TestExplainWithoutAKey(t *testing.T) {
	ring := newRing(t, func(c *signature.Config) {
		c.Rules = []signature.Rule{rule(bridge.KindStream, "push.example.com", "other", "1")}
	})
	e := ring.Explain(signed(bridge.SchemeHMAC, secret("1"), publish()))
	if len(e.Attempts) > 0 || !strings.Contains(e.Diagnosis, signature.KeyID(secret("1"))) {
		t.Errorf("%+v", e)
	}
}
