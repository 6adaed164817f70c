package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// pipe is where a log goes to in a test; while it is shut nothing can be written, and while it is broken writing fails.
type pipe struct {
	mu     sync.Mutex
	open   *sync.Cond
	shut   bool
	broken bool
	held   bool // somebody waits to write
	got    bytes.Buffer
}

func newPipe() *pipe { p := &pipe{}; p.open = sync.NewCond(&p.mu); return p }

func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.shut {
		p.held = true
		p.open.Wait()
	}
	if p.broken {
		return 0, errors.New("broken pipe")
	}
	return p.got.Write(b)
}

func (p *pipe) set(shut, broken bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shut, p.broken = shut, broken
	p.open.Broadcast()
}

func (p *pipe) holds() bool { p.mu.Lock(); defer p.mu.Unlock(); return p.held }

func (p *pipe) text() string { p.mu.Lock(); defer p.mu.Unlock(); return p.got.String() }

// TestLogWriterDrops: while nothing can be written, lines are kept up to a limit and dropped beyond, without waiting;
// then what was kept comes in order, and in its place a line that says how many are missing.
func TestLogWriterDrops(t *testing.T) {
	p := newPipe()
	p.set(true, false)
	w := newLogWriter(p)
	line := func(n int) string { return fmt.Sprintf("%06d %s\n", n, strings.Repeat("x", 1000)) }
	total := 2 * logQueueBytes / len(line(0))
	for n := range total {
		fmt.Fprint(w, line(n))
		until(t, "the first line has left the queue", p.holds)
	}
	dropped := int(w.dropped.Load())
	if dropped < total/3 || dropped > 2*total/3 {
		t.Errorf("%d of %d lines were dropped", dropped, total)
	}
	p.set(false, false)
	until(t, "it says what is missing", func() bool { return strings.Contains(p.text(), "dropped") })
	fmt.Fprint(w, line(total))
	w.close()
	var want strings.Builder
	for n := range total - dropped {
		want.WriteString(line(n))
	}
	want.Write(w.notice(uint64(dropped)))
	want.WriteString(line(total))
	if p.text() != want.String() {
		t.Errorf("%d bytes, want %d", len(p.text()), want.Len())
	}
}

// TestLogWriterSurvivesErrors: dropped lines are reported once something can be written, and counted once.
func TestLogWriterSurvivesErrors(t *testing.T) {
	p := newPipe()
	p.set(false, true)
	w := newLogWriter(p)
	for n := range 3 {
		fmt.Fprintln(w, n)
		until(t, "it was tried", func() bool { return w.dropped.Load() == uint64(n+1) })
	}
	p.set(false, false)
	fmt.Fprintln(w, "good")
	w.close()
	// The notice comes behind the line when an attempt to write it was under way.
	notice := string(w.notice(3))
	if got := p.text(); got != notice+"good\n" && got != "good\n"+notice || w.dropped.Load() != 3 {
		t.Errorf("%q, %v dropped", got, w.dropped.Load())
	}
}

// TestLogWriterEnds though nothing can be written.
func TestLogWriterEnds(t *testing.T) {
	t.Parallel()
	p := newPipe()
	p.set(true, false)
	w := newLogWriter(p)
	fmt.Fprintln(w, "line")
	w.close()
	p.set(false, false)
}

// launchOn starts the program with its standard error on a small pipe, which the test has read up to where callbacks
// are accepted.
func launchOn(t *testing.T, settings ...string) (service *program, log *os.File) {
	t.Helper()
	log, end, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	const setPipeSize = 1031 // F_SETPIPE_SZ of Linux
	if _, _, failed := syscall.Syscall(syscall.SYS_FCNTL, end.Fd(), setPipeSize, 4096); failed != 0 {
		skipWithout(t, "small pipe")
	}
	service = &program{cmd: exec.Command(os.Args[0]), log: &logBuffer{}, logged: make(chan struct{})}
	close(service.logged)
	service.cmd.Env = append(os.Environ(), asProgram+"=1", prefix+"DATA_DIR="+t.TempDir(), prefix+"STREAM_KEY="+demoKey,
		prefix+"LOG_FORMAT=json",
		prefix+"LISTEN=127.0.0.1:0", prefix+"ADMIN_LISTEN=127.0.0.1:0", prefix+"NATS_EMBEDDED_LISTEN=127.0.0.1:0",
		prefix+"MIN_FREE_BYTES=1MiB",
		prefix+"TRUSTED_PROXIES=127.0.0.1")
	service.cmd.Env = append(service.cmd.Env, settings...)
	service.cmd.Stderr, service.cmd.SysProcAttr = end, &syscall.SysProcAttr{Setpgid: true}
	if err := service.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = end.Close()
	t.Cleanup(service.kill)
	for lines := bufio.NewReaderSize(log, 16); service.listen == ""; { // reads no further than it must
		text, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the program did not start: %v", err)
		}
		var l struct{ Msg, Listen, Admin, NATS string }
		if json.Unmarshal([]byte(text), &l) == nil {
			service.listen, service.admin, service.nats = l.Listen, l.Admin, l.NATS
		}
	}
	return service, log
}

