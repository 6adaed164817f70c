package ingress_test

import (
	"fmt"
	"net/netip"
	"testing"
)

func prefixes(texts ...string) (out []netip.Prefix) {
	for _, text := range texts {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

// TestSources: whom a request comes from is its peer, and what a trusted proxy says it is, and never what a sender says.
func TestSources(t *testing.T) {
	proxies, allowed := prefixes("10.0.0.0/8", "fd00::/8"), prefixes("192.0.2.0/24", "2001:db8::/32")
	for _, tt := range []struct {
		name      string
		peer      string
		forwarded []string
		status    int
		source    string // in the log of a refusal
	}{
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
		{"another one behind the proxy says to be allowed", "10.1.1.1:1", []string{"192.0.2.7, 198.51.100.1"}, 403, "198.51.100.1"},
		{"the same in two headers", "10.1.1.1:1", []string{"192.0.2.7", "198.51.100.1"}, 403, "198.51.100.1"},
		{"the same, and says to be a proxy too", "10.1.1.1:1", []string{"192.0.2.7, 10.9.9.9, 198.51.100.1"}, 403, "198.51.100.1"},
		{"no address", "10.1.1.1:1", []string{"192.0.2.7, unknown"}, 403, "10.1.1.1"},
		{"nothing", "10.1.1.1:1", []string{""}, 403, "10.1.1.1"},
		{"the proxy itself", "10.1.1.1:1", nil, 403, "10.1.1.1"},
		{"no peer", "@", nil, 403, "invalid IP"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, func(s *setup) { s.cfg.TrustedProxies, s.cfg.AllowSources = proxies, allowed })
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
			if b.journal.count() != 0 || b.counted(t, "livebridge_callbacks_refused_total", "none", "source") != 1 {
				t.Error("it was not refused at the door")
			}
			if got := fmt.Sprint(b.log.All()[0].ContextMap()["source"]); got != tt.source {
				t.Errorf("the log says %q", got)
			}
		})
	}
}

// TestSourceIsCheckedFirst: nothing is said about a path, and no body is read, for whom nothing is taken from.
func TestSourceIsCheckedFirst(t *testing.T) {
	b := newBench(t, func(s *setup) { s.cfg.AllowSources = prefixes("198.51.100.0/24") })
	for _, path := range []string{"/live/stream", "/nowhere", "/live/snapshot/" + token} {
		if w := b.send(post(path, "{")); w.Code != 403 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestProxiesAloneRefuseNobody(t *testing.T) {
	b := newBench(t, func(s *setup) { s.cfg.TrustedProxies = prefixes("10.0.0.0/8") })
	if w := b.send(post("/live/stream", good())); w.Code != 200 {
		t.Errorf("%d", w.Code)
	}
}
