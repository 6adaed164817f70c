package nats

import (
	"crypto/tls"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"livebridge/transports/transporttest"
)

// TestVerify: a certificate for another name is refused unless the settings say otherwise, and one of another authority
// unless nothing is verified.
func TestVerify(t *testing.T) {
	t.Parallel()
	right, another := newAuthority(t), newAuthority(t)
	right.names = []string{"nats.internal"}
	s := startServer(t, &server.Options{TLS: true, TLSConfig: &tls.Config{Certificates: []tls.Certificate{right.pair(t, "server")}}})
	const byName = "broker unavailable: the certificate of NATS is for another name"
	const byChain = "broker unavailable: TLS handshake with NATS failed"
	for name, c := range map[string]struct {
		ca, verify, serverName string
		refuse, warn           string
	}{
		"full":                    {right.file, "full", "", byName, ""},
		"full with the name":      {right.file, "full", "nats.internal", "", ""},
		"full with another name":  {right.file, "full", "nats.example", byName, ""},
		"ca":                      {right.file, "ca", "", "", "NATS_TLS_VERIFY is ca"},
		"ca of another authority": {another.file, "ca", "", byChain, "NATS_TLS_VERIFY is ca"},
		"none":                    {"", "none", "", "", "NATS_TLS_VERIFY is none"},
	} {
		t.Run(name, func(t *testing.T) {
			o, logs := watchedLog()
			o.URL, o.CAFile, o.TLSVerify, o.TLSServerName = s.url, c.ca, c.verify, c.serverName
			p := must(Dial(o))
			defer closeSoon(p)
			if c.refuse != "" {
				eventually(t, "the server is refused", func() bool { return logs.FilterMessageSnippet(c.refuse).Len() > 0 })
			} else {
				transporttest.Deliver(t, p, transporttest.Events(2, 1, 1))
			}
			if n := logs.FilterMessageSnippet("NATS_TLS_VERIFY is").Len(); n != min(len(c.warn), 1) || logs.FilterMessageSnippet(c.warn).Len() == 0 && n > 0 {
				t.Errorf("%d warnings: %v", n, logs.All())
			}
		})
	}
}
