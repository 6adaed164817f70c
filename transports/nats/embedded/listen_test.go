package embedded

import (
	"net"
	"strings"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"livebridge/transports/nats"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// TestReachableServerNeedsToken: consumers may come without a token only where nobody but this machine can reach
// the embedded server.
func TestReachableServerNeedsToken(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{
		":0", "0.0.0.0:0", "[::]:0", "[::ffff:0.0.0.0]:0", "192.0.2.1:0", "10.0.0.1:0", "192.168.1.1:0", "[2001:db8::1]:0",
		"[fd00::1]:0", "[fe80::1%lo]:0", "localhost.example.com:0", "host:0", "0:0", "127.1:0", " :0",
	} {
		e, err := Start(Options{StoreDir: t.TempDir(), Listen: listen}, nats.DefaultOptions())
		if err == nil {
			transporttest.Close(t, e)
		}
		if err == nil || !strings.Contains(err.Error(), "NATS_EMBEDDED_TOKEN") {
			t.Errorf("%s without a token: %v", listen, err)
		}
	}
}

// TestLoopbackNeedsNoToken: in whatever way loopback is written, and that is where the server listens.
func TestLoopbackNeedsNoToken(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{"127.0.0.1:0", "127.9.9.9:0", "localhost:0", "[::ffff:127.0.0.1]:0", "[::1]:0"} {
		if listen == "[::1]:0" && !hasIPv6(t) {
			continue
		}
		e, err := Start(Options{StoreDir: t.TempDir(), Listen: listen}, nats.DefaultOptions())
		if err != nil {
			t.Errorf("%s: %v", listen, err)
			continue
		}
		if at := e.host.address; !at.IP.IsLoopback() {
			t.Errorf("%s: it listens on %v", listen, at)
		}
		transporttest.Close(t, e)
	}
}

// hasIPv6 reports whether this machine has an IPv6 loopback address.
func hasIPv6(t *testing.T) bool {
	t.Helper()
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Logf("NOT TRIED: IPv6: %v", err)
		return false
	}
	_ = l.Close()
	return true
}

func TestOffLoopbackNeedsToken(t *testing.T) {
	t.Parallel()
	_, err := Start(Options{StoreDir: t.TempDir(), Listen: "0.0.0.0:0"}, nats.DefaultOptions())
	if err == nil || !strings.Contains(err.Error(), "NATS_EMBEDDED_TOKEN") {
		t.Errorf("got %v", err)
	}
	e, err := Start(Options{StoreDir: t.TempDir(), Listen: "127.0.0.1:0", Token: "consumers' token"},
		nats.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	defer transporttest.Close(t, e)
	if nc, err := natsgo.Connect(e.ClientURL()); err == nil {
		nc.Close()
		t.Error("a connection without the token was accepted")
	}
	natstest.Must(natsgo.Connect(e.ClientURL(), natsgo.Token("consumers' token"))).Close()
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	e := embedded(t, t.TempDir(), nil)
	defer transporttest.Close(t, e)
	_, err := Start(Options{StoreDir: t.TempDir(), Listen: strings.TrimPrefix(e.ClientURL(), "nats://")},
		nats.DefaultOptions())
	if err == nil || !strings.Contains(err.Error(), "NATS_EMBEDDED_LISTEN") {
		t.Errorf("got %v", err)
	}
}

// TestEmbeddedTokenChanges: who connects afterwards needs the new token, who is connected stays, and a file that cannot
// be used changes nothing.
func TestEmbeddedTokenChanges(t *testing.T) {
	t.Parallel()
	o := Options{StoreDir: t.TempDir(), Listen: "127.0.0.1:0", TokenFile: transporttest.File(t, "token",
		[]byte("first\n"))}
	e := natstest.Must(Start(o, testOptions()))
	defer transporttest.Close(t, e)
	open := func(token string) (*natsgo.Conn, error) { return natsgo.Connect(e.ClientURL(), natsgo.Token(token)) }
	before := natstest.Must(open("first"))
	defer before.Close()
	transporttest.Overwrite(t, o.TokenFile, nil)
	if err := e.Reload(); err == nil || !strings.Contains(err.Error(), "NATS_EMBEDDED_TOKEN_FILE") {
		t.Errorf("an empty file: %v", err)
	}
	natstest.Must(open("first")).Close()
	transporttest.Overwrite(t, o.TokenFile, []byte("second"))
	if err := e.Reload(); err != nil {
		t.Fatal(err)
	}
	natstest.Must(open("second")).Close()
	if conn, err := open("first"); err == nil {
		conn.Close()
		t.Error("the old token is still accepted")
	}
	if err := before.FlushTimeout(10 * time.Second); err != nil || before.Stats().Reconnects > 0 {
		t.Errorf("the connection that stood: %v", err)
	}
	if err := transporttest.Publish(t, e, natstest.Event("a", 1)); err != nil {
		t.Error(err)
	}
}
