package nats

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/bridge"
)

// waiter is told once of the outcome of a message: the server's answer and the error that it tells of, or an error alone
// when there will be no answer.
type waiter interface{ answered(m *nats.Msg, err error) }

// outcomeOf is the waiter for an event that is published by itself.
type outcomeOf func(error)

func (f outcomeOf) answered(_ *nats.Msg, err error) { f(err) }

// acks remembers which messages are under way and tells of each outcome once. It does what the jetstream package's
// asynchronous publishing does, at a quarter of its cost for each message: no timer, no map entry, no new reply subject.
// A place is used by one event after another under the same reply subject. It gets a new one when an event left without
// an answer, so that an answer which comes late is nobody's.
type acks struct {
	prefix string                                   // of reply subjects
	judge  func(to *stream, answer *nats.Msg) error // what the answer of a stream tells of

	mu     sync.Mutex
	places []place
	free   []int // the last one is used first, so that the server meets few different reply subjects
	used   int
	tick   uint32
	closed bool
	idle   chan struct{} // closed when nothing is under way; nil: nobody waits
}

// place is where one event under way is remembered.
type place struct {
	waits   waiter // nil: free
	to      *stream
	subject string
	reply   string
	round   uint32 // how many events left here without an answer
	since   uint32 // the tick of its begin
}

// expireTicks is how many ticks an event waits for its answer.
const expireTicks = 4

func newAcks(prefix string) *acks { return &acks{prefix: prefix} }

// add remembers a message and returns the reply subject for it. False: closed.
func (a *acks) add(w waiter, to *stream, subject string) (reply string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return "", false
	}
	if len(a.free) == 0 {
		a.places, a.free = append(a.places, place{}), append(a.free, len(a.places))
	}
	i := a.free[len(a.free)-1]
	a.free = a.free[:len(a.free)-1]
	p := &a.places[i]
	if p.reply == "" {
		p.reply = a.prefix + strconv.Itoa(i) + "-" + strconv.FormatUint(uint64(p.round), 10)
	}
	p.waits, p.to, p.subject, p.since = w, to, subject, a.tick
	a.used++
	return p.reply, true
}

// answer tells of an outcome, if somebody still waits for it: what the stream has answered, or an error alone. Until
// that is done, what the waiter sends in its turn counts with it.
func (a *acks) answer(reply string, m *nats.Msg, err error) {
	a.mu.Lock()
	w, to := a.take(reply)
	a.mu.Unlock()
	if w == nil {
		return
	}
	if m != nil {
		err = a.judge(to, m)
	}
	w.answered(m, err)
	a.mu.Lock()
	a.leave(1)
	a.mu.Unlock()
}

// take frees the place of a reply subject.
func (a *acks) take(reply string) (waiter, *stream) {
	number, _, _ := strings.Cut(strings.TrimPrefix(reply, a.prefix), "-")
	i, err := strconv.Atoi(number)
	if err != nil || i < 0 || i >= len(a.places) || a.places[i].reply != reply || a.places[i].waits == nil {
		return nil, nil
	}
	to := a.places[i].to
	return a.release(i), to
}

func (a *acks) release(i int) waiter {
	w := a.places[i].waits
	a.places[i].waits = nil
	a.free = append(a.free, i)
	return w
}

// leave notes that so many outcomes have been told.
func (a *acks) leave(n int) {
	if a.used -= n; a.used == 0 && a.idle != nil {
		close(a.idle)
		a.idle = nil
	}
}

// abandon answers every event that has waited for so many ticks or more, without an answer of the server.
func (a *acks) abandon(ticks uint32, err error) {
	a.giveUp(func(p *place) bool { return a.tick-p.since >= ticks }, err)
}

// deny answers every event under a subject that the server does not permit us to publish to: there will be no answer.
func (a *acks) deny(subject string, err error) {
	a.giveUp(func(p *place) bool { return p.subject == subject }, err)
}

func (a *acks) giveUp(which func(*place) bool, err error) {
	a.mu.Lock()
	var left []waiter
	for i := range a.places {
		if p := &a.places[i]; p.waits != nil && which(p) {
			p.round++
			p.reply = ""
			left = append(left, a.release(i))
		}
	}
	a.mu.Unlock()
	for _, w := range left {
		w.answered(nil, err)
	}
	a.mu.Lock()
	a.leave(len(left))
	a.mu.Unlock()
}

// sweep answers what has waited too long, until stop is closed.
func (a *acks) sweep(timeout time.Duration, stop <-chan struct{}) {
	ticker := time.NewTicker(max(timeout/expireTicks, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		a.mu.Lock()
		a.tick++
		a.mu.Unlock()
		a.abandon(expireTicks+1, bridge.Unavailable("NATS has not answered within %v", timeout))
	}
}

// wait returns a channel that is closed when nothing is under way.
func (a *acks) wait() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	idle := make(chan struct{})
	if a.used == 0 {
		close(idle)
	} else {
		a.idle = idle
	}
	return idle
}

// close answers what is left and takes nothing more.
func (a *acks) close(err error) {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.abandon(0, err)
}

// ackOf begins the common acknowledgement of a stream: {"stream":"NAME","seq":1}.
func ackOf(name string) []byte { return []byte(`{"stream":"` + name + `","seq":`) }

// outcome reads the server's answer to one message for a stream. The common one, which begins with ack, is not decoded.
func outcome(m *nats.Msg, name string, ack []byte) error {
	if len(m.Data) == 0 && m.Header.Get("Status") == "503" {
		return errNoStream
	}
	if bytes.HasPrefix(m.Data, ack) && !bytes.Contains(m.Data, []byte(`"error"`)) {
		return nil
	}
	var answer struct {
		Error  *jetstream.APIError `json:"error"`
		Stream string              `json:"stream"`
	}
	err := json.Unmarshal(m.Data, &answer)
	switch {
	case err == nil && answer.Error != nil:
		return answer.Error
	case err != nil || answer.Stream == "":
		return errors.New("the answer is not that of a stream")
	case answer.Stream != name:
		return &otherStream{answer.Stream, name}
	}
	return nil
}
