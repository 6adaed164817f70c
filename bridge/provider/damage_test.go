package provider_test

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"livebridge/bridge/provider"
)

// TestDamagedFiles damages a file in many ways: none makes it panic, and one that is accepted survives its own writing.
// It is no fuzz target, since that would build all of the provider's SDK with the fuzzer's instruments.
func TestDamagedFiles(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for range 1500 {
		text := []byte(wantedFile)
		for range 1 + random.IntN(3) {
			at, length := random.IntN(len(text)), random.IntN(12)
			end := min(at+length, len(text))
			text = append(text[:at:at], append([]byte(damage[random.IntN(len(damage))]), text[end:]...)...)
		}
		if checkWriting(t, string(text)) {
			accepted++
		}
	}
	if accepted < 15 {
		t.Errorf("only %d files are accepted", accepted)
	}
}

var damage = []string{"", "", " ", "\n", "\t", "- ", ": ", "{", "}", "[", "]", "&a ", "*a", "!!int ", "\"", "'", "~",
	"0", "\x00", "\xff", "---\n", "key: {env: A}", "x"}

// checkWriting reports whether a file is accepted; then it survives its own writing.
func checkWriting(t *testing.T, text string) bool {
	t.Helper()
	parsed, err := provider.ParseFile([]byte(text))
	if err != nil {
		return false
	}
	var out strings.Builder
	if err := parsed.Write(&out); err != nil {
		t.Fatal(err)
	}
	again, err := provider.ParseFile([]byte(out.String()))
	if err != nil || !reflect.DeepEqual(again.Scope(), parsed.Scope()) || len(again.Callbacks) != len(parsed.Callbacks) {
		t.Errorf("%v: %q\nwritten as %q", err, text, out.String())
	}
	return true
}
