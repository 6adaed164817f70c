package main

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

const (
	// logQueueBytes is how much is queued for a slow reader of the log; above it, lines are dropped.
	logQueueBytes = 1 << 20
	// logFlushTime is how long close waits for the queue to be written.
	logFlushTime = time.Second
)

// logWriter writes lines in order and never blocks or fails, even if the reader of standard error stops reading or goes
// away. Lines that cannot be written are dropped and counted; a line with their number precedes the next one that can
// be written.
type logWriter struct {
	to      io.Writer
	dropped atomic.Uint64
	wake    chan struct{} // one entry when there may be something to write
	ended   chan struct{}

	mu         sync.Mutex
	queue      []logLine
	bytes      int
	unreported uint64 // lines dropped since the last notice
	closed     bool
	notice     func(dropped uint64) []byte
}

// logLine is a line, or a notice of dropped lines.
type logLine struct {
	text    []byte
	dropped uint64 // not 0: it is a notice of so many lines
}

func newLogWriter(to io.Writer) *logWriter {
	w := &logWriter{to: to, wake: make(chan struct{}, 1), ended: make(chan struct{}),
		notice: func(n uint64) []byte { return fmt.Appendf(nil, "livebridge: %d log lines were dropped\n", n) },
	}
	go w.run()
	return w
}

// register registers the counter of dropped lines.
func (w *logWriter) register(r prometheus.Registerer) {
	promauto.With(r).NewCounterFunc(prometheus.CounterOpts{Name: "livebridge_log_lines_dropped_total",
		Help: "Log lines that could not be written to standard error."}, func() float64 { return float64(w.dropped.Load()) })
}

// Write queues a line, or drops it. It implements io.Writer.
func (w *logWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.bytes+len(line) > logQueueBytes {
		w.drop(logLine{text: line})
		return len(line), nil
	}
	w.enqueueNotice()
	w.enqueue(logLine{text: bytes.Clone(line)})
	return len(line), nil
}

func (w *logWriter) enqueue(l logLine) {
	w.queue = append(w.queue, l)
	w.bytes += len(l.text)
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *logWriter) enqueueNotice() {
	if w.unreported > 0 {
		w.enqueue(logLine{w.notice(w.unreported), w.unreported})
		w.unreported = 0
	}
}

// drop counts a line that is not written. The count of a dropped notice is reported by the next one.
func (w *logWriter) drop(l logLine) {
	if l.dropped > 0 {
		w.unreported += l.dropped
		return
	}
	w.unreported++
	w.dropped.Add(1)
}

// run writes the queue until close.
func (w *logWriter) run() {
	defer close(w.ended)
	for range w.wake {
		if w.writeQueue() {
			return
		}
	}
}

// writeQueue writes all queued lines and reports whether the writer is closed.
func (w *logWriter) writeQueue() (closed bool) {
	var failed bool
	for {
		l, more, closed := w.next(failed)
		if !more {
			return closed
		}
		_, err := w.to.Write(l.text)
		if failed = err != nil; failed {
			w.mu.Lock()
			w.drop(l)
			w.mu.Unlock()
		}
	}
}

// next removes the first line from the queue. After the last one it returns a pending notice, unless that line could
// not be written either.
func (w *logWriter) next(failed bool) (l logLine, more, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 && !failed {
		w.enqueueNotice()
	}
	if len(w.queue) == 0 {
		w.queue = nil
		return l, false, w.closed
	}
	l, w.queue = w.queue[0], w.queue[1:]
	w.bytes -= len(l.text)
	return l, true, false
}

// setNotice sets the function that formats a notice.
func (w *logWriter) setNotice(notice func(dropped uint64) []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notice = notice
}

// close writes what can be written within logFlushTime. Further lines are dropped.
func (w *logWriter) close() {
	w.mu.Lock()
	w.closed = true
	select {
	case w.wake <- struct{}{}:
	default:
	}
	w.mu.Unlock()
	select {
	case <-w.ended:
	case <-time.After(logFlushTime):
	}
}
