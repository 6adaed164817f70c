package nats

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"livebridge/bridge"
)

const (
	reconnectWait   = 250 * time.Millisecond
	reconnectJitter = 250 * time.Millisecond
)

// connector connects with the current credentials and logs, at a bounded rate, why it cannot.
type connector struct {
	opts     *Options
	creds    *credentials
	current  atomic.Pointer[secrets] // used by the last attempt to connect
	conn     atomic.Pointer[nats.Conn]
	refusals bridge.Reminders // failures to connect
	faults   bridge.Reminders // errors while connected
	now      func() time.Time

	announced atomic.Bool           // a connection was logged
	lastError atomic.Pointer[error] // why the last attempt to connect failed; nil: none did
}

func newConnector(o *Options) (*connector, error) {
	creds, err := openCredentials(o)
	if err != nil {
		return nil, err
	}
	l := &connector{opts: o, creds: creds, now: time.Now}
	l.current.Store(creds.current())
	return l, nil
}

// connect connects to one or more servers of a cluster, comma-separated.
func (l *connector) connect(url string, further ...nats.Option) (*nats.Conn, error) {
	l.conn.Store(nil) // the options of the previous connection must not be changed any more
	l.refresh()
	opts := append(l.opts.connectOptions(), l.identify()...)
	opts = append(opts, nats.SetCustomDialer(l), nats.CustomReconnectDelay(l.delay),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { l.failed(err) }),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { l.failed(err) }))
	conn, err := nats.Connect(url, append(opts, further...)...)
	if errors.Is(err, nats.ErrNoServers) {
		return nil, l.cause()
	}
	if err == nil {
		l.conn.Store(conn)
		_ = l.reload() // a change in the meantime found no connection to replace
	}
	return conn, err
}

// identify returns the options that identify us. The client calls back for some of them at each connection and gets
// them from l.current; those that it keeps as values are set by Dial.
func (l *connector) identify() []nats.Option {
	opts := []nats.Option{func(o *nats.Options) error { l.set(o); return nil }}
	sign := func(nonce []byte) ([]byte, error) { return l.current.Load().sign(nonce) }
	if l.opts.CredsFile != "" {
		opts = append(opts, nats.UserJWT(func() (string, error) { return l.current.Load().jwt, nil }, sign))
	}
	if l.opts.NKeyFile != "" {
		opts = append(opts, nats.Nkey(l.current.Load().public, sign))
	}
	roots := func() (*x509.CertPool, error) { return l.current.Load().tls.Roots, nil }
	pair := func() (tls.Certificate, error) { return *l.current.Load().tls.Pair, nil }
	if settings := l.opts.tlsClient(); !settings.Default() {
		current := func() *x509.CertPool { return l.current.Load().tls.Roots }
		opts = append(opts, nats.Secure(settings.Apply(&tls.Config{MinVersion: tls.VersionTLS12}, current)))
	}
	switch ca, cert := l.opts.CAFile != "", l.opts.CertFile != ""; {
	case ca && cert:
		opts = append(opts, nats.ClientTLSConfig(pair, roots))
	case ca:
		opts = append(opts, nats.ClientTLSConfig(nil, roots))
	case cert:
		opts = append(opts, nats.ClientTLSConfig(pair, nil))
	}
	return opts
}

// set sets the values for which the client has no callback, or one that a URL with a user in it forbids.
func (l *connector) set(o *nats.Options) {
	s := l.current.Load()
	if l.opts.User != "" {
		o.User, o.Password = l.opts.User, s.password
	}
	o.Token, o.Nkey = s.token, s.public
}

// Dial implements nats.CustomDialer. The client calls it at the beginning of each attempt, while it holds the lock
// under which it then reads its options.
func (l *connector) Dial(network, address string) (net.Conn, error) {
	l.refresh()
	if conn := l.conn.Load(); conn != nil {
		l.set(&conn.Opts)
	}
	dialed, err := (&net.Dialer{Timeout: nats.DefaultTimeout}).Dial(network, address)
	if err != nil {
		l.lastError.Store(&err) // a client that does not retry keeps it for itself
	}
	return dialed, err
}

// refresh makes the next attempt use the current content of the files.
func (l *connector) refresh() {
	_ = l.creds.load() // the watcher of the files logs those that cannot be used
	l.current.Store(l.creds.current())
}

// reload reads the credentials again, and reconnects when they have changed.
func (l *connector) reload() error {
	err := l.creds.load()
	if conn := l.conn.Load(); conn != nil && l.creds.current().contents() != l.current.Load().contents() {
		_ = conn.ForceReconnect() // fails only after Close
	}
	return err
}

// delay is called once every server has been tried. It is the only place where the client reports a failed TLS
// handshake, or a refusal before the first connection.
func (l *connector) delay(int) time.Duration {
	if conn := l.conn.Load(); conn != nil {
		l.failed(conn.LastError())
	}
	return reconnectWait + rand.N(reconnectJitter)
}

