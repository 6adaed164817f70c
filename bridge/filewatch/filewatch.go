// Package filewatch detects changes of files. It polls them twice a second instead of subscribing to file system
// events: a file that is rewritten, replaced by a rename, or swapped behind a symbolic link by Kubernetes looks the
// same to a reader, on every file system.
package filewatch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Interval is how often files are polled. A change is detected after two intervals at most.
const Interval = 500 * time.Millisecond

// MaxSize is the largest size of a file in bytes.
const MaxSize = 1 << 20

// Source is the joint content of one or more files. It is not safe for concurrent use.
type Source[T comparable] struct {
	read     func() T
	latest   T // of the last poll
	reported T // the last that Poll reported
}

// New returns a source that read reads, and reads it for the first time.
func New[T comparable](read func() T) *Source[T] {
	first := read()
	return &Source[T]{read: read, latest: first, reported: first}
}

// Last returns the content of the last poll.
func (s *Source[T]) Last() T { return s.latest }

// Poll reads the source and reports whether its content is new. It is new when two polls in a row have read it, so
// that a file that is still being written does not count.
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

// PollNow is Poll that does not wait for the next interval: the content counts as complete if it can be read twice.
func (s *Source[T]) PollNow() bool {
	s.latest = s.read()
	return s.Poll()
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
		return nil, fmt.Errorf("%s is not a regular file", path) // reading a pipe would block until its writer writes
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
