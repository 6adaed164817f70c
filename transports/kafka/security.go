package kafka

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// saslChoices are the values of KAFKA_SASL.
func saslChoices() []string { return []string{"none", "plain", "scram-sha-256", "scram-sha-512"} }

// checkCredentials rejects incomplete credentials, for which a broker would only close the connection.
func (o *Options) checkCredentials() []error {
	var errs []error
	wrong := func(bad bool, setting, text string) {
		if bad {
			errs = append(errs, settingError(setting, errors.New(text)))
		}
	}
	wrong(!slices.Contains(saslChoices(), o.SASL), "KAFKA_SASL",
		fmt.Sprintf("%q is not supported: use none, plain, scram-sha-256 or scram-sha-512", o.SASL))
	wrong(o.SASL != "none" && o.User == "", "KAFKA_USER", "is empty: KAFKA_SASL requires it")
	wrong(o.SASL != "none" && o.Password+o.PasswordFile == "", "KAFKA_PASSWORD", "is empty: KAFKA_SASL requires it")
	wrong(o.SASL == "none" && o.User != "", "KAFKA_SASL",
		"is none although KAFKA_USER is set: use the broker's mechanism, plain, scram-sha-256 or scram-sha-512")
	wrong(!o.TLS && (o.CAFile+o.CertFile+o.KeyFile+o.TLSServerName != "" || cmp.Or(o.TLSVerify, verifyFull) != verifyFull),
		"KAFKA_TLS", "is false although another KAFKA_TLS_ setting is set: set it to true")
	wrong(o.CertFile != "" && o.KeyFile == "", "KAFKA_TLS_KEY_FILE", "is empty: set the key of KAFKA_TLS_CERT_FILE")
	wrong(o.KeyFile != "" && o.CertFile == "", "KAFKA_TLS_CERT_FILE",
		"is empty: set the certificate of KAFKA_TLS_KEY_FILE")
	return errs
}

// mechanism returns the SASL mechanism with a password, which comes from the given setting. Nil: no SASL.
func (o *Options) mechanism(setting, password string) (sasl.Mechanism, error) {
	var algorithm scram.Algorithm
	switch o.SASL {
	case "plain":
		return plain.Mechanism{Username: o.User, Password: password}, nil
	case "scram-sha-256":
		algorithm = scram.SHA256
	case "scram-sha-512":
		algorithm = scram.SHA512
	default:
		return nil, nil
	}
	m, err := scram.Mechanism(algorithm, o.User, password)
	if err != nil {
		return nil, settingError(setting,
			errors.New("is not valid for SCRAM: it or KAFKA_USER has characters that SASLprep forbids"))
	}
	return m, nil
}

// tlsConfig returns the configuration of one connection to a host.
func (o *Options) tlsConfig(s *secrets, host string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: s.roots}
	if s.pair != nil {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return s.pair, nil }
	}
	return o.verify(c, func() *x509.CertPool { return s.roots })
}
