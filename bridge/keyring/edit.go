package keyring

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"livebridge/bridge/signature"
)

// AddKey adds a key to a file with one key per line, as its last one, and reports whether it was not there already. The
// file is replaced at once, so that no reader sees half of it, and keeps its mode.
func AddKey(path, key string) (added bool, err error) {
	err = rewrite(path, func(content []byte) ([]byte, error) {
		keys, err := ParseList(content)
		if err != nil || slices.Contains(keys, key) {
			return nil, err
		}
		added = true
		text := string(content)
		if !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		return []byte(text + key + "\n"), nil
	})
	return added && err == nil, err
}

// RemoveKey removes the key with this id (signature.KeyID) likewise, and reports whether it was there. The last key is
// not removed.
func RemoveKey(path, id string) (removed bool, err error) {
	err = rewrite(path, func(content []byte) ([]byte, error) {
		var kept strings.Builder
		for line := range strings.Lines(strings.TrimPrefix(string(content), byteOrderMark)) {
			if key := strings.TrimSpace(line); key != "" && signature.KeyID(key) == id {
				removed = true
				continue
			}
			kept.WriteString(line)
		}
		if !removed {
			return nil, nil
		}
		if _, err := ParseList([]byte(kept.String())); err != nil {
			return nil, fmt.Errorf("%s has no key but %s; add the new one first", path, id)
		}
		return []byte(kept.String()), nil
	})
	return removed && err == nil, err
}

// rewrite replaces a file by what edit makes of it; nil: it stays as it is. Errors contain no key.
func rewrite(path string, edit func([]byte) ([]byte, error)) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(target)
	if err != nil {
		return err
	}
	content, err = edit(content)
	if content == nil || err != nil {
		return err
	}
	info, err := os.Stat(target)
	if err != nil {
		return err
	}
	return replace(target, content, info.Mode().Perm())
}

// replace writes a new file beside the old one, syncs it and renames it.
func replace(path string, content []byte, mode os.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".livebridge-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
