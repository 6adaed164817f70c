package keyring_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"livebridge/bridge/keyring"
	"livebridge/bridge/signature"
)

const (
	editedKey = "0123456789abcdef0123456789abcdef"
	addedKey  = "ffffffffffffffffffffffffffffffff"
)

func keyFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(content), 0o640); err != nil {
		t.Fatal(err)
	}
	return path
}

func contentOf(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestAddKey: a key is added once, behind the others, and the file keeps its mode; a link is followed.
func TestAddKey(t *testing.T) {
	for before, after := range map[string]string{
		editedKey: editedKey + "\n" + addedKey + "\n", editedKey + "\n": editedKey + "\n" + addedKey + "\n",
		"\n" + editedKey + "\r\n": "\n" + editedKey + "\r\n" + addedKey + "\n",
	} {
		path := keyFile(t, before)
		link := path + ".link"
		if err := os.Symlink(path, link); err != nil {
			t.Fatal(err)
		}
		for _, want := range []bool{true, false} {
			if added, err := keyring.AddKey(link, addedKey); err != nil || added != want {
				t.Errorf("%q: %v %v, want %v", before, added, err, want)
			}
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o640 || contentOf(t, path) != after {
			t.Errorf("%q: %q %v %v", before, contentOf(t, path), info.Mode(), err)
		}
	}
}

// TestRemoveKey: a key is removed by its id, once, and never the last one.
func TestRemoveKey(t *testing.T) {
	path, id := keyFile(t, editedKey+"\n\n"+addedKey), signature.KeyID(editedKey)
	for _, want := range []bool{true, false} {
		if removed, err := keyring.RemoveKey(path, id); err != nil || removed != want {
			t.Errorf("%v %v, want %v", removed, err, want)
		}
	}
	if got := contentOf(t, path); got != "\n"+addedKey {
		t.Errorf("%q", got)
	}
	removed, err := keyring.RemoveKey(path, signature.KeyID(addedKey))
	if removed || err == nil || !strings.Contains(err.Error(), "add the new one first") ||
		strings.Contains(err.Error(), addedKey) {
		t.Errorf("%v %v", removed, err)
	}
	if got := contentOf(t, path); got != "\n"+addedKey {
		t.Errorf("%q", got)
	}
}

// TestEditWithoutAFile: a file that is not there, is empty, or lies in a read-only directory is an error, and stays.
func TestEditWithoutAFile(t *testing.T) {
	if _, err := keyring.AddKey(filepath.Join(t.TempDir(), "none"), addedKey); err == nil {
		t.Error("added to nothing")
	}
	if _, err := keyring.AddKey(keyFile(t, "\n"), addedKey); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("added to an empty file: %v", err)
	}
}
