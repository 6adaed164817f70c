package nats

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/zap"
)

// startTimeout is how long the server in this process may take to come up.
const startTimeout = 30 * time.Second

// EmbeddedOptions say how the server in this process is run.
type EmbeddedOptions struct {
	StoreDir string // of JetStream
	Listen   string // host:port for consumers; port 0 takes a free one
	Token    string // what consumers must show; needed when Listen is not loopback
	MaxStore int64  // bytes that all streams may take; 0: what the disk has
}

// Embedded is a Publisher with its own server. Its acknowledgement is not on disk by itself: it implements
// bridge.Checkpointer.
type Embedded struct {
	*Publisher
	server *server.Server
	store  *store
}

// StartEmbedded starts the server and connects to it. Consumers reach it on Listen; they may read, and neither publish to
// our subjects nor change our streams.
func StartEmbedded(opts EmbeddedOptions, publish Options) (*Embedded, error) {
	guard := &guard{secret: rand.Text(), token: opts.Token}
	so, err := opts.serverOptions(guard)
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(so)
	if err != nil {
		return nil, fmt.Errorf("embedded NATS server: %w", err)
	}
	log := &serverLog{log: publish.Log, fatal: make(chan string, 1)}
	s.SetLoggerV2(log, false, false, false)
	go s.Start()
	if err := awaitStart(s, log, opts.Listen); err != nil {
		s.Shutdown()
		return nil, err
	}
	publish.inProcess = s
	publish.User, publish.Password = bridgeUser, guard.secret
	p, err := Dial(publish)
	if err != nil {
		s.Shutdown()
		return nil, err
	}
	return &Embedded{Publisher: p, server: s, store: newStore(opts.StoreDir)}, nil
}

func (o EmbeddedOptions) serverOptions(g *guard) (*server.Options, error) {
	host, port, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, settingError("NATS_EMBEDDED_LISTEN", fmt.Errorf("%w: use host:port, such as 127.0.0.1:4222", err))
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, settingError("NATS_EMBEDDED_LISTEN", fmt.Errorf("port %q is not a number", port))
	}
	if ip := net.ParseIP(host); o.Token == "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, settingError("NATS_EMBEDDED_TOKEN",
			fmt.Errorf("is needed, since NATS_EMBEDDED_LISTEN %s can be reached from other machines", o.Listen))
	}
	if number == 0 {
		number = server.RANDOM_PORT
	}
	return &server.Options{
		ServerName: "livebridge", Host: host, Port: number, NoSigs: true,
		JetStream: true, StoreDir: o.StoreDir, JetStreamMaxStore: o.MaxStore,
		CustomClientAuthentication: g,
	}, nil
}

// awaitStart waits until clients can connect.
func awaitStart(s *server.Server, log *serverLog, listen string) error {
	ready := make(chan bool, 1)
	go func() { ready <- s.ReadyForConnections(startTimeout) }()
	select {
	case ok := <-ready:
		if ok {
			return nil
		}
		return settingError("NATS_EMBEDDED_LISTEN", fmt.Errorf("the embedded NATS server did not start on %s", listen))
	case reason := <-log.fatal:
		return settingError("NATS_EMBEDDED_LISTEN",
			fmt.Errorf("the embedded NATS server cannot listen on %s: %s: set another address", listen, reason))
	}
}

// ClientURL is where consumers connect.
func (e *Embedded) ClientURL() string { return e.server.ClientURL() }

// Checkpoint implements bridge.Checkpointer: the server has written what it acknowledged, and here it is synced.
func (e *Embedded) Checkpoint(context.Context) error { return e.store.sync() }

// Close stops publishing, then the server, and syncs its store.
func (e *Embedded) Close(ctx context.Context) error {
	err := e.Publisher.Close(ctx)
	e.server.Shutdown()
	e.server.WaitForShutdown()
	return errors.Join(err, e.store.sync())
}

const bridgeUser = "livebridge"

// guard lets the bridge do everything and everybody else read.
type guard struct{ secret, token string }

// Check implements server.Authentication.
func (g *guard) Check(c server.ClientAuthentication) bool {
	o := c.GetOpts()
	if o.Username == bridgeUser {
		return same(o.Password, g.secret)
	}
	if g.token != "" && !same(o.Token, g.token) {
		return false
	}
	c.RegisterUser(&server.User{Username: "consumer", Permissions: consumerPermissions()})
	return true
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// consumerPermissions are what reading takes: to look at streams, to make, use and drop consumers, to get messages.
func consumerPermissions() *server.Permissions {
	return &server.Permissions{Publish: &server.SubjectPermission{Allow: []string{
		"$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST", "$JS.API.STREAM.INFO.*",
		"$JS.API.STREAM.MSG.GET.*", "$JS.API.DIRECT.GET.>", "$JS.API.CONSUMER.>", "$JS.ACK.>", "$JS.FC.>",
	}}}
}

// serverLog passes the server's words on to our log.
type serverLog struct {
	log   *zap.Logger
	fatal chan string
}

// Noticef, Debugf and Tracef are not passed on.
func (*serverLog) Noticef(string, ...any) {}

// Debugf is not passed on.
func (*serverLog) Debugf(string, ...any) {}

// Tracef is not passed on.
func (*serverLog) Tracef(string, ...any) {}

// Warnf passes a warning on.
func (l *serverLog) Warnf(format string, args ...any) {
	l.log.Warn("embedded NATS server", zap.String("message", fmt.Sprintf(format, args...)))
}

// Errorf passes an error on.
func (l *serverLog) Errorf(format string, args ...any) {
	l.log.Error("embedded NATS server", zap.String("message", fmt.Sprintf(format, args...)))
}

// Fatalf tells whoever starts the server; the server goes on without what failed.
func (l *serverLog) Fatalf(format string, args ...any) {
	select {
	case l.fatal <- fmt.Sprintf(format, args...):
	default:
	}
}

// StoreDir returns where the embedded server's store lies in a data directory.
func StoreDir(dataDir string) string { return filepath.Join(dataDir, "nats") }
