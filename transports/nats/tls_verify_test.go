package nats

import (
	"crypto/tls"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"livebridge/bridge/certificate/certificatetest"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// TestVerify: a certificate for another name is refused unless the settings say otherwise, and one of another authority
// unless nothing is verified.
func TestVerify(t *testing.T) {
	t.Parallel()
	right, another := certificatetest.NewAuthority(t), certificatetest.NewAuthority(t)
	s := natstest.Start(t,
		&server.Options{TLS: true,
			TLSConfig: &tls.Config{Certificates: []tls.Certificate{right.Issue(t, "server", "nats.internal").Certificate}}})
	const byName = "broker unavailable: the certificate of NATS is for another name"
	const byChain = "broker unavailable: TLS handshake with NATS failed"
	for name, c := range map[string]struct {
		ca, verify, serverName string
		refuse, warn           string
	}{
		"full":                    {right.File, "full", "", byName, ""},
		"full with the name":      {right.File, "full", "nats.internal", "", ""},
		"full with another name":  {right.File, "full", "nats.example", byName, ""},
		"ca":                      {right.File, "ca", "", "", "are verified by authority alone"},
		"ca of another authority": {another.File, "ca", "", byChain, "are verified by authority alone"},
		"none":                    {"", "none", "", "", "are not verified"},
	} {
		t.Run(name, func(t *testing.T) {
			o, logs := watchedLog()
			o.URL, o.CAFile, o.TLSVerify, o.TLSServerName = s.URL, c.ca, c.verify, c.serverName
			p := natstest.Must(Dial(o))
			defer transporttest.CloseSoon(p)
			if c.refuse != "" {
				transporttest.Eventually(t, "the server is refused",
					func() bool { return logs.FilterMessageSnippet(c.refuse).Len() > 0 })
			} else {
				transporttest.Deliver(t, p, transporttest.Events(2, 1, 1))
			}
			if n := logs.FilterMessageSnippet("broker certificates").Len(); n != min(len(c.warn), 1) ||
				logs.FilterMessageSnippet(c.warn).Len() == 0 && n > 0 {
				t.Errorf("%d warnings: %v", n, logs.All())
			}
		})
	}
}
