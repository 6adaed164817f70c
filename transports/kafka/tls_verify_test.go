package kafka

import (
	"crypto/tls"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"livebridge/bridge/certificate/certificatetest"
	"livebridge/transports/transporttest"
)

// verification is what settings make of a broker whose certificate is for kafka.internal and reached at 127.0.0.1.
type verification struct {
	name   string
	set    func(o *Options, authority string)
	refuse string // what is logged when it is refused
	warn   string
}

// verifications are all values of the setting, with the broker's authority and with another.
func verifications(another string) []verification {
	const byName = "broker unavailable: the certificate of Kafka is for another name"
	const byChain = "broker unavailable: TLS handshake with Kafka failed"
	return []verification{
		{"full", func(o *Options, ca string) { o.CAFile = ca }, byName, ""},
		{"full with the name", func(o *Options, ca string) { o.CAFile, o.TLSServerName = ca, "kafka.internal" }, "", ""},
		{"full with another name", func(o *Options, ca string) { o.CAFile, o.TLSServerName = ca, "kafka.example" }, byName,
			""},
		{"ca", func(o *Options, ca string) { o.CAFile, o.TLSVerify = ca, "ca" }, "", "are verified by authority alone"},
		{"ca of another authority", func(o *Options, _ string) { o.CAFile, o.TLSVerify = another, "ca" }, byChain,
			"are verified by authority alone"},
		{"none", func(o *Options, _ string) { o.CAFile, o.TLSVerify = another, "none" }, "", "are not verified"},
	}
}

// check publishes with the settings, or expects that the broker is refused.
func (v verification) check(t *testing.T, addr, authority string, set func(*Options)) {
	o, logs := observed()
	o.Brokers, o.TLS = addr, true
	set(&o)
	v.set(&o, authority)
	p := dial(t, o)
	if v.refuse != "" {
		transporttest.AwaitLog(t, logs, v.refuse)
	} else {
		transporttest.Deliver(t, p, transporttest.Events(2, 1, 1))
	}
	if n := logs.FilterMessageSnippet("broker certificates").Len(); n != min(len(v.warn), 1) || n > 0 &&
		logs.FilterMessageSnippet(v.warn).Len() == 0 {
		t.Errorf("%d warnings: %v", n, logs.All())
	}
}

// TestVerify: a certificate for another name is refused unless the settings say otherwise, and one of another authority
// unless nothing is verified.
func TestVerify(t *testing.T) {
	t.Parallel()
	right, another := certificatetest.NewAuthority(t), certificatetest.NewAuthority(t)
	f := startFake(t, kfake.TLS(serving(right.Issue(t, "broker", "kafka.internal"))))
	for _, v := range verifications(another.File) {
		t.Run(v.name, func(t *testing.T) { v.check(t, f.addrs[0], right.File, func(*Options) {}) })
	}
}

// serving is the configuration of a server with a certificate.
func serving(c certificatetest.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c.Certificate}}
}
