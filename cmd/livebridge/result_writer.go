package main

import (
	"fmt"
	"io"
	"sync"
)

// resultWriter remembers whether all that a command has printed was written: a result that a full disk has cut off must
// not look like a whole one to whoever reads the exit code.
type resultWriter struct {
	to  io.Writer
	mu  sync.Mutex
	err error // the first one
}

// Write implements io.Writer.
func (w *resultWriter) Write(text []byte) (int, error) {
	n, err := w.to.Write(text)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil && err != nil {
		w.err = fmt.Errorf("the output is incomplete: %w", err)
	}
	return n, err
}

// failure returns why the output is incomplete; nil if it is not.
func (w *resultWriter) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}
