package filewatch_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge/filewatch"
)

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	do(t, os.WriteFile(path, []byte(content), 0o600))
}

// text reads a file as a source does.
func text(path string) func() string {
	return func() string {
		content, err := filewatch.Read(path)
		if err != nil {
			return "failed"
		}
		return string(content)
	}
}

// polls returns what n polls report.
func polls(s *filewatch.Source[string], n int) string {
	var out strings.Builder
	for range n {
		if s.Poll() {
			out.WriteString(s.Last())
		} else {
			out.WriteByte('.')
		}
	}
	return out.String()
}

// TestPoll: whichever way a file changes, the second poll that reads the new content reports it, once.
func TestPoll(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	do(t, os.Mkdir(at("..1"), 0o700))
	write(t, at("..1/key"), "a")
	do(t, os.Symlink("..1", at("..data")))
	do(t, os.Symlink("..data/key", at("key")))
	s := filewatch.New(text(at("key")))
	for _, step := range []struct {
		about  string
		change func()
		want   string
	}{
		{"no change", func() {}, "..."},
		{"rewritten in place", func() { write(t, at("..1/key"), "b") }, ".b."},
		{"links swapped", func() {
			do(t, os.Mkdir(at("..2"), 0o700))
			write(t, at("..2/key"), "c")
			do(t, os.Symlink("..2", at("..tmp")))
			do(t, os.Rename(at("..tmp"), at("..data")))
			do(t, os.RemoveAll(at("..1")))
		}, ".c."},
		{"replaced by a rename", func() { write(t, at("new"), "d"); do(t, os.Rename(at("new"), at("key"))) }, ".d."},
		{"removed", func() { do(t, os.Remove(at("key"))) }, ".failed."},
		{"as before", func() { write(t, at("key"), "d") }, ".d."},
	} {
		step.change()
		if got := polls(s, 3); got != step.want {
			t.Errorf("%s: polls report %q, want %q", step.about, got, step.want)
		}
	}
}

// TestPollWaitsForTheWriter: a content that is read only once, between two others, is never reported.
func TestPollWaitsForTheWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	write(t, path, "a")
	s := filewatch.New(text(path))
	for _, part := range []string{"b", "bc", "bcd"} {
		write(t, path, part)
		if s.Poll() {
			t.Errorf("%q was reported while the file was being written", part)
		}
	}
	if got := polls(s, 2); got != "bcd." {
		t.Errorf("polls report %q", got)
	}
}

func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*filewatch.Interval+time.Millisecond)
		defer cancel()
		n := 0
		filewatch.Every(ctx, func() { n++ })
		if n != 10 {
			t.Errorf("%d polls in 10 intervals", n)
		}
	})
}

// TestRead: an error names a file that would block or is too long.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	long := filepath.Join(dir, "long")
	write(t, long, strings.Repeat("x", filewatch.MaxSize+1))
	for path, want := range map[string]string{dir: "not a regular file", long: "more than",
		filepath.Join(dir, "none"): "no such file"} {
		if _, err := filewatch.Read(path); err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}
