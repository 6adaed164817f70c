package nats

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"pgregory.net/rapid"

	"livebridge/bridge"
	"livebridge/transports/nats/natstest"
)

// wire is a connection and the server behind it: messages are handled one after the other, and each is stored, refused
// or dropped as a repeat.
type wire struct {
	batches *batches
	queue   []sent
	stored  map[string]uint64 // sequences
	last    uint64            // sequence
	answers int               // answers
}

type sent struct {
	id string
	w  ackHandler
}

func newWire() *wire {
	o := DefaultOptions()
	w := &wire{stored: make(map[string]uint64), last: 41}
	w.batches = &batches{messagePool: newMessagePool(&o), post: func(d *message, answer ackHandler) {
		w.queue = append(w.queue, sent{d.msg.Header.Get(headerMsgID), answer})
	}}
	return w
}

// publish hands an event over and returns how often it has been answered, and how.
func (w *wire) publish(e *bridge.Event) *outcomes {
	o := &outcomes{id: e.DedupeID()}
	w.batches.add(e, w.batches.messagePool.of(e), func(err error) { o.calls, o.err = o.calls+1, err })
	return o
}

type outcomes struct {
	id    string
	calls int
	err   error
}

// serve handles the next message.
func (w *wire) serve(refuse bool) {
	s := w.queue[0]
	w.queue = w.queue[1:]
	m := &nats.Msg{}
	switch {
	case refuse:
		m.Data = []byte(`{"error":{"code":503,"err_code":10077,"description":"full"},"stream":"LIVE_EVENTS","seq":0}`)
	case w.stored[s.id] > 0:
		m.Data = fmt.Appendf(nil, `{"stream":"LIVE_EVENTS","seq":%d,"duplicate":true}`, w.stored[s.id])
	default:
		w.store(s.id)
		m.Data = fmt.Appendf(nil, `{"stream":"LIVE_EVENTS","seq":%d}`, w.last)
	}
	if s.w == nil {
		return
	}
	w.answers++
	err := outcome(m, "LIVE_EVENTS", ackOf("LIVE_EVENTS"))
	if err != nil {
		err = classify(err)
	}
	s.w.handleAck(m, err)
}

// lose handles the next message and loses its answer.
func (w *wire) lose() {
	if len(w.queue) == 0 {
		return
	}
	s := w.queue[0]
	w.queue = w.queue[1:]
	if w.stored[s.id] == 0 {
		w.store(s.id)
	}
	if s.w != nil {
		s.w.handleAck(nil, bridge.Unavailable("late"))
	}
}

func (w *wire) store(id string) {
	w.last++
	w.stored[id] = w.last
}

// cut loses the connection with all that is on it; so many of its messages are stored all the same.
func (w *wire) cut(stored int) {
	lost := w.queue
	w.queue = nil
	for _, s := range lost[:min(stored, len(lost))] {
		if w.stored[s.id] == 0 {
			w.store(s.id)
		}
	}
	err := bridge.Unavailable("gone")
	for _, s := range lost {
		if s.w != nil {
			s.w.handleAck(nil, err)
		}
	}
	w.batches.abandon(err, 0)
}

func TestMessagesShareAnAck(t *testing.T) {
	t.Parallel()
	w := newWire()
	var all []*outcomes
	for n := range 1000 {
		all = append(all, w.publish(natstest.Numbered(n)))
		if n == 0 {
			w.serve(false) // an answer of its own: from here on they can be counted
		}
	}
	for len(w.queue) > 0 {
		w.serve(false)
	}
	for _, o := range all {
		if o.calls != 1 || o.err != nil {
			t.Fatalf("event %s was answered %d times, %v", o.id, o.calls, o.err)
		}
	}
	if w.answers > 10 {
		t.Errorf("%d answers for 1000 messages", w.answers)
	}
}

func TestOneMessageIsNotHeldBack(t *testing.T) {
	t.Parallel()
	w := newWire()
	for n := range 10 {
		o := w.publish(natstest.Numbered(n))
		w.serve(false)
		if o.calls != 1 || o.err != nil {
			t.Fatalf("event %d was answered %d times, %v", n, o.calls, o.err)
		}
	}
}

