// Package storetest damages what a store has written to a disk in memory.
package storetest

import (
	"errors"
	"io"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Rewrite puts other content into a file.
func Rewrite(t testing.TB, disk vfs.FS, path string, change func(content []byte) []byte) {
	t.Helper()
	in, err := disk.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := disk.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	_, err = out.Write(change(content))
	if err = errors.Join(err, in.Close(), out.Sync(), out.Close()); err != nil {
		t.Fatal(err)
	}
}
