// Package filewatch notices when files change. It reads them twice a second instead of asking the file system for
// events: a file that is rewritten, one that is replaced by a rename, and the symbolic links that Kubernetes swaps all
// look the same to a reader, on every file system.
package filewatch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Interval is how often files are read. A change is noticed after two intervals at most.
const Interval = 500 * time.Millisecond

// MaxSize is the most bytes that a file may have.
const MaxSize = 1 << 20

// Source is what one or more files say together. It is not safe for concurrent use.
type Source[T comparable] struct {
	read     func() T
	latest   T // of the poll before
	reported T // the last that was reported
}

// New returns a source that is read by a function, and reads it for the first time.
func New[T comparable](read func() T) *Source[T] {
	first := read()
	return &Source[T]{read: read, latest: first, reported: first}
}

// Last returns what was read last.
func (s *Source[T]) Last() T { return s.latest }

// Poll reads the source and reports whether it has something new. That is so when two polls in a row have read the
// same: a file that is still being written is not taken for a complete one.
func (s *Source[T]) Poll() bool {
	now := s.read()
	stable := now == s.latest
	s.latest = now
	if !stable || now == s.reported {
		return false
	}
	s.reported = now
	return true
}

// Every calls poll at every interval until ctx ends.
func Every(ctx context.Context, poll func()) {
	ticker := time.NewTicker(Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			poll()
		}
	}
}

// Read returns the content of a regular file of at most MaxSize bytes.
func Read(path string) (content []byte, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path) // reading a pipe would wait for its writer
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	content, err = io.ReadAll(io.LimitReader(file, MaxSize+1))
	if len(content) > MaxSize {
		return nil, fmt.Errorf("%s has more than %d bytes", path, MaxSize)
	}
	return content, err
}
