package keyring_test

import (
	"os"
	"path/filepath"
	"testing"

	"livebridge/bridge/keyring"
	"livebridge/bridge/signature"
)

// TestReload: new keys are active when it returns, without a poll.
func TestReload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	write := func(key string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(key), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(keyOf("a"))
	k, err := keyring.Open(keyring.Options{Files: []keyring.File{streamFile(path)}})
	if err != nil {
		t.Fatal(err)
	}
	var applied int
	for _, letter := range []string{"b", "b", "c"} {
		write(keyOf(letter))
		k.Reload(func(next *signature.Ring) {
			applied++
			if k.Ring() == next {
				t.Error("the keys are reported before they verify callbacks")
			}
		})
		if keys := k.Ring().Keys(); len(keys) != 1 || keys[0].ID != signature.KeyID(keyOf(letter)) {
			t.Errorf("%s: the keys are %+v", letter, keys)
		}
	}
	if applied != 2 {
		t.Errorf("%d rings were applied", applied)
	}
}
