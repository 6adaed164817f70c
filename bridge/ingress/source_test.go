package ingress_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

func prefixes(texts ...string) (out []netip.Prefix) {
	for _, text := range texts {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

// sourceCase is a request by its source.
type sourceCase struct {
	name      string
	peer      string
	forwarded []string
	status    int
	source    string // in the log of a refusal
}

// TestSources: whom a request comes from is its peer, and what a trusted proxy says it is, and never what a sender
// says.
func TestSources(t *testing.T) {
	proxies, allowed := prefixes("10.0.0.0/8", "fd00::/8"), prefixes("192.0.2.0/24", "2001:db8::/32")
	for _, tt := range []sourceCase{
		{"allowed peer", "192.0.2.7:1", nil, 200, ""},
		{"allowed peer, written as IPv6", "[::ffff:192.0.2.7]:1", nil, 200, ""},
		{"allowed peer, IPv6", "[2001:db8::7]:1", nil, 200, ""},
		{"another peer", "198.51.100.1:1", nil, 403, "198.51.100.1"},
		{"another peer says to be an allowed one", "198.51.100.1:1", []string{"192.0.2.7"}, 403, "198.51.100.1"},
		{"allowed peer says to be another", "192.0.2.7:1", []string{"198.51.100.1"}, 200, ""},
		{"proxy for an allowed one", "10.1.1.1:1", []string{"192.0.2.7"}, 200, ""},
		{"proxy, IPv6, for an allowed one", "[fd00::1]:1", []string{"192.0.2.7"}, 200, ""},
		{"two proxies", "10.1.1.1:1", []string{"192.0.2.7, 10.2.2.2"}, 200, ""},
		{"proxy for another one", "10.1.1.1:1", []string{"198.51.100.1"}, 403, "198.51.100.1"},
		{"another one behind the proxy says to be allowed", "10.1.1.1:1", []string{"192.0.2.7, 198.51.100.1"}, 403,
			"198.51.100.1"},
		{"the same in two headers", "10.1.1.1:1", []string{"192.0.2.7", "198.51.100.1"}, 403, "198.51.100.1"},
		{"the same, and says to be a proxy too", "10.1.1.1:1", []string{"192.0.2.7, 10.9.9.9, 198.51.100.1"}, 403,
			"198.51.100.1"},
		{"no address", "10.1.1.1:1", []string{"192.0.2.7, unknown"}, 403, "invalid IP"},
		{"with a port", "10.1.1.1:1", []string{"192.0.2.7:17085"}, 200, ""},
		{"with a port, IPv6", "10.1.1.1:1", []string{"[2001:db8::7]:443"}, 200, ""},
		{"in brackets", "10.1.1.1:1", []string{"[2001:db8::7]"}, 200, ""},
		{"with a zone", "10.1.1.1:1", []string{"2001:db8::7%eth0"}, 200, ""},
		{"with a zone and a port", "10.1.1.1:1", []string{"[2001:db8::7%eth0]:1"}, 200, ""},
		{"IPv4 written as IPv6", "10.1.1.1:1", []string{"::ffff:192.0.2.7"}, 200, ""},
		{"IPv4 written as IPv6, with a port", "10.1.1.1:1", []string{"[::ffff:192.0.2.7]:9"}, 200, ""},
		{"proxies with ports", "10.1.1.1:1", []string{"192.0.2.7:1, [fd00::9]:2,10.2.2.2:3"}, 200, ""},
		{"another one with a port", "10.1.1.1:1", []string{"192.0.2.7, 198.51.100.1:5"}, 403, "198.51.100.1"},
		{"in several headers", "10.1.1.1:1", []string{"198.51.100.1", "192.0.2.7:1", "10.2.2.2"}, 200, ""},
		{"empty entries", "10.1.1.1:1", []string{"192.0.2.7, ,", ""}, 200, ""},
		{"unreadable behind the first", "10.1.1.1:1", []string{"_hidden, 192.0.2.7"}, 200, ""},
		{"a port that is none", "10.1.1.1:1", []string{"192.0.2.7, 192.0.2.7:99999"}, 403, "invalid IP"},
		{"IPv4 in brackets", "10.1.1.1:1", []string{"192.0.2.7, [192.0.2.7]"}, 403, "invalid IP"},
		{"not trusted past what cannot be read", "10.1.1.1:1", []string{"192.0.2.7, x, 10.2.2.2"}, 403, "invalid IP"},
		{"the same in two headers", "10.1.1.1:1", []string{"192.0.2.7", "x"}, 403, "invalid IP"},
		{"nothing", "10.1.1.1:1", []string{""}, 403, "10.1.1.1"},
		{"the proxy itself", "10.1.1.1:1", nil, 403, "10.1.1.1"},
		{"no peer", "@", nil, 403, "invalid IP"},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, proxies, allowed) })
	}
}

func (tt sourceCase) run(t *testing.T, proxies, allowed []netip.Prefix) {
	t.Helper()
	b := newHarness(t, func(s *setup) { s.cfg.TrustedProxies, s.cfg.AllowSources = proxies, allowed })
	r := post("/live/stream", good())
	r.RemoteAddr, r.Header["X-Forwarded-For"] = tt.peer, tt.forwarded
	if tt.forwarded == nil {
		delete(r.Header, "X-Forwarded-For")
	}
	w := b.send(r)
	if a := parse(t, w); w.Code != tt.status || (a.Status == 1) != (tt.status == 200) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if tt.status == 200 {
		return
	}
	if b.journal.count() != 0 || b.counted(t, "livebridge_callbacks_refused_total", "403", "none", "source") != 1 {
		t.Error("it was not refused at the door")
	}
	if got := fmt.Sprint(b.log.All()[0].ContextMap()["source"]); got != tt.source {
		t.Errorf("the log says %q", got)
	}
}

// TestSourceIsCheckedFirst: a source that is not allowed learns nothing about paths, and no body is read.
func TestSourceIsCheckedFirst(t *testing.T) {
	b := newHarness(t, func(s *setup) { s.cfg.AllowSources = prefixes("198.51.100.0/24") })
	for _, path := range []string{"/live/stream", "/nowhere", "/live/snapshot/" + token} {
		if w := b.send(post(path, "{")); w.Code != 403 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestProxiesAloneRefuseNobody(t *testing.T) {
	b := newHarness(t, func(s *setup) { s.cfg.TrustedProxies = prefixes("10.0.0.0/8") })
	if w := b.send(post("/live/stream", good())); w.Code != 200 {
		t.Errorf("%d", w.Code)
	}
}

// TestUnreadableForwardedForIsLogged: the entry that hides the address, short and printable.
func TestUnreadableForwardedForIsLogged(t *testing.T) {
	for sent, want := range map[string]string{
		"192.0.2.7:http":         "192.0.2.7:http",
		"a\tb\u00e9\x7f":         "a?b???", // one for each byte beyond ASCII that is no character
		strings.Repeat("z", 500): strings.Repeat("z", 128) + "...",
	} {
		b := newHarness(t, func(s *setup) {
			s.cfg.TrustedProxies, s.cfg.AllowSources = prefixes("10.0.0.0/8"), prefixes("192.0.2.0/24")
		})
		r := post("/live/stream", good())
		r.RemoteAddr, r.Header["X-Forwarded-For"] = "10.1.1.1:1", []string{"192.0.2.7, " + sent}
		b.send(r)
		if got := b.log.All()[0].ContextMap()["unreadable_forwarded_for"]; strings.Trim(got.(string),
			"?") != strings.Trim(want, "?") {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
