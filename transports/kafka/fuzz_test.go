package kafka

import (
	"encoding/hex"
	"strings"
	"testing"

	"livebridge/bridge"
)

// partOf reads a part of a lane back from a topic's name: _x and two digits are one byte, _x00 nothing.
func partOf(t *testing.T, text string) string {
	t.Helper()
	var part []byte
	for text != "" {
		escape := strings.HasPrefix(text, "_x")
		if !escape {
			part, text = append(part, text[0]), text[1:]
			continue
		}
		b, err := hex.DecodeString(text[2:min(4, len(text))])
		if err != nil || len(b) != 1 {
			t.Fatalf("%q is no part", text)
		}
		part, text = append(part, b...), text[4:]
	}
	if string(part) == "\x00" {
		return ""
	}
	return string(part)
}

// FuzzTopic: a part of a lane is read back from the topic's name, so no two lanes share one, and every name is legal
// but for its length. Parts never hold control characters: such callbacks are 400.
func FuzzTopic(f *testing.F) {
	f.Add("push.example.com", "live")
	f.Add("_x5F", "_")
	f.Add("~__x/%", "")
	f.Add("..", "_xé\xff")
	f.Fuzz(func(t *testing.T, domain, app string) {
		if strings.ContainsRune(domain+app, 0) {
			return
		}
		for _, part := range []string{domain, app} {
			if got := partOf(t, topicPart(part)); got != part {
				t.Errorf("%q became %q, which is %q", part, topicPart(part), got)
			}
		}
		e := bridge.Event{Lane: bridge.Lane{Kind: bridge.KindStream, Domain: domain, App: app}}
		name := template("live-{domain}-{app}-{kind}").of(&e)
		if err := checkTopic(name); err != nil && len(name) <= maxTopic {
			t.Errorf("%q, %q: %v", domain, app, err)
		}
	})
}
