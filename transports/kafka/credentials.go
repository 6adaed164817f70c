package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"

	"livebridge/transports/transporttls"

	"github.com/segmentio/kafka-go/sasl"
)

// fileContents are the files of credentials and of trusted authorities, as read. They are comparable.
type fileContents struct {
	password string
	tls      transporttls.Contents
}

// secrets are the parsed files. They are immutable.
type secrets struct {
	password  string
	mechanism sasl.Mechanism // nil: none
	tls       transporttls.Files
}

func (s *secrets) contents() fileContents { return fileContents{s.password, s.tls.Contents} }

// credentials follow their files. A file that cannot be used leaves its previous content active.
type credentials struct {
	opts   *Options
	mu     sync.Mutex // held while loading
	active atomic.Pointer[secrets]
}

// openCredentials reads the files. The error has all mistakes, each with the name of its setting.
func openCredentials(o *Options) (*credentials, error) {
	c := &credentials{opts: o}
	first := &secrets{password: o.Password}
	var err error
	if o.PasswordFile == "" {
		first.mechanism, err = o.mechanism("KAFKA_PASSWORD", o.Password)
	}
	c.active.Store(first)
	return c, errors.Join(err, c.load())
}

// current returns the active secrets.
func (c *credentials) current() *secrets { return c.active.Load() }

// load reads the files again.
func (c *credentials) load() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := *c.active.Load()
	err := c.loadPassword(&next)
	var unusable error
	next.tls, unusable = c.opts.tlsClient().Load(next.tls)
	err = errors.Join(err, unusable)
	c.active.Store(&next)
	return err
}

func (c *credentials) loadPassword(s *secrets) error {
	const setting = "KAFKA_PASSWORD_FILE"
	text, err := c.opts.tlsClient().Read(setting, c.opts.PasswordFile)
	text = strings.TrimRight(text, "\r\n")
	if text == "" || text == s.password && s.mechanism != nil {
		return err
	}
	m, err := c.opts.mechanism(setting, text)
	if err == nil {
		s.password, s.mechanism = text, m
	}
	return err
}

// mechanism returns the SASL mechanism, which uses the current password. Nil: no SASL.
func (c *credentials) mechanism() sasl.Mechanism {
	if c.current().mechanism == nil {
		return nil
	}
	return currentMechanism{c}
}

// currentMechanism is a sasl.Mechanism with the current password.
type currentMechanism struct{ credentials *credentials }

// Name implements sasl.Mechanism.
func (m currentMechanism) Name() string { return m.credentials.current().mechanism.Name() }

// Start implements sasl.Mechanism.
func (m currentMechanism) Start(ctx context.Context) (sasl.StateMachine, []byte, error) {
	return m.credentials.current().mechanism.Start(ctx)
}

// dial connects with the current credentials. It includes TLS, since the library would keep its first configuration.
func (c *credentials) dial(ctx context.Context, network, address string) (net.Conn, error) {
	_ = c.load() // the watcher of the files logs those that cannot be used
	conn, err := c.opts.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if !c.opts.TLS {
		return &framedConn{Conn: conn}, nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	secure := tls.Client(conn, c.opts.tlsConfig(c.current(), host))
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, &handshakeError{err}
	}
	return &framedConn{Conn: secure}, nil
}

// handshakeError is a failed TLS handshake, before which nothing was sent.
type handshakeError struct{ err error }

// Error names the handshake.
func (e *handshakeError) Error() string { return "TLS handshake: " + e.err.Error() }

// BeforeSending implements producer.BeforeSending.
func (*handshakeError) BeforeSending() {}

// Unwrap returns the cause.
func (e *handshakeError) Unwrap() error { return e.err }
