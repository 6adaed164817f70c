package main

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// TestAdminWarning: an admin port that other machines can reach is warned of, and one on loopback is not.
func TestAdminWarning(t *testing.T) {
	for listen, want := range map[string]bool{
		"127.0.0.1:0": false, "127.9.9.9:0": false, "localhost:0": false, ":0": true, "0.0.0.0:0": true, "[::]:0": true,
	} {
		s, err := load(with("LISTEN", "127.0.0.1:0", "ADMIN_LISTEN", listen, "DATA_DIR", t.TempDir(), "NATS_URL",
			"nats://127.0.0.1:1",
			"MIN_FREE_BYTES", "1MiB", "SHUTDOWN_GRACE", "0s"))
		if err != nil {
			t.Fatal(err)
		}
		core, logs := observer.New(zapcore.WarnLevel)
		a, err := start(s, zap.New(core))
		if err != nil {
			t.Fatalf("%s: %v", listen, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := a.run(ctx); err != nil {
			t.Errorf("%s: %v", listen, err)
		}
		warned := logs.Filter(func(e observer.LoggedEntry) bool { return strings.Contains(e.Message, "ADMIN_LISTEN") }).Len()
		if (warned == 1) != want || warned > 1 {
			t.Errorf("%s: warned %d times", listen, warned)
		}
	}
}

// TestNetworks: how TRUSTED_PROXIES and ALLOW_SOURCES are written, and what is meant.
func TestNetworks(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.7": "192.0.2.7/32", "192.0.2.0/24": "192.0.2.0/24", "2001:db8::1": "2001:db8::1/128", "fd00::/8": "fd00::/8",
		"::ffff:192.0.2.7": "192.0.2.7/32", "::ffff:192.0.2.0/120": "192.0.2.0/24", "127.0.0.1,::1": "127.0.0.1/32 ::1/128",
		"10.0.0.0/8,192.168.0.0/16": "10.0.0.0/8 192.168.0.0/16", "::ffff:0:0/90": "", "192.0.2.7/24": "", "localhost": "",
		"*":            "",
		"192.0.2.7:80": "", "[::1]": "", "unix:/run/proxy.sock": "", "192.0.2.0/33": "", "192.0.2.0-192.0.2.9": "",
		"fe80::1%eth0/64": "",
	} {
		for _, setting := range []string{"TRUSTED_PROXIES", "ALLOW_SOURCES"} {
			s, err := load(with(setting, text))
			if want == "" {
				if err == nil || !strings.Contains(err.Error(), setting) {
					t.Errorf("%s=%s: %v", setting, text, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s=%s: %v", setting, text, err)
				continue
			}
			var got []string
			for _, p := range append(prefixesOf(s.TrustedProxies), prefixesOf(s.AllowSources)...) {
				got = append(got, netip.Prefix.String(p))
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s=%s means %q", setting, text, got)
			}
		}
	}
}

// TestTrustingAllProxiesIsRefused: whoever trusts all proxies trusts all senders; accepting callbacks from everywhere
// is no such thing.
func TestTrustingAllProxiesIsRefused(t *testing.T) {
	for _, all := range []string{"0.0.0.0/0", "::/0", "::ffff:0.0.0.0/96"} {
		if _, err := load(with("TRUSTED_PROXIES", "10.0.0.0/8,"+all)); err == nil ||
			!strings.Contains(err.Error(), "TRUSTED_PROXIES") {
			t.Errorf("TRUSTED_PROXIES=%s: %v", all, err)
		}
		if _, err := load(with("ALLOW_SOURCES", all)); err != nil {
			t.Errorf("ALLOW_SOURCES=%s: %v", all, err)
		}
	}
}
