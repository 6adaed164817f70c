package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// saslChoices are the values of KAFKA_SASL.
func saslChoices() []string { return []string{"none", "plain", "scram-sha-256", "scram-sha-512"} }

// checkIdentity refuses half an identity, which a broker would answer with no more than a closed connection.
func (o *Options) checkIdentity() []error {
	var errs []error
	wrong := func(bad bool, setting, text string) {
		if bad {
			errs = append(errs, settingError(setting, errors.New(text)))
		}
	}
	wrong(!slices.Contains(saslChoices(), o.SASL), "KAFKA_SASL", fmt.Sprintf("%q is not one of none, plain, scram-sha-256, scram-sha-512", o.SASL))
	wrong(o.SASL != "none" && o.User == "", "KAFKA_USER", "is empty, and KAFKA_SASL needs it")
	wrong(o.SASL != "none" && o.Password == "", "KAFKA_PASSWORD", "is empty, and KAFKA_SASL needs it")
	wrong(o.SASL == "none" && o.User != "", "KAFKA_SASL", "is none, and KAFKA_USER is set: say plain, scram-sha-256 or scram-sha-512, as the broker has it")
	wrong(!o.TLS && o.CAFile+o.CertFile+o.KeyFile != "", "KAFKA_TLS", "is false, and one of KAFKA_TLS_CA_FILE, KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE is set")
	wrong(o.CertFile != "" && o.KeyFile == "", "KAFKA_TLS_KEY_FILE", "is empty, and KAFKA_TLS_CERT_FILE needs it")
	wrong(o.KeyFile != "" && o.CertFile == "", "KAFKA_TLS_CERT_FILE", "is empty, and KAFKA_TLS_KEY_FILE needs it")
	return errs
}

// mechanism returns how we say who we are; nil: not by SASL.
func (o *Options) mechanism() (sasl.Mechanism, error) {
	var algorithm scram.Algorithm
	switch o.SASL {
	case "plain":
		return plain.Mechanism{Username: o.User, Password: o.Password}, nil
	case "scram-sha-256":
		algorithm = scram.SHA256
	case "scram-sha-512":
		algorithm = scram.SHA512
	default:
		return nil, nil
	}
	m, err := scram.Mechanism(algorithm, o.User, o.Password)
	if err != nil {
		return nil, settingError("KAFKA_PASSWORD", errors.New("cannot be used with SCRAM: it, or KAFKA_USER, has characters that SASLprep forbids"))
	}
	return m, nil
}

// tlsConfig returns nil when TLS is off. The client certificate is read anew for each connection, so that one that was
// renewed is used without a restart.
func (o *Options) tlsConfig() (*tls.Config, error) {
	if !o.TLS {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, settingError("KAFKA_TLS_CA_FILE", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, settingError("KAFKA_TLS_CA_FILE", fmt.Errorf("%s holds no certificate in PEM form", o.CAFile))
		}
	}
	if o.CertFile != "" {
		if _, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile); err != nil {
			return nil, settingError("KAFKA_TLS_CERT_FILE", fmt.Errorf("with KAFKA_TLS_KEY_FILE: %w", err))
		}
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
			return &pair, err
		}
	}
	return c, nil
}
