package signature_test

import (
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

func TestNewRingChecksKeys(t *testing.T) {
	secret := func(n int) string { return strings.Repeat("K", n) }
	list := func(key string) []string { return []string{secret(40), key} }
	for _, tt := range []struct {
		name string
		cfg  signature.Config
		want string // part of the error; empty: accepted
	}{
		{"nothing", signature.Config{}, ""},
		{"stream shortest", signature.Config{Stream: list(secret(32))}, ""},
		{"stream longest", signature.Config{Stream: list(secret(128))}, ""},
		{"stream too short", signature.Config{Stream: list(secret(31))}, "stream key 2 has 31 characters"},
		{"stream too long", signature.Config{Stream: list(secret(129))}, "stream key 2 has 129 characters"},
		{"stream empty", signature.Config{Stream: list("")}, "stream key 2 has 0 characters"},
		{"stream counts characters", signature.Config{Stream: list(strings.Repeat("é", 128))}, ""},
		{"stream with a line end", signature.Config{Stream: list(secret(32) + "\n")}, "stream key 2 has a line end"},
		{"stream with white space", signature.Config{Stream: list(" " + secret(32))}, "white space"},
		{"stream with white space inside", signature.Config{Stream: list(secret(32) + " " + secret(1))}, ""},
		{"record shortest", signature.Config{Record: list(secret(32))}, ""},
		{"record has no longest", signature.Config{Record: list(secret(1000))}, ""},
		{"record too short", signature.Config{Record: list(secret(31))}, "record key 2 has 31 characters"},
		{"record punctuation", signature.Config{Record: list(secret(32) + "-")}, "record key 2 has characters other than"},
		{"record space", signature.Config{Record: list(secret(32) + " ")}, "letters and digits"},
		{"record other letters", signature.Config{Record: list(strings.Repeat("é", 32))}, "letters and digits"},
		{"rtc longest", signature.Config{RTC: list(secret(64))}, ""},
		{"rtc too short", signature.Config{RTC: list(secret(31))}, "rtc-record key 2 has 31 characters"},
		{"rtc too long", signature.Config{RTC: list(secret(65))}, "rtc-record key 2 has 65 characters"},
		{"scheme of RTC", signature.Config{RecordScheme: bridge.SchemeRTC}, "HMACSHA256, HMACSHA256-LEGACY or MD5"},
		{"negative skew", signature.Config{Skew: -1}, "AUTH_SKEW"},
		{"negative lead", signature.Config{MaxAhead: -time.Second}, "AUTH_MAX_AHEAD -1s"},
		{"negative age", signature.Config{RTCMaxAge: -1}, "RTC_MAX_AGE"},
		{"domain", signature.Config{Domains: []string{"a.example.com", "https://b"}}, "domain 2"},
		{"domain empty", signature.Config{Domains: []string{""}}, "domain 1"},
	} {
		ring, err := signature.NewRing(tt.cfg)
		switch {
		case tt.want == "" && (err != nil || ring == nil):
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (err == nil || ring != nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		case err != nil && strings.Contains(err.Error(), "KKK"):
			t.Errorf("%s: the error shows the key: %v", tt.name, err)
		}
	}
}

func TestParseScheme(t *testing.T) {
	for name, want := range map[string]bridge.Scheme{
		"HMACSHA256": bridge.SchemeHMAC, "HMACSHA256-LEGACY": bridge.SchemeHMACLegacy, "MD5": bridge.SchemeMD5,
	} {
		if got, err := signature.ParseScheme(name); err != nil || got != want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "md5", "SHA256"} {
		if _, err := signature.ParseScheme(name); err == nil {
			t.Errorf("%q was accepted", name)
		}
	}
}
