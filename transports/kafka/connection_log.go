package kafka

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"livebridge/bridge"
)

// connectionLog says in few lines why the brokers cannot be reached, and that they can be again.
type connectionLog struct {
	opts      *Options
	reminders bridge.Reminders
}

// fault is one of a few kinds of failure.
type fault struct {
	kind    string
	message string
	setting string // where to look
}

// failed logs a failure: each kind once, and then once a minute.
func (t *connectionLog) failed(err error) {
	f := t.opts.faultOf(err)
	if suppressed, due := t.reminders.Due(f.kind, time.Now()); due {
		t.opts.Log.Warn(f.message,
			zap.String("setting", f.setting), zap.Error(err), zap.Int("suppressed", suppressed))
	}
}

// connected says that it works again if a failure was logged.
func (t *connectionLog) connected() {
	if t.reminders.Recovered() {
		t.opts.Log.Info("connected to Kafka again")
	}
}

// faultOf recognizes refused credentials and failed TLS handshakes.
func (o *Options) faultOf(err error) fault {
	const handshake = "TLS handshake with Kafka failed; retrying"
	var server *tls.CertificateVerificationError
	var remote *net.OpError
	var other *handshakeError
	switch {
	case errors.Is(err, kafka.SASLAuthenticationFailed):
		return fault{"credentials", "Kafka rejected the credentials; retrying", "KAFKA_USER, " + o.passwordSetting()}
	case errors.Is(err, kafka.UnsupportedSASLMechanism), errors.Is(err, kafka.IllegalSASLState):
		return fault{"mechanism", "Kafka rejected the SASL mechanism; retrying", "KAFKA_SASL"}
	case errors.As(err, &server):
		return fault{"tls server", handshake, "KAFKA_TLS_CA_FILE"}
	case errors.As(err, &remote) && remote.Op == "remote error":
		return fault{"tls client", handshake, "KAFKA_TLS_CERT_FILE"}
	case errors.As(err, &other):
		return fault{"tls", handshake, "KAFKA_BROKERS, KAFKA_TLS"}
	case errors.Is(err, errNotKafka):
		return fault{"not kafka", "no Kafka broker answers; retrying", "KAFKA_BROKERS"}
	}
	if closed := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF); closed && o.SASL != "none" {
		return fault{"closed", "Kafka closed the connection; check the credentials; retrying",
			"KAFKA_USER, " + o.passwordSetting()}
	} else if closed {
		return fault{"closed", "Kafka closed the connection; retrying", "KAFKA_TLS, KAFKA_SASL"}
	}
	return fault{"brokers", "cannot fetch metadata from Kafka; retrying", "KAFKA_BROKERS"}
}

func (o *Options) passwordSetting() string {
	if o.PasswordFile != "" {
		return "KAFKA_PASSWORD_FILE"
	}
	return "KAFKA_PASSWORD"
}
