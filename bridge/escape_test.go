package bridge_test

import (
	"net/url"
	"strings"
	"testing"

	"livebridge/bridge"
)

// FuzzEscaped: a text is read back from its escaped form, and of a lane's subject the three parts are, so that no two
// texts and no two lanes share one.
func FuzzEscaped(f *testing.F) {
	f.Add("push.example.com", "live", "room1")
	f.Add("", "a/b", "%2F\x00\xff é~")
	f.Fuzz(func(t *testing.T, domain, app, stream string) {
		for _, dot := range []bridge.Dot{bridge.KeepDot, bridge.EscapeDot} {
			text := string(bridge.AppendEscaped(nil, stream, dot))
			got, err := url.PathUnescape(text)
			if err != nil || got != stream || strings.ContainsAny(text, "/*> \x00") || strings.Contains(text, ".") &&
				dot == bridge.EscapeDot {
				t.Errorf("%q became %q, which is %q, %v", stream, text, got, err)
			}
		}
		want := []string{domain, app, stream}
		subject := bridge.Lane{Kind: bridge.KindStream, Domain: domain, App: app, Stream: stream}.Subject()
		for i, part := range strings.Split(subject, "/") {
			if got, err := url.PathUnescape(part); err != nil || i > 2 || got != want[i] {
				t.Errorf("%q became %q", want, subject)
			}
		}
	})
}
