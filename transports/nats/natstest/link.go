package natstest

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// link forwards connections to a port until it is cut. While it is, what was sent waits, as with a network that loses
// every packet: it comes once there is one again, unless the connections were broken.
type link struct {
	listener net.Listener
	to       string
	gate     sync.RWMutex // locked while it is cut
	isCut    bool
	held     atomic.Bool // something was to go through since it was cut
	work     sync.WaitGroup

	mu     sync.Mutex
	conns  map[net.Conn]bool
	closed bool
}

// startLink starts a link, which ends with the test.
func startLink(t testing.TB, port int) *link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{listener: listener, to: fmt.Sprintf("127.0.0.1:%d", port), conns: make(map[net.Conn]bool)}
	l.work.Go(l.run)
	t.Cleanup(l.close)
	return l
}

func (l *link) address() string { return l.listener.Addr().String() }

func (l *link) run() {
	for {
		from, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.work.Go(func() { l.serve(from) })
	}
}

// serve forwards a connection until one side ends it.
func (l *link) serve(from net.Conn) {
	defer l.forget(from)
	if !l.remember(from) {
		return
	}
	l.pass()
	to, err := net.Dial("tcp", l.to)
	l.gate.RUnlock()
	if err != nil {
		return
	}
	defer l.forget(to)
	if !l.remember(to) {
		return
	}
	l.work.Go(func() { l.forward(from, to) })
	l.forward(to, from)
}

// forward copies what comes from one side to the other one, and ends both with either.
func (l *link) forward(to, from net.Conn) {
	defer func() { _ = to.Close(); _ = from.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		l.pass()
		_, err = to.Write(buffer[:n])
		l.gate.RUnlock()
		if err != nil {
			return
		}
	}
}

// pass waits until the link is not cut, and locks it for reading.
func (l *link) pass() {
	if !l.gate.TryRLock() {
		l.held.Store(true)
		l.gate.RLock()
	}
}

// remember notes a connection, unless there are to be no more.
func (l *link) remember(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[c] = true
	return !l.closed
}

func (l *link) forget(c net.Conn) {
	_ = c.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
}

// cut is for one goroutine, as mend is.
func (l *link) cut(broken bool) {
	l.gate.Lock()
	l.isCut = true
	l.held.Store(false)
	if broken {
		l.breakAll(false)
	}
}

// mend ends a cut, and reports whether something was to go through meanwhile.
func (l *link) mend() (held bool) {
	l.isCut = false
	held = l.held.Load()
	l.gate.Unlock()
	return held
}

// breakAll ends the connections that there are; with the last ones, there are no more.
func (l *link) breakAll(last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = l.closed || last
	for c := range l.conns {
		_ = c.Close()
	}
}

// close ends the link, which a test that has failed may have left cut.
func (l *link) close() {
	_ = l.listener.Close()
	l.breakAll(true)
	if l.isCut {
		_ = l.mend()
	}
	l.work.Wait()
}
