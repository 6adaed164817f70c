package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"livebridge/bridge/checker"
)

// patience is how long a test waits for what must come.
const patience = 60 * time.Second

// until polls a condition, which is tried for as long as there is patience.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	within(t, patience, what, condition)
}

// within polls a condition for so long.
func within(t testing.TB, limit time.Duration, what string, condition func() bool) {
	t.Helper()
	pause := 5 * time.Millisecond
	for end := time.Now().Add(limit); !condition(); time.Sleep(pause) {
		if time.Now().After(end) {
			t.Fatalf("in vain waited until %s", what)
		}
		pause = min(2*pause, 80*time.Millisecond) // to ask costs more than to wait
	}
}

// metrics returns the program's metrics by name and labels, as Prometheus would read them.
func (p *program) metrics(t testing.TB) map[string]float64 {
	t.Helper()
	answer, err := http.Get("http://" + p.admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	all := make(map[string]float64)
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		name, text, _ := strings.Cut(lines.Text(), " ")
		var value float64
		if _, err := fmt.Sscan(text, &value); err == nil {
			all[name] = value
		}
	}
	return all
}

// published returns the topic as lines of tail, once all that was answered 200 is there; what never comes is for the
// checker to name. The kinds that have no holds may have more than one event of an occurrence; they wait in the outbox
// from their 200 on.
func (p *program) published(t *testing.T, sent []checker.Sent) []string {
	t.Helper()
	missing := make(map[checker.Occurrence]bool)
	for _, s := range sent {
		if s.Status == http.StatusOK {
			missing[s.Occurrence] = true
		}
	}
	_, err := tailing(t, p.nats, func(line string) bool {
		e, err := checker.ParseEvent([]byte(line))
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		delete(missing, e.Occurrence)
		return len(missing) == 0
	})
	if err != nil {
		t.Errorf("%d occurrences that were answered 200 have not come: %v", len(missing), err)
	}
	until(t, "the outbox is empty", func() bool { return p.metrics(t)["livebridge_outbox_events"] == 0 })
	left := messages(t, p.nats)
	return tailed(t, p.nats, func(string) bool { left--; return left == 0 })
}

// tailed returns the lines of tail up to the one that is the last.
func tailed(t *testing.T, url string, last func(line string) bool) []string {
	t.Helper()
	lines, err := tailing(t, url, last)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// tailing returns the lines that tail has printed, and an error when the last one does not come.
func tailing(t *testing.T, url string, last func(line string) bool) ([]string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	w := lineWriter{last: last, end: cancel}
	err := tail(ctx, processEnvironment(), &w, io.Discard, tailOptions{url: url, from: "all"})
	if err == nil && ctx.Err() == context.DeadlineExceeded {
		err = ctx.Err()
	}
	if err != nil {
		err = fmt.Errorf("tail ended after %d lines: %w", len(w.lines), err)
	}
	return w.lines, err
}

// messages returns how many events the stream has.
func messages(t testing.TB, url string) int {
	t.Helper()
	js := administrator(t, url)
	defer js.Conn().Close()
	stream, err := js.Stream(t.Context(), "LIVE_EVENTS")
	if err != nil {
		t.Fatal(err)
	}
	return int(stream.CachedInfo().State.Msgs)
}

// lineWriter keeps what is written, a line at a time.
type lineWriter struct {
	lines []string
	last  func(string) bool
	end   func()
}

// Write takes a line; tail writes each at once.
func (w *lineWriter) Write(line []byte) (int, error) {
	if w.lines = append(w.lines, string(line)); w.last(string(line)) {
		w.end()
	}
	return len(line), nil
}