// refuse has the program write more lines than its pipe holds.
func (p *program) refuse(t *testing.T) {
	t.Helper()
	for n := range 25 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.listen+"/live/stream",
			strings.NewReader("{"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Forwarded-For", fmt.Sprint("198.51.100.", n))
		answer, err := (&http.Client{Timeout: patience}).Do(r)
		if err != nil {
			t.Fatalf("refusal %d: %v", n, err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		if _ = answer.Body.Close(); answer.StatusCode != http.StatusBadRequest {
			t.Fatalf("refusal %d is answered %d", n, answer.StatusCode)
		}
	}
}

// TestLogWithoutReader: with its standard error full the program answers everybody, publishes, and ends.
func TestLogWithoutReader(t *testing.T) {
	t.Parallel()
	service, _ := launchOn(t)
	service.refuse(t)
	p := newProvider()
	if p.play(t.Context(), "http://"+service.listen+"/live/stream", "room1", 0, 20); p.total.Load() != 20 {
		t.Errorf("%d of 20 callbacks were answered 200", p.total.Load())
	}
	p.judge(t, service.nats)
	service.signal(t, syscall.SIGTERM)
	if code := service.end(t); code != exitDone {
		t.Errorf("it exits with %d", code)
	}
}

// TestReaderOfTheLogGoesAway: nothing happens but that lines are counted as dropped.
func TestReaderOfTheLogGoesAway(t *testing.T) {
	t.Parallel()
	service, log := launchOn(t)
	if n, found := sum(service.metrics(t), "livebridge_log_lines_dropped_total"); n != 0 || !found {
		t.Errorf("%v lines are dropped (there: %v)", n, found)
	}
	_ = log.Close()
	service.refuse(t)
	until(t, "lines are counted", func() bool { return service.metrics(t)["livebridge_log_lines_dropped_total"] > 0 })
	p := newProvider()
	if p.play(t.Context(), "http://"+service.listen+"/live/stream", "room1", 0, 20); p.total.Load() != 20 {
		t.Errorf("%d of 20 callbacks were answered 200", p.total.Load())
	}
	p.judge(t, service.nats)
	service.signal(t, syscall.SIGTERM)
	if code := service.end(t); code != exitDone {
		t.Errorf("it exits with %d", code)
	}
}

// TestLastErrorDoesNotBlock: a start that fails ends although nothing can be written.
func TestLastErrorDoesNotBlock(t *testing.T) {
	t.Parallel()
	log, end, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	const pipeBytes = 64 << 10
	filled := make(chan struct{})
	go func() { defer close(filled); _, _ = end.Write(make([]byte, pipeBytes)) }()
	select {
	case <-filled:
	case <-time.After(patience):
		skipWithout(t, "pipe of 64 KiB")
	}
	c := exec.Command(os.Args[0], "no-such-command")
	c.Env, c.Stderr = append(os.Environ(), asProgram+"=1"), end
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	killed := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
	defer killed.Stop()
	if err := c.Wait(); c.ProcessState.ExitCode() == -1 {
		t.Errorf("it did not end: %v", err)
	}
}

// TestOutputIntoAPipeThatEnds, such as head, ends a command without a word.
func TestOutputIntoAPipeThatEnds(t *testing.T) {
	out, end, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = out.Close()
	var output bytes.Buffer
	c := exec.Command(os.Args[0], "config")
	c.Env, c.Stdout, c.Stderr = append(os.Environ(), asProgram+"=1", prefix+"STREAM_KEY="+demoKey), end, &output
	if err := c.Run(); err == nil || output.Len() > 0 {
		t.Errorf("%v: %s", err, &output)
	}
}
