package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"go.uber.org/zap"
)

// Values of KAFKA_TLS_VERIFY.
const (
	verifyFull = "full" // the chain and the name; also the empty string
	verifyCA   = "ca"   // the chain only
	verifyNone = "none"
)

// checkVerify rejects an unknown value of KAFKA_TLS_VERIFY.
func (o *Options) checkVerify() error {
	if slices.Contains([]string{"", verifyFull, verifyCA, verifyNone}, o.TLSVerify) {
		return nil
	}
	return settingError("KAFKA_TLS_VERIFY", fmt.Errorf("invalid value %q: use one of full, ca, none", o.TLSVerify))
}

// warnVerify warns of a certificate that is not fully verified.
func (o *Options) warnVerify() {
	setting := zap.String("setting", settingNames("KAFKA_TLS_VERIFY"))
	switch o.TLSVerify {
	case verifyCA:
		o.Log.Warn("KAFKA_TLS_VERIFY is ca: whoever has any certificate of the same authority can pose as the broker; "+
			"prefer full, with KAFKA_TLS_SERVER_NAME if the name differs from the address", setting)
	case verifyNone:
		o.Log.Warn("KAFKA_TLS_VERIFY is none: whoever can intercept the connection can pose as the broker; "+
			"set KAFKA_TLS_CA_FILE and full, or ca", setting)
	}
}

// verify makes a configuration verify as KAFKA_TLS_VERIFY and KAFKA_TLS_SERVER_NAME say. roots returns the trusted
// authorities; nil: the system's.
func (o *Options) verify(c *tls.Config, roots func() *x509.CertPool) *tls.Config {
	if o.TLSServerName != "" {
		c.ServerName = o.TLSServerName
	}
	switch o.TLSVerify {
	case verifyCA:
		c.InsecureSkipVerify = true // what follows verifies all but the name
		c.VerifyConnection = func(s tls.ConnectionState) error { return verifyChain(s.PeerCertificates, roots()) }
	case verifyNone:
		c.InsecureSkipVerify = true
	}
	return c
}

// verifyChain verifies that a server's certificate was issued by a trusted authority and is valid now.
func verifyChain(certificates []*x509.Certificate, roots *x509.CertPool) error {
	if len(certificates) == 0 {
		return errors.New("no certificate")
	}
	intermediates := x509.NewCertPool()
	for _, c := range certificates[1:] {
		intermediates.AddCert(c)
	}
	_, err := certificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates})
	if err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: certificates, Err: err}
	}
	return nil
}
