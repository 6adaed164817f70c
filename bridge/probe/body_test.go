package probe_test

import (
	"strings"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/callback"
	"livebridge/bridge/probe"
	"livebridge/bridge/signature"
)

const key = "0123456789abcdef0123456789abcdef"

func claim(k bridge.Kind) signature.ProbeClaim {
	c := signature.ProbeClaim{Kind: k, Domain: "push.example.com", App: "<live>&é", Time: 1790000000, Nonce: "n-1"}
	c.Sign = signature.SignProbe(key, c)
	return c
}

// TestBody: a body is decoded to the probe that it was made of, and is a callback of no kind.
func TestBody(t *testing.T) {
	for _, k := range bridge.Kinds() {
		text := probe.Encode(claim(k))
		if got, is := probe.Decode(text); !is || got != claim(k) {
			t.Errorf("%s: %+v %v", text, got, is)
		}
		for _, other := range bridge.Kinds() {
			if c, err := callback.Decode(other, text); err == nil {
				t.Errorf("%s is a %v callback: %+v", text, other, c)
			}
		}
	}
}

// TestNoBody: whatever is not written as a probe is, is none.
func TestNoBody(t *testing.T) {
	good := string(probe.Encode(claim(bridge.KindStream)))
	for name, text := range map[string]string{
		"empty": "", "opening alone": `{"livebridge_probe":`, "a space before": " " + good, "a line end after": good + "\n",
		"another object": strings.Replace(good, "livebridge_probe", "probe", 1),
		"case":           strings.Replace(good, `"kind"`, `"Kind"`, 1),
		"further member": strings.Replace(good, `"kind"`, `"event":"PUBLISH","kind"`, 1),
		"member beside":  strings.TrimSuffix(good, "}") + `,"event":"PUBLISH"}`,
		"member twice":   strings.Replace(good, `"kind"`, `"kind":"record","kind"`, 1),
		"member missing": strings.Replace(good, `"nonce":"n-1",`, "", 1),
		"order": strings.Replace(good, `"kind":"stream","domain":"push.example.com"`,
			`"domain":"push.example.com","kind":"stream"`, 1),
		"unknown kind": strings.Replace(good, `"stream"`, `"session"`, 1),
		"no number":    strings.Replace(good, "1790000000", "1.79e9", 1),
		"too long":     strings.Replace(good, "n-1", strings.Repeat("n", 8<<10), 1),
		"a callback":   `{"domain":"push.example.com","app":"live","stream":"s","event":"PUBLISH","livebridge_probe":{}}`,
	} {
		if c, is := probe.Decode([]byte(text)); is {
			t.Errorf("%s: %+v", name, c)
		}
	}
}
