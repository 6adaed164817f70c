package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"livebridge/bridge/checker"
	"livebridge/transports/nats/natstest"
)

// slowRequest is a callback whose body is on its way.
type slowRequest struct {
	conn net.Conn
	in   *bufio.Reader
	rest []byte
}

// beginSlowly sends the first half of a callback. When it returns, the program waits for the other half.
func (p *program) beginSlowly(t *testing.T, body []byte) *slowRequest {
	t.Helper()
	conn, err := net.Dial("tcp", p.listen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /live/stream HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		len(body))
	r := &slowRequest{conn: conn, in: bufio.NewReader(conn), rest: body[len(body)/2:]}
	if line, err := r.in.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := conn.Write(body[:len(body)/2]); err != nil {
		t.Fatal(err)
	}
	return r
}

// finish sends the rest and returns the status.
func (r *slowRequest) finish() (int, error) {
	if _, err := r.conn.Write(r.rest); err != nil {
		return 0, err
	}
	if _, err := r.in.ReadString('\n'); err != nil { // the empty line behind 100 Continue
		return 0, err
	}
	answer, err := http.ReadResponse(r.in, nil)
	if err != nil {
		return 0, err
	}
	_ = answer.Body.Close()
	return answer.StatusCode, nil
}

// shut reports whether the program no longer accepts connections.
func (p *program) shut() bool {
	conn, err := net.Dial("tcp", p.listen)
	if err == nil {
		_ = conn.Close()
	}
	return err != nil
}

// ends waits for the program and fails unless it has exited with 0 in time.
func (p *program) ends(t *testing.T) {
	t.Helper()
	if code := p.end(t); code != exitDone {
		t.Errorf("it exits with %d\n%s", code, p.log)
	}
}

// out returns how many of the program's events are in the stream, after it has ended.
func out(t *testing.T, url string, want int) {
	t.Helper()
	n := 0
	await(t, url, func(checker.Event) bool { n++; return n == want })
}

// TestEndDuringARequest: whoever is in the middle of a callback when the program gets SIGTERM is answered 200, and
// the event is published before the program ends.
func TestEndDuringARequest(t *testing.T) {
	t.Parallel()
	b := broker(t, natstest.StoreDir(t), server.RANDOM_PORT)
	service := launch(t, t.TempDir(), prefix+"NATS_URL="+b.ClientURL())
	service.send(t, "/live/stream", streamCallback("PUBLISH", "room1", 1_587_954_134, time.Now(), ""), 200)
	slow := service.beginSlowly(t, streamCallback("PUBLISH_DONE", "room1", 1_587_954_134, time.Now(), ""))
	service.signal(t, syscall.SIGTERM)
	until(t, "no connections are accepted", service.shut)
	if status, err := slow.finish(); status != 200 || err != nil {
		t.Fatalf("the request in hand is answered %d, %v", status, err)
	}
	service.ends(t)
	out(t, b.ClientURL(), 2)
}

// TestEndDoesNotWaitForEver: a body that does not come holds the end up until the grace is over, and is not answered
// 200; neither is anything of it published.
func TestEndDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	service := launch(t, dir, prefix+"SHUTDOWN_GRACE=1s")
	service.send(t, "/live/stream", streamCallback("PUBLISH", "room1", 1_587_954_134, time.Now(), ""), 200)
	slow := service.beginSlowly(t, streamCallback("PUBLISH_DONE", "room1", 1_587_954_134, time.Now(), ""))
	service.signal(t, syscall.SIGTERM)
	service.ends(t)
	if status, err := slow.finish(); status == 200 {
		t.Errorf("it is answered %d, %v", status, err)
	}
	service = launch(t, dir)
	service.send(t, "/live/stream", streamCallback("PUBLISH", "room2", 1_587_954_134, time.Now(), ""), 200)
	await(t, service.nats, func(e checker.Event) bool {
		if e.Occurrence.Event == "PUBLISH_DONE" {
			t.Error("it is published")
		}
		return e.Occurrence.Subject == "push.example.com/live/room2"
	})
}

