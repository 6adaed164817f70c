package probe

import (
	"encoding/json"

	"livebridge/bridge/signature"
)

// result is the member of an answer that tells it from those to callbacks.
const result = "probe"

// answer is the answer to a probe, or a refusal, which has a message.
type answer struct {
	Status  int    `json:"status"`
	Result  string `json:"result"`
	Key     string `json:"key,omitempty"`
	Proof   string `json:"proof,omitempty"`
	Message string `json:"message,omitempty"`
}

// Answer returns the body of the answer to a probe that was verified.
func Answer(p signature.SignedProbe) []byte {
	text, err := json.Marshal(answer{Status: 1, Result: result, Key: p.Key, Proof: p.Proof})
	if err != nil {
		panic(err) // texts and integers always marshal
	}
	return text
}
