package main

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
)

// slowPublisher takes its time for every event and every checkpoint, and notes in which order they end.
type slowPublisher struct {
	takes  time.Duration                       // an event
	syncs  time.Duration                       // a checkpoint
	silent bool                                // no event is ever answered before Close
	gate   func(*bridge.Event) <-chan struct{} // what an event waits for; nil: nothing
	mu     sync.Mutex
	ended  []string
	close  chan struct{}
	once   sync.Once
}

func newSlowPublisher() *slowPublisher {
	return &slowPublisher{takes: 300 * time.Millisecond, syncs: 300 * time.Millisecond, close: make(chan struct{})}
}

func (p *slowPublisher) note(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = append(p.ended, what)
}

// notes returns what has ended, oldest first.
func (p *slowPublisher) notes() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.ended)
}

func (p *slowPublisher) Publish(e *bridge.Event, done func(error)) {
	go func() {
		if p.gate != nil {
			<-p.gate(e)
		}
		if p.silent {
			<-p.close
			done(bridge.Unavailable("the publisher is closed"))
			return
		}
		<-time.After(p.takes)
		p.note("event")
		done(nil)
	}()
}

func (p *slowPublisher) Checkpoint(context.Context) error {
	<-time.After(p.syncs)
	p.note("checkpoint")
	return nil
}

func (p *slowPublisher) Close(context.Context) error {
	p.once.Do(func() { p.note("close"); close(p.close) })
	return nil
}

func (p *slowPublisher) Reload() error { return nil }

func (p *slowPublisher) Connected() bool { return true }

// runWith runs the service in this process on a publisher of the test's. The function that it returns tells the service
// to stop; the channel gets what it returns.
func runWith(t *testing.T, dir string, p *slowPublisher, more ...string) (*program, context.CancelFunc, <-chan error) {
	t.Helper()
	a := startApp(t, dir, append(more, "NATS_URL", "nats://127.0.0.1:1")...)
	l := a.engine.(*local)
	if err := l.publisher.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.publisher, a.registry = p, prometheus.NewRegistry()
	l.dispatch(a.published.Add, nil, a.log, a.registry)
	stop, ended := runApp(t, a)
	return &program{listen: a.callbackListener.Addr().String(), admin: a.adminListener.Addr().String()}, stop, ended
}

// returns fails unless the service has ended without an error in time.
func returns(t *testing.T, ended <-chan error) {
	t.Helper()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(60 * time.Second):
		t.Fatal("the service does not end")
	}
}

// left returns how many events the outbox of a journal has that is not in use.
func left(t *testing.T, dir string) uint64 {
	t.Helper()
	out, errOut, code := command(t, dir, "journal", "inspect")
	var i bridge.JournalStats
	if err := json.Unmarshal([]byte(out), &i); err != nil || code != exitDone {
		t.Fatalf("%d %s: %v", code, errOut, err)
	}
	return i.Outbox.Entries
}

// TestEndInOrder: the events of requests that were in hand when the service was told to stop are published, one after
// the other, what the broker has acknowledged is made durable and leaves the outbox, and only then is the publisher
// closed.
func TestEndInOrder(t *testing.T) {
	t.Parallel()
	dir, p := t.TempDir(), newSlowPublisher()
	p.syncs = 2 * time.Second // longer than the port takes to close, so that the last one is under way then
	service, stop, ended := runWith(t, dir, p)
	service.send(t, "/live/stream", streamCallback("PUBLISH", "room1", 1_587_954_134, time.Now(), ""), 200)
	var inHand []*slowRequest
	for _, body := range [][]byte{
		streamCallback("PUBLISH_DONE", "room1", 1_587_954_134, time.Now(), ""),
		streamCallback("PUBLISH", "room1", 1_587_954_135, time.Now(), ""),
		streamCallback("PUBLISH_DONE", "room1", 1_587_954_135, time.Now(), ""),
	} {
		inHand = append(inHand, service.beginSlowly(t, body))
	}
	until(t, "the first event is published", func() bool { return slices.Contains(p.notes(), "event") })
	stop()
	until(t, "no connections are taken", service.shut)
	for i, slow := range inHand {
		if status, err := slow.finish(); status != 200 || err != nil {
			t.Errorf("request %d in hand is answered %d, %v", i, status, err)
		}
	}
	returns(t, ended)
	notes := p.notes()
	order := slices.DeleteFunc(slices.Clone(notes), func(what string) bool { return what == "checkpoint" })
	if !slices.Equal(order, []string{"event", "event", "event", "event", "close"}) || notes[len(notes)-2] != "checkpoint" {
		t.Errorf("the order is %q", notes)
	}
	if n := left(t, dir); n != 0 {
		t.Errorf("%d events are left in the outbox", n)
	}
}

// TestEndWithoutAnAnswer: a broker that never answers holds the end up for no longer than the grace, and the event
// stays.
func TestEndWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	dir, p := t.TempDir(), newSlowPublisher()
	p.silent = true
	service, stop, ended := runWith(t, dir, p, "SHUTDOWN_GRACE", "400ms")
	service.send(t, "/live/stream", streamCallback("PUBLISH", "room1", 1_587_954_134, time.Now(), ""), 200)
	stop()
	returns(t, ended)
	if n := left(t, dir); n != 1 {
		t.Errorf("%d events are left in the outbox, want 1", n)
	}
}