// An event is reported as stored only if it is, whatever happens to the others; every event is answered once.
func TestAckCoversStoredMessagesOnly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWire()
		var all []*outcomes
		check := func() {
			for _, o := range all {
				if o.calls > 1 || o.calls == 1 && o.err == nil && w.stored[o.id] == 0 {
					rt.Fatalf("event %s: answered %d times, %v, stored as %d", o.id, o.calls, o.err, w.stored[o.id])
				}
			}
		}
		n := 0
		rt.Repeat(map[string]func(*rapid.T){
			"publish": func(rt *rapid.T) {
				for range rapid.IntRange(1, 5).Draw(rt, "events") {
					all = append(all, w.publish(natstest.Numbered(n)))
					n++
				}
			},
			"publish again": func(rt *rapid.T) {
				if n > 0 {
					all = append(all, w.publish(natstest.Numbered(rapid.IntRange(0, n-1).Draw(rt, "event"))))
				}
			},
			"serve": func(rt *rapid.T) {
				for range min(len(w.queue), rapid.IntRange(1, 6).Draw(rt, "messages")) {
					w.serve(false)
				}
			},
			"refuse": func(*rapid.T) {
				if len(w.queue) > 0 {
					w.serve(true)
				}
			},
			"lose an answer": func(*rapid.T) { w.lose() },
			"cut":            func(rt *rapid.T) { w.cut(rapid.IntRange(0, 8).Draw(rt, "stored")) },
			"":               func(*rapid.T) { check() },
		})
		for len(w.queue) > 0 {
			w.serve(false)
		}
		check()
		for _, o := range all {
			if o.calls != 1 {
				rt.Fatalf("event %s was answered %d times", o.id, o.calls)
			}
		}
	})
}

func TestAMessageThatIsNotStoredIsSentAgain(t *testing.T) {
	t.Parallel()
	w := newWire()
	var all []*outcomes
	for n := range 6 {
		all = append(all, w.publish(natstest.Numbered(n)))
		if n == 0 {
			w.serve(false)
		}
	}
	for refused := false; len(w.queue) > 0; {
		inside := w.queue[0].w == nil && !refused
		w.serve(inside)
		refused = refused || inside
		for _, o := range all {
			if o.calls > 0 && w.stored[o.id] == 0 {
				t.Fatalf("event %s is reported as stored", o.id)
			}
		}
	}
	for _, o := range all {
		if o.calls != 1 || o.err != nil {
			t.Errorf("event %s was answered %d times, %v", o.id, o.calls, o.err)
		}
	}
}

// What a lost connection has left on its way may still be stored: for a while nothing is judged by counting.
func TestNoCountingRightAfterALostConnection(t *testing.T) {
	t.Parallel()
	w := newWire()
	w.publish(natstest.Numbered(0))
	w.serve(false)
	w.batches.abandon(errors.New("gone"), time.Hour)
	for n := 1; n < 10; n++ {
		w.publish(natstest.Numbered(n))
		w.serve(false)
		w.publish(natstest.Numbered(100 + n))
		for _, s := range w.queue {
			if _, own := s.w.(*singleAck); !own {
				t.Fatalf("message %s has no answer of its own", s.id)
			}
		}
		w.serve(false)
	}
}

// The answer to a repeat tells where it was stored at first, which says nothing of what was sent since.
func TestDuplicateDoesNotCalibrate(t *testing.T) {
	t.Parallel()
	w := newWire()
	for n := range 3 {
		w.publish(natstest.Numbered(n))
		w.serve(false)
	}
	w.cut(0)
	w.publish(natstest.Numbered(1))
	w.serve(false)
	w.publish(natstest.Numbered(10))
	if _, own := w.queue[0].w.(*singleAck); !own {
		t.Error("messages are counted from where a repeat was stored")
	}
}

// Events of the open batch are failed when the connection is lost, those in flight by their ack handlers.
func TestLostConnectionAnswersTheOpenBatch(t *testing.T) {
	t.Parallel()
	w := newWire()
	w.publish(natstest.Numbered(0))
	w.serve(false)
	var all []*outcomes
	for n := range batchesUnderWay + 2 {
		all = append(all, w.publish(natstest.Numbered(1+n)))
	}
	lost := errors.New("gone")
	w.batches.abandon(lost, 0)
	for i, o := range all {
		if open := i >= batchesUnderWay; open != (o.calls == 1) || open && !errors.Is(o.err, lost) {
			t.Errorf("event %d was answered %d times, %v", i, o.calls, o.err)
		}
	}
	for len(w.queue) > 0 {
		w.serve(false)
	}
	for i, o := range all {
		if o.calls != 1 {
			t.Errorf("event %d was answered %d times", i, o.calls)
		}
	}
}
