package signature_test

import (
	"strings"
	"testing"

	"livebridge/bridge/signature"
)

// TestKeyInQuotes: the error of a key that is refused says why, and does not show it.
func TestKeyInQuotes(t *testing.T) {
	const key = "Doubt0123456789Doubt0123456789ABCD"
	_, err := signature.NewRing(signature.Config{Record: []string{`"` + key + `"`}})
	if err == nil || !strings.Contains(err.Error(), "it is in quotes") || strings.Contains(err.Error(), "Doubt0") {
		t.Errorf("a key of recordings in quotes: %v", err)
	}
}
