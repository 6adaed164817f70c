package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"livebridge/bridge"
)

// connectionLog logs, rate-limited, why nothing can be published, and once that it can.
type connectionLog struct {
	opts      *Options
	reminders bridge.Reminders
	announced bool // a connection was logged
}

// fault is one of a few kinds of failure.
type fault struct {
	kind    string
	message string
	setting string // full names of the settings to check
}

// failed logs a failure, rate-limited by kind.
func (t *connectionLog) failed(ctx context.Context, err error) {
	f := t.opts.faultOf(err)
	suppressed, due := t.reminders.Due(f.kind, time.Now())
	if !due {
		return
	}
	if f.kind == closedKind && !t.opts.TLS && t.opts.speaksTLS(ctx) {
		f = needsTLS()
	}
	t.opts.Log.Warn(f.message,
		zap.String("setting", f.setting), zap.Error(err), zap.Int("suppressed", suppressed))
}

// connected logs the first connection, and each recovery from a failure that was logged.
func (t *connectionLog) connected(fields ...zap.Field) {
	if recovered := t.reminders.Recovered(); recovered || !t.announced {
		t.announced = true
		t.opts.Log.Info("broker connected", append([]zap.Field{zap.String("server", t.opts.Brokers)}, fields...)...)
	}
}

// noteConnected records whether events can be published. With a template, each topic by itself may be unusable.
func (t *topics) noteConnected(connected bool) {
	t.connected.Store(connected)
	if !connected || t.secondary {
		return
	}
	if name := template(t.opts.Topic); !name.fixed() {
		t.connectionLog.connected(zap.String("topic", t.opts.Topic))
	} else {
		known := t.of(t.opts.Topic)
		t.connectionLog.connected(zap.String("topic", known.Name), zap.Bool("created", known.created),
			zap.Int("partitions", len(known.layout.Load().partitions)))
	}
}

// faultOf classifies a failure to connect.
func (o *Options) faultOf(err error) fault {
	switch {
	case errors.Is(err, kafka.SASLAuthenticationFailed):
		return fault{"credentials", "broker unavailable: Kafka rejected the credentials; retrying",
			settingNames("KAFKA_USER", o.passwordSetting())}
	case errors.Is(err, kafka.IllegalSASLState):
		return fault{"no sasl", "broker unavailable: the Kafka listener does not use SASL; " +
			"set KAFKA_SASL to none, or KAFKA_BROKERS to a listener with SASL; retrying",
			settingNames("KAFKA_SASL", "KAFKA_BROKERS")}
	case errors.Is(err, kafka.UnsupportedSASLMechanism):
		return fault{"mechanism", "broker unavailable: Kafka does not support the SASL mechanism; retrying",
			settingNames("KAFKA_SASL")}
	case errors.Is(err, errExpectsTLS):
		return needsTLS()
	case errors.Is(err, errNotKafka):
		return fault{"not kafka", "broker unavailable: no Kafka broker answers; retrying", settingNames("KAFKA_BROKERS")}
	}
	if f := handshakeFault(err); f != nil {
		return *f
	}
	if closed := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF); closed && o.SASL != "none" {
		return fault{closedKind, "broker unavailable: Kafka closed the connection; check the credentials; retrying",
			settingNames("KAFKA_USER", o.passwordSetting())}
	} else if closed {
		return fault{closedKind, "broker unavailable: Kafka closed the connection; the listener may need SASL; retrying",
			settingNames("KAFKA_SASL", "KAFKA_TLS")}
	}
	return fault{"brokers", "broker unavailable: cannot reach Kafka; retrying", settingNames("KAFKA_BROKERS")}
}

// connectError says why brokers cannot be reached, and which settings to check.
func (o *Options) connectError(err error) error {
	f := o.faultOf(err)
	return fmt.Errorf("%s: check %s: %w", strings.TrimSuffix(f.message, "; retrying"), f.setting, err)
}

// closedKind is the kind of a connection that the broker closed without an answer.
const closedKind = "closed"

func needsTLS() fault {
	return fault{"needs tls", "broker unavailable: the Kafka listener uses TLS; set KAFKA_TLS to true; retrying",
		settingNames("KAFKA_TLS")}
}

// probeTimeout is how long a listener has for a TLS handshake.
const probeTimeout = time.Second

// speaksTLS reports whether a broker that closes connections without TLS does a TLS handshake. Nothing is sent through
// that connection, so its certificate does not matter.
func (o *Options) speaksTLS(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	for _, broker := range o.brokers() {
		conn, err := o.dial(ctx, "tcp", broker)
		if err != nil {
			continue
		}
		probe := tls.Client(conn, &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true})
		err = probe.HandshakeContext(ctx)
		_ = conn.Close()
		var alert *net.OpError
		return err == nil || errors.As(err, &alert) && alert.Op == "remote error"
	}
	return false
}

// handshakeFault classifies failed TLS handshakes; nil: it is none. A listener without TLS takes the first message of
// the handshake for a request of an absurd length, and closes the connection.
func handshakeFault(err error) *fault {
	const message = "broker unavailable: TLS handshake with Kafka failed; retrying"
	var name x509.HostnameError
	var server *tls.CertificateVerificationError
	var remote *net.OpError
	var record tls.RecordHeaderError
	var other *handshakeError
	switch {
	case errors.As(err, &name):
		return &fault{"tls name", "broker unavailable: the certificate of Kafka is for another name; " +
			"set KAFKA_TLS_SERVER_NAME to that name, or KAFKA_TLS_VERIFY to ca; retrying",
			settingNames("KAFKA_TLS_SERVER_NAME", "KAFKA_TLS_VERIFY")}
	case errors.As(err, &server):
		return &fault{"tls server", message, settingNames("KAFKA_TLS_CA_FILE")}
	case errors.As(err, &remote) && remote.Op == "remote error":
		return &fault{"tls client", message, settingNames("KAFKA_TLS_CERT_FILE")}
	case !errors.As(err, &other):
		return nil
	case errors.As(err, &record), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return &fault{"no tls", "broker unavailable: the Kafka listener does not seem to use TLS; " +
			"set KAFKA_TLS to false, or KAFKA_BROKERS to a listener with TLS; retrying",
			settingNames("KAFKA_TLS", "KAFKA_BROKERS")}
	}
	return &fault{"tls", message, settingNames("KAFKA_BROKERS", "KAFKA_TLS")}
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
