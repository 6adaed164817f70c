package ingress_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"livebridge/bridge/certificate/certificatetest"
)

// received waits for what another goroutine has to tell, or for its channel to be closed.
func received[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("it never came about that %s", what)
		panic("not reached")
	}
}

// eventually waits for what is done behind an answer.
func eventually(t *testing.T, what string, ready func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ready(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

// handshakeCase is a handshake that fails.
type handshakeCase struct {
	reason string
	logged bool
	do     func(c net.Conn, trust *tls.Config)
}

// TestFailedHandshakes: each is counted by its reason and logged with its source, and a good client gets its response
// meanwhile.
func TestFailedHandshakes(t *testing.T) {
	authority := certificatetest.NewAuthority(t)
	issued := func(by *certificatetest.Authority, until time.Duration) *tls.Certificate {
		c := by.IssueUntil(t, "gateway", "gateway.example.com", time.Now().Add(until))
		return &c.Certificate
	}
	friend := issued(authority, time.Hour)
	for _, tt := range []handshakeCase{
		{"no_client_certificate", true, handshake(func(c *tls.Config) { c.GetClientCertificate = nil })},
		{"no_client_certificate", true, handshake(func(c *tls.Config) {
			c.GetClientCertificate, c.MaxVersion = nil, tls.VersionTLS12
		})},
		{"unknown_authority", true, handshake(presenting(issued(certificatetest.NewAuthority(t), time.Hour)))},
		{"client_certificate_expired", true, handshake(presenting(issued(authority, -time.Hour)))},
		{"unsupported_version", true, handshake(func(c *tls.Config) {
			c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		})},
		{"rejected_by_client", true, handshake(func(c *tls.Config) {
			c.InsecureSkipVerify, c.RootCAs = false, x509.NewCertPool()
		})},
		{"rejected_by_client", true, func(c net.Conn, trust *tls.Config) {
			handshake(func(c *tls.Config) { c.InsecureSkipVerify, c.RootCAs = false, x509.NewCertPool() })(&plainAlert{Conn: c},
				trust)
			_, _ = io.Copy(io.Discard, c)
		}},
		{"plain_http", true, func(c net.Conn, _ *tls.Config) {
			_, _ = io.WriteString(c, wire(good()))
			_, _ = io.Copy(io.Discard, c)
		}},
		{"other", true, func(c net.Conn, _ *tls.Config) { _, _ = io.WriteString(c, "\x00\x01\x02\x03\x04\x05") }},
		{"other", true, func(c net.Conn, _ *tls.Config) { // a message of a type that there is not
			_, _ = io.WriteString(c, "\x16\x03\x01\x00\x04\x63\x00\x00\x00")
			_, _ = io.Copy(io.Discard, c)
		}},
		{"plain_http", true, func(c net.Conn, _ *tls.Config) {
			_, _ = io.WriteString(c, "AZ / HTTP/1.1")
			_, _ = io.Copy(io.Discard, c)
		}},
		{"incomplete", false, func(net.Conn, *tls.Config) {}},
	} {
		t.Run(tt.reason, func(t *testing.T) { tt.run(t, authority, friend) })
	}
}

func (tt handshakeCase) run(t *testing.T, authority *certificatetest.Authority, friend *tls.Certificate) {
	t.Helper()
	b, address, trust := newTLSHarness(t, func(s *setup) {
		s.cfg.TLS.MinVersion, s.cfg.TLS.ClientAuth = tls.VersionTLS12, tls.RequireAndVerifyClientCert
		s.cfg.TLS.ClientCAs = authority.Pool()
	})
	presenting(friend)(trust)
	trust.InsecureSkipVerify = true
	c, _ := dial(t, address)
	tt.do(c, trust.Clone())
	_ = c.Close()
	eventually(t, "it was not counted", func() bool {
		return b.counted(t, "livebridge_tls_handshake_failures_total", tt.reason) == 1
	})
	if got := statusOverHTTP2(t, client(t, trust), address, good()); got != 200 {
		t.Errorf("a good client got %d", got)
	}
	lines := b.log.FilterMessage("TLS handshake failed").All()
	if (len(lines) == 1) != tt.logged {
		t.Fatalf("%d lines", len(lines))
	}
	if tt.logged && (lines[0].ContextMap()["reason"] != tt.reason || lines[0].ContextMap()["source"] != "127.0.0.1") {
		t.Errorf("%v", lines[0].ContextMap())
	}
}

// presenting has the client show a certificate, whomever the server trusts.
func presenting(cert *tls.Certificate) func(*tls.Config) {
	return func(c *tls.Config) {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
}

// handshake speaks TLS in another way, until the server has ended the connection.
func handshake(change func(*tls.Config)) func(net.Conn, *tls.Config) {
	return func(c net.Conn, trust *tls.Config) {
		change(trust)
		secure := tls.Client(c, trust)
		if secure.Handshake() == nil {
			_, _ = io.Copy(io.Discard, secure)
		}
	}
}

// plainAlert sends an alert, unknown_ca, in place of what follows the client's first message. OpenSSL sends one so,
// without encryption, before it has keys to encrypt it with.
type plainAlert struct {
	net.Conn
	begun bool
}

func (p *plainAlert) Write(b []byte) (int, error) {
	if !p.begun {
		p.begun = true
		return p.Conn.Write(b)
	}
	_, err := p.Conn.Write([]byte{21, 3, 3, 0, 2, 2, 48})
	return len(b), err
}

// TestTLSToThePlainPort: it is logged too.
func TestTLSToThePlainPort(t *testing.T) {
	b := newHarness(t, nil)
	c, _ := dial(t, b.listen(t))
	if err := tls.Client(c, &tls.Config{InsecureSkipVerify: true}).Handshake(); err == nil {
		t.Fatal("there was TLS")
	}
	eventually(t, "it was not counted", func() bool {
		return b.counted(t, "livebridge_tls_handshake_failures_total", "tls_to_plain_port") == 1
	})
	if n := b.log.FilterMessage("TLS handshake failed").Len(); n != 1 {
		t.Errorf("%d lines", n)
	}
}

// TestSilentClientHoldsNobodyUp: a handshake that does not go on is one connection's matter.
func TestSilentClientHoldsNobodyUp(t *testing.T) {
	_, address, trust := newTLSHarness(t, nil)
	dial(t, address)
	if got := statusOverHTTP2(t, client(t, trust), address, good()); got != 200 {
		t.Errorf("%d", got)
	}
}

// TestOneByteToThePlainPort: it may be the first of a TLS handshake, and is none yet.
func TestOneByteToThePlainPort(t *testing.T) {
	b := newHarness(t, nil)
	c, r := dial(t, b.listen(t))
	write(t, c, "\x16")
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	closed(t, r)
	if lines := b.log.All(); len(lines) != 0 {
		t.Errorf("logged %v", lines)
	}
}

// TestHandshakeReasonsAreThere from the start, so that an alert can be set on them.
func TestHandshakeReasonsAreThere(t *testing.T) {
	b := newHarness(t, nil)
	families, err := b.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "livebridge_tls_handshake_failures_total" {
				reasons = append(reasons, m.GetLabel()[0].GetValue())
			}
		}
	}
	if got := strings.Join(reasons, " "); got != "client_certificate_expired client_certificate_invalid incomplete "+
		"no_client_certificate other "+
		"plain_http rejected_by_client tls_to_plain_port unknown_authority unsupported_version" {
		t.Error(got)
	}
}

// TestFailedHandshakesAreBounded: one source fills no log.
func TestFailedHandshakesAreBounded(t *testing.T) {
	b, address, _ := newTLSHarness(t, nil)
	for range 100 {
		c, _ := dial(t, address)
		write(t, c, wire(good()))
		_, _ = io.Copy(io.Discard, c)
	}
	eventually(t, "they were not counted", func() bool {
		return b.counted(t, "livebridge_tls_handshake_failures_total", "plain_http") == 100
	})
	if n := b.log.FilterMessage("TLS handshake failed").Len(); n == 0 || n > 20 {
		t.Errorf("%d lines", n)
	}
}
