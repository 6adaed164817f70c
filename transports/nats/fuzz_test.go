package nats

import (
	"net/url"
	"strings"
	"testing"

	"livebridge/bridge"
)

// laneOf reads a subject back, by nothing but the rules that schemas/README.md gives consumers.
func laneOf(t *testing.T, subject string) bridge.Lane {
	t.Helper()
	tokens := strings.Split(strings.TrimPrefix(subject, "live.events."), ".")
	if len(tokens) != 4 {
		t.Fatalf("%q has %d tokens behind the prefix, not 4", subject, len(tokens))
	}
	var parts [3]string
	for i := range parts {
		text, err := url.PathUnescape(tokens[i])
		if err != nil || tokens[i] == "" {
			t.Fatalf("%q: token %q: %v", subject, tokens[i], err)
		}
		if parts[i] = text; tokens[i] == "%00" {
			parts[i] = ""
		}
	}
	return bridge.Lane{Domain: parts[0], App: parts[1], Stream: parts[2]}
}

// FuzzSubject: every lane is one subject, from which it can be read back, so no two lanes share one; and no token of it
// is a wildcard or holds what the protocol would stumble over. Parts never hold control characters: such callbacks are
// 400.
func FuzzSubject(f *testing.F) {
	f.Add("push.example.com", "live", "room1")
	f.Add("a", "", "*.>")
	f.Add("%00", " ", "é%2E\xff")
	o := DefaultOptions()
	f.Fuzz(func(t *testing.T, domain, app, stream string) {
		for _, part := range []string{domain, app, stream} {
			if strings.ContainsRune(part, 0) {
				return
			}
		}
		for _, kind := range bridge.Kinds() {
			want := bridge.Lane{Domain: domain, App: app, Stream: stream}
			e := bridge.Event{Lane: want}
			e.Lane.Kind = kind
			subject := o.subject(&e)
			if got := laneOf(t, subject); got != want || !strings.HasSuffix(subject, "."+kind.String()) {
				t.Errorf("%+v became %s, which is %+v", want, subject, got)
			}
			if strings.ContainsAny(subject, "*> \t\r\n\x00") || !covers("live.events.*.*.*."+kind.String(), subject) {
				t.Errorf("%+v became %q", want, subject)
			}
		}
	})
}

// FuzzHeader: an attribute's value is read back from its header, which holds printable ASCII alone.
func FuzzHeader(f *testing.F) {
	f.Add([]byte("push.example.com/live/room%201"))
	f.Add([]byte("é \"%\r\n\x00"))
	f.Fuzz(func(t *testing.T, value []byte) {
		text := escapeHeader(value)
		got, err := url.PathUnescape(text)
		if err != nil || got != string(value) {
			t.Errorf("%q became %q, which is %q, %v", value, text, got, err)
		}
		if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' }) {
			t.Errorf("%q became %q", value, text)
		}
	})
}
