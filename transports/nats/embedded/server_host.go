package embedded

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/zap"
)

const (
	startTimeout = 30 * time.Second // of the server
	// noLimit is the limit of all streams together. Each stream has its own limit, and must be creatable even if they
	// reserve more than the disk has.
	noLimit = int64(1) << 60
)

// serverHost runs the server in this process. The server may be replaced by a new one; our connections reach the
// current one.
type serverHost struct {
	opts          Options
	config        string
	authenticator *authenticator
	log           *zap.Logger

	mu      sync.Mutex
	current *server.Server
	fatal   chan string // fatal error of the current server
	address *net.TCPAddr
}

func newServerHost(opts Options, subjects []string, log *zap.Logger) *serverHost {
	return &serverHost{
		opts: opts, config: accountsConfig(subjects), log: log,
		authenticator: &authenticator{secret: rand.Text()},
	}
}

// run starts a server that does not listen yet.
func (h *serverHost) run() error {
	o, err := h.serverOptions()
	if err != nil {
		return err
	}
	s, err := server.NewServer(o)
	if err != nil {
		return fmt.Errorf("embedded NATS server: %w", err)
	}
	log := &serverLog{log: h.log, fatal: make(chan string, 1)}
	s.SetLoggerV2(log, false, false, false)
	go s.Start()
	err = awaitStart(s, log.fatal)
	if err == nil {
		h.authenticator.live, err = s.LookupAccount(liveAccount)
	}
	if err == nil {
		h.authenticator.consumers, err = s.LookupAccount(consumerAccount)
	}
	if err != nil {
		s.Shutdown()
		return fmt.Errorf("embedded NATS server: %w", err)
	}
	h.mu.Lock()
	h.current, h.fatal = s, log.fatal
	h.mu.Unlock()
	return nil
}

func (h *serverHost) serverOptions() (*server.Options, error) {
	o := &server.Options{}
	if err := o.ProcessConfigString(h.config); err != nil {
		return nil, fmt.Errorf("embedded NATS server: accounts: %w", err)
	}
	name, port, err := h.opts.address()
	if err != nil {
		return nil, err
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	if h.address != nil {
		port = h.address.Port
	}
	o.ServerName, o.Host, o.Port, o.DontListen, o.NoSigs = "livebridge", name, port, true, true
	o.JetStream, o.StoreDir, o.JetStreamMaxStore = true, h.opts.StoreDir, noLimit
	o.CustomClientAuthentication, o.MaxConn = h.authenticator, h.opts.maxConnections()
	return o, nil
}

func awaitStart(s *server.Server, fatal <-chan string) error {
	ready := make(chan bool, 1)
	go func() { ready <- s.ReadyForConnections(startTimeout) }()
	select {
	case ok := <-ready:
		if !ok {
			return fmt.Errorf("not ready for connections within %v", startTimeout)
		}
	case reason := <-fatal:
		return errors.New(reason)
	}
	select {
	case reason := <-fatal:
		return errors.New(reason)
	default:
		return nil
	}
}

// listen opens the port for consumers.
func (h *serverHost) listen() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.current.AcceptLoop(make(chan struct{}))
	address, ok := h.current.Addr().(*net.TCPAddr)
	if ok {
		h.address = address
		return nil
	}
	reason := "unknown reason"
	select {
	case reason = <-h.fatal:
	default:
	}
	return settingError("NATS_EMBEDDED_LISTEN",
		fmt.Errorf("embedded NATS server cannot listen on %s: %s: set another address", h.opts.Listen, reason))
}

func (h *serverHost) server() *server.Server {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.current
}

// jetStreamEnabled reports whether JetStream runs. The server disables it when its disk is full.
func (h *serverHost) jetStreamEnabled() bool {
	s := h.server()
	return s != nil && s.JetStreamEnabled()
}

func (h *serverHost) stop() {
	h.mu.Lock()
	s := h.current
	h.current = nil
	h.mu.Unlock()
	if s != nil {
		s.Shutdown()
		s.WaitForShutdown()
	}
}

// url is where consumers connect.
func (h *serverHost) url() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	name, _, err := h.opts.address()
	if ip := net.ParseIP(name); err != nil || name == "" || (ip != nil && ip.IsUnspecified()) {
		name = "127.0.0.1"
	}
	if h.address == nil {
		return ""
	}
	return "nats://" + net.JoinHostPort(name, strconv.Itoa(h.address.Port))
}

// serverLog forwards the server's warnings and errors to our log.
type serverLog struct {
	log   *zap.Logger
	fatal chan string
}

// Noticef drops the message.
func (*serverLog) Noticef(string, ...any) {}

// Debugf drops the message.
func (*serverLog) Debugf(string, ...any) {}

// Tracef drops the message.
func (*serverLog) Tracef(string, ...any) {}

// Warnf logs a warning.
func (l *serverLog) Warnf(format string, args ...any) {
	l.log.Warn("embedded NATS server", zap.String("message", fmt.Sprintf(format, args...)))
}

// Errorf logs an error.
func (l *serverLog) Errorf(format string, args ...any) {
	l.log.Error("embedded NATS server", zap.String("message", fmt.Sprintf(format, args...)))
}

// Fatalf reports the error to run or listen; the server continues without what failed.
func (l *serverLog) Fatalf(format string, args ...any) {
	select {
	case l.fatal <- fmt.Sprintf(format, args...):
	default:
	}
}
