package ingress_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge/ingress"
)

// TestEveryLetterOfAPath: what a token and a prefix may hold, the first and the last of each range included.
func TestEveryLetterOfAPath(t *testing.T) {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	for c := rune(0); c < 0x180; c++ {
		text := "a" + string(c) + "b"
		if err := ingress.CheckToken(text); (err == nil) != strings.ContainsRune(plain, c) {
			t.Errorf("a token with %q: %v", c, err)
		}
		if err := ingress.CheckPrefix(text); (err == nil) != strings.ContainsRune(plain+"/", c) {
			t.Errorf("a prefix with %q: %v", c, err)
		}
	}
}

// TestSuppressedLinesAreCounted: the next line says how many were not written, of its source and of all; a line without
// any before it says nothing.
func TestSuppressedLinesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newHarness(t, nil)
		refused := func(source string, times int) {
			for range times {
				r := post("/live/stream", "{")
				r.RemoteAddr = source + ":1"
				b.send(r)
			}
		}
		lines := func() string {
			var out []string
			for _, line := range b.log.TakeAll() {
				f := line.ContextMap()
				out = append(out, fmt.Sprint(f["source"], " ", f["suppressed_of_source"], " ", f["suppressed"]))
			}
			return strings.Join(out, "\n")
		}
		refused("192.0.2.1", 8) // 5 of them are logged
		if got, want := lines(), strings.TrimSpace(strings.Repeat("192.0.2.1 <nil> <nil>\n", 5)); got != want {
			t.Errorf("logged\n%s\nwant\n%s", got, want)
		}
		time.Sleep(5 * time.Second) // one more of this source
		refused("192.0.2.1", 1)
		if got, want := lines(), "192.0.2.1 3 <nil>"; got != want {
			t.Errorf("logged\n%s\nwant\n%s", got, want)
		}
		time.Sleep(time.Minute)
		for source := range 30 { // 20 of them are logged
			refused(fmt.Sprintf("198.51.100.%d", source), 1)
		}
		_ = lines()
		time.Sleep(time.Second)
		refused("203.0.113.1", 1)
		if got, want := lines(), "203.0.113.1 <nil> 10"; got != want {
			t.Errorf("logged\n%s\nwant\n%s", got, want)
		}
	})
}

// TestIPv6PrefixIsOneSource: whoever has one IPv6 address has all of its network, and gets no line for each.
func TestIPv6PrefixIsOneSource(t *testing.T) {
	for network, want := range map[string]int{"[2001:db8:1:2::%x]:1": 5, "[2001:db8:1:%x::1]:1": 10} {
		b := newHarness(t, nil)
		for n := range 10 {
			r := post("/live/stream", "{")
			r.RemoteAddr = fmt.Sprintf(network, n+1)
			b.send(r)
		}
		if n := b.log.Len(); n != want {
			t.Errorf("%s: %d lines, want %d", network, n, want)
		}
	}
}

// taken returns a server whose only connection is taken, and its address.
func taken(t *testing.T) (*harness, string) {
	t.Helper()
	b := newHarness(t, func(s *setup) { s.cfg.MaxConnections = 1 })
	address := b.listen(t)
	first, answer := dial(t, address)
	write(t, first, wire(good()))
	if got := status(t, answer); got != http.StatusOK {
		t.Fatalf("%d", got)
	}
	return b, address
}

// TestRejectedConnectionIsLogged: a connection beyond the limit is logged with its source.
func TestRejectedConnectionIsLogged(t *testing.T) {
	b, address := taken(t)
	second, answer := dial(t, address)
	write(t, second, wire(good()))
	if got := status(t, answer); got != http.StatusServiceUnavailable {
		t.Fatalf("%d", got)
	}
	lines := b.log.FilterMessage("callback rejected: MAX_CONNECTIONS reached").All()
	if len(lines) != 1 {
		t.Fatalf("%d lines", len(lines))
	}
	if f := lines[0].ContextMap(); f["source"] != "127.0.0.1" || f["remote"] != second.LocalAddr().String() ||
		f["kind"] != "none" {
		t.Errorf("logged %v", f)
	}
}

// TestRejectedConnectionGetsAnswer: a rejected client whose request is not read to its end gets the response and an
// orderly end.
func TestRejectedConnectionGetsAnswer(t *testing.T) {
	_, address := taken(t)
	second, answer := dial(t, address)
	write(t, second, "POST /live/stream HTTP/1.1\r\nHost: x\r\nContent-Length: 8192\r\n\r\n"+strings.Repeat("x", 8192))
	if got := status(t, answer); got != http.StatusServiceUnavailable {
		t.Fatalf("%d", got)
	}
	if rest, err := io.ReadAll(answer); err != nil || len(rest) > 0 {
		t.Errorf("behind the answer come %d bytes and %v, want the end", len(rest), err)
	}
}

// TestDefaultTimeouts: how long a sender may take unless the configuration says otherwise.
func TestDefaultTimeouts(t *testing.T) {
	for name, c := range map[string]struct{ got, want time.Duration }{
		"header":      {ingress.DefaultHeaderTimeout, 5_000_000_000},
		"read":        {ingress.DefaultReadTimeout, 10_000_000_000},
		"write":       {ingress.DefaultWriteTimeout, 60_000_000_000},
		"idle":        {ingress.DefaultIdleTimeout, 75_000_000_000},
		"retry after": {ingress.DefaultRetryAfter, 5_000_000_000},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
}
