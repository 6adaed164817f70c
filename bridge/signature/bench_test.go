package signature_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

func BenchmarkVerify(b *testing.B) {
	now := time.Unix(1583676745, 0)
	record := recordStart()
	record.DownloadURL, record.PlayURL = downloadURL, playURL
	for _, tt := range []struct {
		name   string
		scheme bridge.Scheme
		claim  signature.Claim
		keys   int
		rules  int // of other apps, beside one for the claim's
	}{
		{"stream", bridge.SchemeHMAC, publish(), 1, 0},
		{"stream, 3 keys", bridge.SchemeHMAC, publish(), 3, 0},
		{"stream, 1000 rules", bridge.SchemeHMAC, publish(), 1, 1000},
		{"record", bridge.SchemeHMAC, record, 1, 0},
		{"record-md5", bridge.SchemeMD5, record, 1, 0},
	} {
		b.Run(tt.name, func(b *testing.B) {
			ring := newRing(b, func(c *signature.Config) {
				c.RecordScheme, c.MaxAhead = tt.scheme, 1e6*time.Hour
				for range tt.keys - 1 {
					c.Stream = append(c.Stream, otherKey)
				}
				for n := range tt.rules {
					c.Rules = append(c.Rules, rule(bridge.KindStream, "push.example.com", fmt.Sprint("app", n), "x"))
				}
				if tt.rules > 0 {
					c.Rules = append(c.Rules, signature.Rule{Kind: bridge.KindStream, Domain: "push.example.com", App: "live",
						Keys: []string{key}})
				}
			})
			c := signed(tt.scheme, key, tt.claim)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := ring.Verify(c, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerifyRTC(b *testing.B) {
	ring := newRing(b, nil)
	c := rtcComplete()
	c.Body = []byte(`{"obs_object":"` + strings.Repeat("x", 1000) + `"}`)
	c.Sign = signature.SignRTC(key, c)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := ring.VerifyRTC(c, time.Unix(1619600000, 0)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyParallel(b *testing.B) {
	ring := newRing(b, nil)
	c := signed(bridge.SchemeHMAC, key, publish())
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, _, err := ring.Verify(c, expiry); err != nil {
				b.Fatal(err)
			}
		}
	})
}
