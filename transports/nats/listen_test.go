package nats

import (
	"net"
	"strings"
	"testing"
)

// TestReachableServerNeedsToken: consumers may come without a token only where nobody but this machine can reach
// the embedded server.
func TestReachableServerNeedsToken(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{
		":0", "0.0.0.0:0", "[::]:0", "[::ffff:0.0.0.0]:0", "192.0.2.1:0", "10.0.0.1:0", "192.168.1.1:0", "[2001:db8::1]:0",
		"[fd00::1]:0", "[fe80::1%lo]:0", "localhost.example.com:0", "host:0", "0:0", "127.1:0", " :0",
	} {
		e, err := StartEmbedded(EmbeddedOptions{StoreDir: t.TempDir(), Listen: listen}, DefaultOptions())
		if err == nil {
			closePublisher(t, e)
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
		e, err := StartEmbedded(EmbeddedOptions{StoreDir: t.TempDir(), Listen: listen}, DefaultOptions())
		if err != nil {
			t.Errorf("%s: %v", listen, err)
			continue
		}
		if at := e.host.address; !at.IP.IsLoopback() {
			t.Errorf("%s: it listens on %v", listen, at)
		}
		closePublisher(t, e)
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
