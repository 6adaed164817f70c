package signature_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
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
	if fmt.Sprint(e.Fields) != "[{event PUBLISH} {domain push.example.com} {app live} {stream example_stream} "+
		"{auth_timestamp 1587954140}]" {
		t.Errorf("the fields are %v", e.Fields)
	}
	if e.Scheme != bridge.SchemeHMAC || len(e.Attempts) != 2 || e.Attempts[0].Matches || !e.Attempts[1].Matches ||
		e.Attempts[1].Sign != sumPublish ||
		e.Attempts[1].Key != signature.KeyID(key) || e.Diagnosis != "" {
		t.Errorf("%+v", e)
	}
	md5 := newRing(t, func(c *signature.Config) { c.RecordScheme = bridge.SchemeMD5 }).Explain(
		signed(bridge.SchemeMD5, key, recordStart()))
	if fmt.Sprint(md5.Fields) != "[{key } {auth_timestamp 1583676745}]" || !md5.Attempts[0].Matches ||
		md5.Attempts[0].Sign != sumMD5 {
		t.Errorf("%+v", md5)
	}
	rtc := rtcComplete()
	rtc.Sign = sumRTC
	if e := ring.ExplainRTC(rtc); e.Scheme != bridge.SchemeRTC || !e.Attempts[0].Matches || e.Attempts[0].Sign != sumRTC ||
		e.Fields[2].Value != string(rtc.Body) {
		t.Errorf("%+v", e)
	}
	if e := ring.Explain(signature.Claim{Kind: bridge.KindSnapshot,
		Domain: "a.example.com"}); e.Scheme != bridge.SchemeNone || len(e.Attempts) > 0 || e.Diagnosis != "" {
		t.Errorf("a snapshot: %+v", e)
	}
}

// TestExplainDiagnoses: what signature/diagnose finds out is part of the explanation, for every kind.
func TestExplainDiagnoses(t *testing.T) {
	ring := newRing(t, nil)
	p, r, c := publish(), recordStart(), rtcComplete()
	text := func(c signature.Claim) string { return strings.Join(signature.Canonical(bridge.SchemeHMAC, c), "") }
	p.Sign, r.Sign = sum(sha256.New, key+"\n", text(p)), sum(sha256.New, key, text(r)+"nullnull")
	c.Sign = sum(sha256.New, key, c.Timestamp, c.Rand, string(c.Body))
	for got, want := range map[string]string{
		ring.Explain(p).Diagnosis:    "event + domain + app + stream + auth_timestamp, with a line end after the key",
		ring.Explain(r).Diagnosis:    "absent ones as null",
		ring.ExplainRTC(c).Diagnosis: "another order",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
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