// heldBroker stands between the program and its broker and can keep the broker's answers.
type heldBroker struct {
	url     string
	answers sync.RWMutex // write: held
}

func holdable(t *testing.T, target string) *heldBroker {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	h := &heldBroker{url: "nats://" + l.Addr().String()}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return // the test is over
			}
			there, err := net.Dial("tcp", strings.TrimPrefix(target, "nats://"))
			if err != nil {
				_ = client.Close()
				continue
			}
			go func() { _, _ = io.Copy(there, client); _ = there.Close() }()
			go func() { _, _ = io.Copy(client, &heldReader{h, there}); _ = client.Close() }()
		}
	}()
	return h
}

// heldReader reads what the broker says, once it may be heard.
type heldReader struct {
	h    *heldBroker
	from io.Reader
}

func (r *heldReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.h.answers.RLock()
	defer r.h.answers.RUnlock()
	return n, err
}

// TestEndDuringTheBrokersAnswer: events whose lane waits for an answer of the broker are published before the program
// ends, each once and in order. Until then it is alive and not ready.
func TestEndDuringTheBrokersAnswer(t *testing.T) {
	t.Parallel()
	b := broker(t, natstest.StoreDir(t), server.RANDOM_PORT)
	h := holdable(t, b.ClientURL())
	dir, p := t.TempDir(), newProvider()
	service := launch(t, dir, prefix+"NATS_URL="+h.url)
	p.playAll(t, service, 0, 2)
	until(t, "all is published", func() bool { return service.metrics(t)["livebridge_outbox_events"] == 0 })
	h.answers.Lock()
	p.playAll(t, service, 2, 8)
	service.signal(t, syscall.SIGTERM)
	service.isNotReady(t)
	for end := time.Now().Add(time.Second); !service.shut() && time.Now().Before(end); {
		<-time.After(5 * time.Millisecond) // it may accept callbacks for as long as it publishes
	}
	if status := service.status("/livez"); status != http.StatusOK {
		t.Errorf("/livez is answered %d", status)
	}
	h.answers.Unlock()
	service.ends(t)
	if p.total.Load() != 32 {
		t.Fatalf("%d of 32 callbacks were answered 200", p.total.Load())
	}
	out(t, b.ClientURL(), 32)
	p.judge(t, b.ClientURL())
	service = launch(t, dir, prefix+"NATS_URL="+b.ClientURL())
	if n := service.metrics(t)["livebridge_outbox_events"]; n != 0 {
		t.Errorf("%.0f events are still in the outbox", n)
	}
}

// TestEndDuringASync: the program gets SIGTERM while a commit, or the snapshot of the embedded broker, is on its
// way to a slow disk. Every callback that was answered 200 comes out, and the broker's store is left in order.
func TestEndDuringASync(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"fdatasync", "fsync"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			dir, p := t.TempDir(), newProvider()
			service := launchUnder(t, dir, injected(t, call, "delay_enter=30000"))
			var playing sync.WaitGroup
			playing.Go(func() { p.playAll(t, service, 0, 9000) })
			until(t, "callbacks are answered 200", func() bool { return p.total.Load() >= 20 })
			if err := syscall.Kill(service.child(t), syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			service.ends(t)
			playing.Wait()
			state, err := os.ReadFile(filepath.Join(dir, "nats", "state.json"))
			if err != nil || !strings.Contains(string(state), `"clean":true`) {
				t.Errorf("the embedded broker's store is left as %s, %v", state, err)
			}
			service = launch(t, dir)
			if n := service.metrics(t)["livebridge_outbox_events"]; n != 0 {
				t.Errorf("%.0f events are still in the outbox", n)
			}
			p.judge(t, service.nats)
		})
	}
}

// child returns the process id of the program itself, which runs under another one.
func (p *program) child(t *testing.T) int {
	t.Helper()
	parent := p.cmd.Process.Pid
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", parent, parent))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return pid
}
