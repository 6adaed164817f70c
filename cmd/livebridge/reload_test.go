package main

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"livebridge/bridge/signature"
	"livebridge/transports/nats/embedded"
)

// TestReloadReadsEveryFile: a SIGHUP takes up a new key, certificate and broker credential, without any poll of the
// files.
func TestReloadReadsEveryFile(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	put := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(path(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("keys", demoKey)
	put("token", "first")
	certify(t, path("cert"), path("key"))
	s, err := load(with("STREAM_KEY", "", "STREAM_KEY_FILE", path("keys"), "TLS_CERT_FILE", path("cert"),
		"TLS_KEY_FILE", path("key"), "NATS_EMBEDDED_LISTEN", "127.0.0.1:0", "NATS_EMBEDDED_TOKEN_FILE", path("token"),
		"LISTEN", "127.0.0.1:0", "ADMIN_LISTEN", "127.0.0.1:0", "DATA_DIR", path("data"), "MIN_FREE_BYTES", "1MiB"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := start(s, zap.NewNop()) // and not run, so that nothing polls
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.abort() }()
	next := strings.ToUpper(demoKey)
	put("keys", next)
	put("token", "second")
	trusted := certify(t, path("cert"), path("key"))
	a.reload()
	if !knows(t, a, signature.KeyID(next)) {
		t.Error("the new key is not active")
	}
	config, err := a.certificate.TLS().GetConfigForClient(nil)
	if err == nil {
		_, err = config.Certificates[0].Leaf.Verify(x509.VerifyOptions{Roots: trusted, DNSName: "localhost"})
	}
	if err != nil {
		t.Errorf("the new certificate is not active: %v", err)
	}
	c, err := nats.Connect(a.engine.(*local).publisher.(*embedded.Publisher).ClientURL(), nats.Token("second"),
		nats.NoReconnect())
	if err != nil {
		t.Fatalf("the new token is not active: %v", err)
	}
	c.Close()
}

// knows reports whether the metrics have a key.
func knows(t *testing.T, a *app, id string) bool {
	t.Helper()
	families, err := a.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == "livebridge_key_uses_total" && l.GetName() == "key" && l.GetValue() == id {
					return true
				}
			}
		}
	}
	return false
}
