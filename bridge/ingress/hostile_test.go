package ingress_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"livebridge/bridge/signature"
)

// attack does one hostile thing on a connection, until the connection or the test ends.
type attack func(c net.Conn)

const head = "POST /live/stream HTTP/1.1\r\nHost: x\r\n"

// writeForever writes a text for ever, many times at once: it is the server that shall be busy.
func writeForever(first, text string) attack {
	text = strings.Repeat(text, 100)
	return func(c net.Conn) {
		_, err := io.WriteString(c, first)
		for err == nil {
			_, err = io.WriteString(c, text)
		}
	}
}

// writeOnce writes a text and waits for the connection's end.
func writeOnce(text string) attack {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, text)
		_, _ = io.Copy(io.Discard, c)
	}
}

// reconnecting does the same on one connection after the other, until the first ends with the test. Each of the others
// ends with the server's answer.
func reconnecting(address string, do attack) attack {
	return func(first net.Conn) {
		for {
			if _, err := first.Write(nil); err != nil {
				return
			}
			c, err := net.Dial("tcp", address)
			if err != nil {
				return
			}
			do(c)
			_ = c.Close()
		}
	}
}

// TestHostileClients: while many connections do what no good client does, a good one beside them has every callback
// answered 200.
func TestHostileClients(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		connections int
		attack      func(address string) attack
	}{
		"idle":                  {1000, func(string) attack { return writeOnce("") }},
		"half a request line":   {300, func(string) attack { return writeOnce("POST /live/str") }},
		"headers, never ending": {50, func(string) attack { return writeForever(head, "X-A: b\r\n") }},
		"one byte of a body":    {300, func(string) attack { return writeOnce(head + "Content-Length: 5000\r\n\r\n{") }},
		"chunks, never ending": {50, func(string) attack {
			return writeForever(head+"Transfer-Encoding: chunked\r\n\r\n", "1\r\n{\r\n")
		}},
		"chunk extensions": {50, func(string) attack {
			return writeForever(head+"Transfer-Encoding: chunked\r\n\r\n1;", "aaaaaaaa")
		}},
		"trailers, never ending": {50, func(string) attack {
			return writeForever(head+"Transfer-Encoding: chunked\r\n\r\n0\r\n", "X: y\r\n")
		}},
		"a large header": {20, func(a string) attack {
			return reconnecting(a, writeOnce(head+"X: "+strings.Repeat("x", 128<<10)))
		}},
		"compressed": {20, func(a string) attack {
			return reconnecting(a, writeOnce(head+"Connection: close\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n"+
				"\x1f\x8b\x08\x00"))
		}},
		"announced too large": {20, func(a string) attack {
			return reconnecting(a, writeOnce(head+"Content-Length: 99999999999\r\n\r\n"))
		}},
		"pipelined, unread": {20, func(string) attack { return writeForever("", wire("{")) }},
		"forged": {20, func(a string) attack {
			return reconnecting(a, writeOnce(strings.Replace(wire(strings.Replace(good(), `"room"`, `"hall"`, 1)), "\r\n",
				"\r\nConnection: close\r\n", 1)))
		}},
		"connected and gone": {20, func(a string) attack { return reconnecting(a, func(net.Conn) {}) }},
	} {
		t.Run(name, func(t *testing.T) {
			b := newHarness(t, nil)
			address := b.listen(t)
			end := startAttack(t, address, tt.connections, tt.attack(address))
			c, r := dial(t, address)
			callbacks := beside(200)
			for i := range callbacks {
				patient(t, c)
				write(t, c, wire(changed(func(c *signature.Claim) { c.Stream = fmt.Sprint("room", i) })))
				if got := status(t, r); got != 200 {
					t.Fatalf("callback %d got %d", i, got)
				}
			}
			end()
			if n := b.journal.count(); n != callbacks {
				t.Errorf("%d callbacks were taken", n)
			}
		})
	}
}

// beside is how many of the callbacks are sent beside an attack: all, unless the tests shall be short.
func beside(all int) int {
	if testing.Short() {
		return all / 20
	}
	return all
}

// patient gives the next answer on a connection as long as dial gave the first.
func patient(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
}

