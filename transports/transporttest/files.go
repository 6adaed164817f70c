package transporttest

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// File writes a new file of a test.
func File(t testing.TB, name string, content []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	Overwrite(t, path, content)
	return path
}

// Overwrite replaces the content of a file.
func Overwrite(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// FreePorts returns ports that were free a moment ago, for processes that cannot choose their own.
func FreePorts(t testing.TB, n int) []int {
	t.Helper()
	var out []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		out = append(out, l.Addr().(*net.TCPAddr).Port)
	}
	return out
}
