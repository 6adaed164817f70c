// Package transporttls is what the transports share as TLS clients of a broker: how its certificate is verified, and
// the files of authorities, certificates and keys.
package transporttls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"go.uber.org/zap"
)

// Values of the settings *_TLS_VERIFY.
const (
	VerifyFull = "full" // the chain and the name; also the empty string
	VerifyCA   = "ca"   // the chain only
	VerifyNone = "none"
)

// Client is what the settings of a transport say about TLS.
type Client struct {
	Prefix string // of the settings, such as KAFKA_

	CAFile, CertFile, KeyFile string                            // empty: the system's authorities, no certificate
	Verify                    string                            // one of the constants, or empty
	ServerName                string                            // to verify instead of the host of the address
	ReadFile                  func(path string) ([]byte, error) // reads the files

	// SettingError returns the error of a setting.
	SettingError func(setting string, err error) error
}

// settings of each transport, after the prefix
const (
	caFile   = "TLS_CA_FILE"
	certFile = "TLS_CERT_FILE"
	keyFile  = "TLS_KEY_FILE"
	verify   = "TLS_VERIFY"
)

func (c *Client) wrong(setting, format string, args ...any) error {
	return c.SettingError(c.Prefix+setting, fmt.Errorf(format, args...))
}

// Check rejects an unknown value of Verify, a certificate without a key, and a key without a certificate.
func (c *Client) Check() error {
	var known, pair error
	if !slices.Contains([]string{"", VerifyFull, VerifyCA, VerifyNone}, c.Verify) {
		known = c.wrong(verify, "invalid value %q: use one of full, ca, none", c.Verify)
	}
	switch {
	case c.CertFile != "" && c.KeyFile == "":
		pair = c.wrong(keyFile, "is empty: set the key of %s%s", c.Prefix, certFile)
	case c.CertFile == "" && c.KeyFile != "":
		pair = c.wrong(certFile, "is empty: set the certificate of %s%s", c.Prefix, keyFile)
	}
	return errors.Join(known, pair)
}

// Default reports whether the broker's certificate is verified as every TLS client does it.
func (c *Client) Default() bool {
	return (c.Verify == "" || c.Verify == VerifyFull) && c.ServerName == ""
}

// Warn warns of a certificate that is not fully verified.
func (c *Client) Warn(log *zap.Logger, setting string) {
	if text := c.warning(); text != "" {
		log.Warn(text, zap.String("setting", setting))
	}
}

func (c *Client) warning() string {
	switch c.Verify {
	case VerifyCA:
		return "broker certificates are verified by authority alone: whoever has any certificate of that authority " +
			"can pose as a broker; prefer full, with TLS_SERVER_NAME if the name differs from the address"
	case VerifyNone:
		return "broker certificates are not verified: whoever can intercept the connection can pose as a broker; " +
			"set TLS_CA_FILE, and TLS_VERIFY to full or ca"
	}
	return ""
}

// Apply makes a configuration verify as the settings say. roots returns the trusted authorities at each connection;
// nil: the system's.
func (c *Client) Apply(to *tls.Config, roots func() *x509.CertPool) *tls.Config {
	if c.ServerName != "" {
		to.ServerName = c.ServerName
	}
	switch c.Verify {
	case VerifyCA:
		to.InsecureSkipVerify = true // what follows verifies all but the name
		to.VerifyConnection = func(s tls.ConnectionState) error { return verifyChain(s.PeerCertificates, roots()) }
	case VerifyNone:
		to.InsecureSkipVerify = true
	}
	return to
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
