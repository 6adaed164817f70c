package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"livebridge/transports/transporttls"

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
	wrong(!o.TLS && (o.CAFile+o.CertFile+o.KeyFile != "" || !o.tlsClient().Default()),
		"KAFKA_TLS", "is false although another KAFKA_TLS_ setting is set: set it to true")
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

// tlsClient returns what the settings say about TLS.
func (o *Options) tlsClient() *transporttls.Client {
	return &transporttls.Client{
		Prefix: "KAFKA_", CAFile: o.CAFile, CertFile: o.CertFile, KeyFile: o.KeyFile,
		Verify: o.TLSVerify, ServerName: o.TLSServerName, ReadFile: o.ReadFile, SettingError: settingError,
	}
}

// tlsConfig returns the configuration of one connection to a host.
func (o *Options) tlsConfig(s *secrets, host string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: s.tls.Roots}
	if s.tls.Pair != nil {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return s.tls.Pair, nil }
	}
	return o.tlsClient().Apply(c, func() *x509.CertPool { return s.tls.Roots })
}
