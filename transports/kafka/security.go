package kafka

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// saslChoices are the values of KAFKA_SASL.
func saslChoices() []string { return []string{"none", "plain", "scram-sha-256", "scram-sha-512"} }

// checkCredentials refuses half an identity, which a broker would answer with no more than a closed connection.
func (o *Options) checkCredentials() []error {
	var errs []error
	wrong := func(bad bool, setting, text string) {
		if bad {
			errs = append(errs, settingError(setting, errors.New(text)))
		}
	}
	wrong(!slices.Contains(saslChoices(), o.SASL), "KAFKA_SASL", fmt.Sprintf("%q is not one of none, plain, scram-sha-256, scram-sha-512", o.SASL))
	wrong(o.SASL != "none" && o.User == "", "KAFKA_USER", "is empty; KAFKA_SASL requires it")
	wrong(o.SASL != "none" && o.Password+o.PasswordFile == "", "KAFKA_PASSWORD", "is empty; KAFKA_SASL requires it")
	wrong(o.SASL == "none" && o.User != "", "KAFKA_SASL", "is none, and KAFKA_USER is set: say plain, scram-sha-256 or scram-sha-512, as the broker has it")
	wrong(!o.TLS && o.CAFile+o.CertFile+o.KeyFile != "", "KAFKA_TLS", "is false, and one of KAFKA_TLS_CA_FILE, KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE is set")
	wrong(o.CertFile != "" && o.KeyFile == "", "KAFKA_TLS_KEY_FILE", "is empty, and KAFKA_TLS_CERT_FILE needs it")
	wrong(o.KeyFile != "" && o.CertFile == "", "KAFKA_TLS_CERT_FILE", "is empty, and KAFKA_TLS_KEY_FILE needs it")
	return errs
}

// mechanism returns how we say who we are with a password, which comes from a setting. Nil: not by SASL.
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

// tlsConfig is for one connection to a host.
func (o *Options) tlsConfig(s *secrets, host string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: s.roots}
	if s.pair != nil {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return s.pair, nil }
	}
	return c
}
