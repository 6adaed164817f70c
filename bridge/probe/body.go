package probe

import (
	"bytes"
	"encoding/json"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// opening begins every probe, and no callback.
const opening = `{"livebridge_probe":`

// maxBody is the longest body that can be a probe, in bytes: every member with its longest value, escaped, fits.
const maxBody = 8 << 10

// body is a probe as it is sent. The order of its members is part of the format.
type body struct {
	Probe members `json:"livebridge_probe"`
}

type members struct {
	Kind   string `json:"kind"`
	Domain string `json:"domain"`
	App    string `json:"app"`
	Time   int64  `json:"time"`
	Nonce  string `json:"nonce"`
	Sign   string `json:"sign"`
}

// Encode returns the body of a probe.
func Encode(c signature.ProbeClaim) []byte {
	text, err := json.Marshal(body{members{c.Kind.String(), c.Domain, c.App, c.Time, c.Nonce, c.Sign}})
	if err != nil {
		panic(err) // texts and integers always marshal
	}
	return text
}

// Decode returns the probe that a body is. A probe has one encoding: any other text, such as one with further members,
// is none.
func Decode(text []byte) (c signature.ProbeClaim, is bool) {
	if len(text) > maxBody || !bytes.HasPrefix(text, []byte(opening)) {
		return c, false
	}
	var b body
	if json.Unmarshal(text, &b) != nil {
		return c, false
	}
	p := b.Probe
	kind, known := bridge.ParseKind(p.Kind)
	c = signature.ProbeClaim{Kind: kind, Domain: p.Domain, App: p.App, Time: p.Time, Nonce: p.Nonce, Sign: p.Sign}
	return c, known && bytes.Equal(Encode(c), text)
}
