package natstest

import (
	"net"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

// Server is a NATS server with JetStream on TCP that can be stopped and started again.
type Server struct {
	Running *server.Server // a field with a name: of what is embedded, Go would compile all methods once more
	Options *server.Options
	URL     string
}

// StoreLimit is what servers of tests may store. Without it a server takes three quarters of what is free on the disk,
// and a test would depend on that.
const StoreLimit = 1 << 40

// StoreDir makes a directory for a server, which is removed when the test ends, as far as it can be. A server that has
// stopped removes files of its own for a moment longer, which is a failure of the test to t.TempDir.
func StoreDir(t testing.TB) string {
	t.Helper()
	dir := Must(os.MkdirTemp("", "livebridge-nats-"))
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Log(err)
		}
	})
	return dir
}

// Start starts a server on a free port, which it keeps.
func Start(t testing.TB, o *server.Options) *Server {
	t.Helper()
	o.Host, o.Port, o.StoreDir = "127.0.0.1", server.RANDOM_PORT, StoreDir(t)
	o.JetStream, o.NoSigs, o.NoLog = true, true, true
	if o.JetStreamMaxStore == 0 {
		o.JetStreamMaxStore = StoreLimit
	}
	s := &Server{Options: o}
	s.Restart(t)
	s.URL, s.Options.Port = s.Running.ClientURL(), s.Running.Addr().(*net.TCPAddr).Port
	t.Cleanup(s.Kill)
	return s
}

// Restart starts the server, which is stopped, with what it had.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	o := *s.Options
	var err error
	if s.Running, err = server.NewServer(&o); err != nil {
		t.Fatal(err)
	}
	go s.Running.Start()
	if !s.Running.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server has not started")
	}
}

// Kill stops the server.
func (s *Server) Kill() {
	s.Running.Shutdown()
	s.Running.WaitForShutdown()
}

// Reload applies other options to the running server.
func (s *Server) Reload(t testing.TB, change func(*server.Options)) {
	t.Helper()
	o := s.Options.Clone()
	change(o)
	if err := s.Running.ReloadOptions(o); err != nil {
		t.Fatal(err)
	}
}

// JetStream connects to the server until the test ends.
func (s *Server) JetStream(t testing.TB) jetstream.JetStream { return Connect(t, s.URL) }