// failed logs a failure of the connection, rate-limited by kind.
func (l *connector) failed(err error) {
	if err == nil || errors.Is(err, nats.ErrNoServers) {
		return // a more specific error follows
	}
	l.lastError.Store(&err)
	conn := l.conn.Load()
	f := l.faultOf(err)
	reminders := &l.refusals
	if f == nil && conn != nil && conn.IsConnected() {
		f, reminders = connectedFault(err), &l.faults
	} else if f == nil {
		f = &fault{kind: "connect", message: "broker unavailable: cannot connect to NATS; retrying",
			setting: settingPrefix + "NATS_URL"}
	}
	if suppressed, due := reminders.Due(f.kind, l.now()); due {
		l.opts.Log.Warn(f.message,
			zap.String("setting", f.setting), zap.Error(err), zap.Int("suppressed", suppressed))
	}
}

// connected logs the first connection whose stream is usable, and each recovery from a failure that was logged.
func (l *connector) connected(s *stream) {
	conn := l.conn.Load()
	if recovered, first := l.refusals.Recovered(), !l.announced.Swap(true); conn != nil && (recovered || first) {
		l.opts.Log.Info("broker connected", zap.String("server", l.opts.serverName(conn)),
			zap.String("stream", s.want.Name), zap.Bool("created", s.createdByUs))
	}
}

// serverName names the server of a connection, without credentials.
func (o *Options) serverName(conn *nats.Conn) string {
	if o.InProcess != nil {
		return "embedded"
	}
	return Redacted(conn.ConnectedUrl()) // the client's own redaction keeps a token
}

// cause returns why there is no connection. The client itself remembers only that no server is available.
func (l *connector) cause() error {
	if err := l.lastError.Load(); err != nil {
		return *err
	}
	return nats.ErrNoServers
}

// fault is one of a few kinds of failure.
type fault struct {
	kind    string
	message string
	setting string // full names of the settings to check
}

// rejectionTexts are the servers' messages for rejected credentials, in lower case.
func rejectionTexts() []string {
	return []string{"authorization violation", "account authentication expired", "authentication expired",
		"authentication revoked", "authentication timeout"}
}

// faultOf recognizes rejected credentials and failed TLS handshakes; nil: neither.
func (l *connector) faultOf(err error) *fault {
	text := strings.ToLower(err.Error())
	for _, rejection := range rejectionTexts() {
		if strings.Contains(text, rejection) {
			return &fault{rejection, "broker unavailable: NATS rejected the credentials; retrying", l.opts.identitySetting()}
		}
	}
	const message = "broker unavailable: TLS handshake with NATS failed; retrying"
	var name x509.HostnameError
	var unknown *tls.CertificateVerificationError
	var remote *net.OpError
	switch {
	case errors.As(err, &name):
		return &fault{"tls name", "broker unavailable: the certificate of NATS is for another name; " +
			"set NATS_TLS_SERVER_NAME to that name, or NATS_TLS_VERIFY to ca; retrying",
			settingNames("NATS_TLS_SERVER_NAME", "NATS_TLS_VERIFY")}
	case errors.As(err, &unknown):
		return &fault{"tls server", message, settingPrefix + "NATS_TLS_CA_FILE"}
	case errors.As(err, &remote) && remote.Op == "remote error", strings.Contains(text, "after tls handshake"):
		return &fault{"tls client", message, settingPrefix + "NATS_TLS_CERT_FILE"}
	case errors.Is(err, nats.ErrSecureConnWanted):
		return &fault{"no tls", "broker unavailable: the NATS server does not use TLS; " +
			"set NATS_URL to nats:// and unset NATS_TLS_*, or enable TLS at the server; retrying",
			settingNames("NATS_URL", "NATS_TLS_CA_FILE", "NATS_TLS_CERT_FILE")}
	case errors.Is(err, nats.ErrTLS), errors.Is(err, nats.ErrSecureConnRequired):
		return &fault{"tls", message, settingNames("NATS_URL", "NATS_TLS_CA_FILE")}
	}
	return nil
}

// connectedFault classifies errors that the client reports while connected. No setting is at fault for them.
func connectedFault(err error) *fault {
	const message = "NATS connection error"
	switch {
	case errors.Is(err, nats.ErrPermissionViolation):
		return &fault{"permissions", message, ""}
	case errors.Is(err, nats.ErrSlowConsumer):
		return &fault{"slow", message, ""}
	}
	return &fault{"other", message, ""}
}

// settingNames joins full names of settings.
func settingNames(names ...string) string {
	return settingPrefix + strings.Join(names, ", "+settingPrefix)
}

// identitySetting names the settings that identify us.
func (o *Options) identitySetting() string {
	file := func(setting, path string) string {
		if path != "" {
			return setting + "_FILE"
		}
		return setting
	}
	switch {
	case o.CredsFile != "":
		return settingNames("NATS_CREDS_FILE")
	case o.NKeyFile != "":
		return settingNames("NATS_NKEY_FILE")
	case o.userInURL():
		return settingNames("NATS_URL")
	case o.User != "":
		return settingNames("NATS_USER", file("NATS_PASSWORD", o.PasswordFile))
	case o.Token+o.TokenFile != "":
		return settingNames(file("NATS_TOKEN", o.TokenFile))
	case o.CertFile != "":
		return settingNames("NATS_TLS_CERT_FILE")
	}
	return settingNames("NATS_CREDS_FILE", "NATS_NKEY_FILE", "NATS_USER", "NATS_TOKEN") // none of which is set
}

func (o *Options) userInURL() bool {
	for _, text := range servers(o.URL) {
		if u, err := url.Parse(text); err == nil && u.User != nil {
			return true
		}
	}
	return false
}