// startAttack begins the attack on many connections and returns what ends it.
func startAttack(t *testing.T, address string, connections int, do attack) (end func()) {
	t.Helper()
	var all []net.Conn
	var attackers sync.WaitGroup
	for range connections {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil { // what is not read is soon all that fits
			t.Fatal(err)
		}
		all = append(all, c)
		attackers.Go(func() { do(c) })
	}
	return func() {
		for _, c := range all {
			_ = c.Close()
		}
		attackers.Wait()
	}
}

// TestSmuggling: of a request that two readers may cut at different places, nothing after the first cut is ever taken
// for a request: the connection ends.
func TestSmuggling(t *testing.T) {
	hidden := wire(good())
	chunk := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(good()), good())
	length := fmt.Sprint("Content-Length: ", len(good()), "\r\n")
	for _, tt := range []struct {
		name   string
		head   string // after the request line and Host
		body   string
		status int
		taken  int
	}{
		{"length and chunked", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", chunk, 200, 1},
		{"chunked and length", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n", 400, 0},
		{"two lengths", length + "Content-Length: 4\r\n", good(), 400, 0},
		{"two lengths in one", "Content-Length: 4, 5\r\n", good(), 400, 0},
		{"a signed length", "Content-Length: +4\r\n", good(), 400, 0},
		{"a length in hex", "Content-Length: 0x4\r\n", good(), 400, 0},
		{"a folded coding", length + "Transfer-Encoding:\r\n chunked\r\n", chunk, 200, 1},
		{"an unknown coding", length + "Transfer-Encoding: xchunked\r\n", good(), 501, 0},
		{"two codings", length + "Transfer-Encoding: gzip, chunked\r\n", chunk, 501, 0},
		{"chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunk, 501, 0},
		{"a coding with a tab", "Transfer-Encoding:\tchunked\r\n", chunk, 200, 1},
		{"a blank before the colon", length + "Transfer-Encoding : chunked\r\n", good(), 400, 0},
		{"a bare carriage return", length + "X: y\rTransfer-Encoding: chunked\r\n", good(), 400, 0},
		{"bare line feeds in chunks", "Transfer-Encoding: chunked\r\n", strings.ReplaceAll(chunk, "\r\n", "\n"), 400, 0},
		{"a chunk size that overflows", "Transfer-Encoding: chunked\r\n", "10000000000000001\r\n{\r\n0\r\n\r\n", 400, 0},
		{"a signed chunk size", "Transfer-Encoding: chunked\r\n", "+1\r\n{\r\n0\r\n\r\n", 400, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newHarness(t, nil)
			c, r := dial(t, b.listen(t))
			write(t, c, head+tt.head+"\r\n"+tt.body+hidden)
			if got := status(t, r); got != tt.status {
				t.Errorf("%d, want %d", got, tt.status)
			}
			if _, err := r.Peek(1); err == nil {
				t.Fatal("answered as well")
			}
			closed(t, r)
			if n := b.journal.count(); n != tt.taken {
				t.Errorf("%d callbacks were taken", n)
			}
		})
	}
}

// TestOldVersionIsNotChunked: HTTP/1.0 knows no chunks, and a coding there is what another reader might obey.
func TestOldVersionIsNotChunked(t *testing.T) {
	b := newHarness(t, nil)
	c, r := dial(t, b.listen(t))
	write(t, c, strings.Replace(wire(good()), "HTTP/1.1\r\n",
		"HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n", 1)+wire(good()))
	if got := status(t, r); got != 200 {
		t.Errorf("%d", got)
	}
	closed(t, r)
	if n := b.journal.count(); n != 1 {
		t.Errorf("%d callbacks were taken", n)
	}
}

// TestConnectionLimitKeepsClients: connections beyond the limit, however many, keep nobody out who is in.
func TestConnectionLimitKeepsClients(t *testing.T) {
	b := newHarness(t, func(s *setup) { s.cfg.MaxConnections, s.cfg.IdleTimeout = 8, time.Hour })
	address := b.listen(t)
	c, r := dial(t, address)
	write(t, c, wire(good()))
	if got := status(t, r); got != 200 {
		t.Fatalf("%d", got)
	}
	end := startAttack(t, address, 300, writeOnce(""))
	defer end()
	for i := range 100 {
		patient(t, c)
		write(t, c, wire(changed(func(c *signature.Claim) { c.Stream = fmt.Sprint("room", i) })))
		if got := status(t, r); got != http.StatusOK {
			t.Fatalf("callback %d got %d", i, got)
		}
	}
}
