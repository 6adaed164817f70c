package kafka

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"livebridge/bridge"
)

// connectionLog logs, rate-limited, why the brokers cannot be reached, and once that they can be again.
type connectionLog struct {
	opts      *Options
	reminders bridge.Reminders
}

// fault is one of a few kinds of failure.
type fault struct {
	kind    string
	message string
	setting string // full names of the settings to check
}

// failed logs a failure, rate-limited by kind.
func (t *connectionLog) failed(err error) {
	f := t.opts.faultOf(err)
	if suppressed, due := t.reminders.Due(f.kind, time.Now()); due {
		t.opts.Log.Warn(f.message,
			zap.String("setting", f.setting), zap.Error(err), zap.Int("suppressed", suppressed))
	}
}

// connected logs the recovery if a failure was logged.
func (t *connectionLog) connected() {
	if t.reminders.Recovered() {
		t.opts.Log.Info("connected to Kafka again")
	}
}

// faultOf classifies a failure to connect: rejected credentials, failed TLS handshakes, and others.
func (o *Options) faultOf(err error) fault {
	const handshake = "TLS handshake with Kafka failed; retrying"
	var server *tls.CertificateVerificationError
	var remote *net.OpError
	var other *handshakeError
	switch {
	case errors.Is(err, kafka.SASLAuthenticationFailed):
		return fault{"credentials", "Kafka rejected the credentials; retrying",
			settingNames("KAFKA_USER", o.passwordSetting())}
	case errors.Is(err, kafka.UnsupportedSASLMechanism), errors.Is(err, kafka.IllegalSASLState):
		return fault{"mechanism", "Kafka rejected the SASL mechanism; retrying", settingNames("KAFKA_SASL")}
	case errors.As(err, &server):
		return fault{"tls server", handshake, settingNames("KAFKA_TLS_CA_FILE")}
	case errors.As(err, &remote) && remote.Op == "remote error":
		return fault{"tls client", handshake, settingNames("KAFKA_TLS_CERT_FILE")}
	case errors.As(err, &other):
		return fault{"tls", handshake, settingNames("KAFKA_BROKERS", "KAFKA_TLS")}
	case errors.Is(err, errNotKafka):
		return fault{"not kafka", "no Kafka broker answers; retrying", settingNames("KAFKA_BROKERS")}
	}
	if closed := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF); closed && o.SASL != "none" {
		return fault{"closed", "Kafka closed the connection; check the credentials; retrying",
			settingNames("KAFKA_USER", o.passwordSetting())}
	} else if closed {
		return fault{"closed", "Kafka closed the connection; retrying", settingNames("KAFKA_TLS", "KAFKA_SASL")}
	}
	return fault{"brokers", "cannot fetch metadata from Kafka; retrying", settingNames("KAFKA_BROKERS")}
}

// settingNames joins full names of settings.
func settingNames(names ...string) string {
	return settingPrefix + strings.Join(names, ", "+settingPrefix)
}

func (o *Options) passwordSetting() string {
	if o.PasswordFile != "" {
		return "KAFKA_PASSWORD_FILE"
	}
	return "KAFKA_PASSWORD"
}
