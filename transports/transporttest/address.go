package transporttest

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
)

// loopbacks counts the loopback addresses that were given out.
var loopbacks atomic.Uint32

// FreeListener listens where nobody else does. Linux has many loopback addresses, and there its host is the test's own,
// so that nobody else can take the port while the test's server is away, nor a connection as its own end.
func FreeListener(t testing.TB) net.Listener {
	t.Helper()
	host := "127.0.0.1"
	if n := loopbacks.Add(1); runtime.GOOS == "linux" {
		host = fmt.Sprintf("127.%d.%d.%d", 1+os.Getpid()%250, n/250, 1+n%250)
	}
	listener, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// FreeAddress returns an address for a server that starts. Who listens in this process uses FreeListener where it can:
// a program that another test starts has a copy of a closed listener until it is executed.
func FreeAddress(t testing.TB) string {
	t.Helper()
	listener := FreeListener(t)
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
