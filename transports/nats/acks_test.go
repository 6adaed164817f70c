package nats

import (
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/bridge"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// TestLateAnswerIsIgnored: the answer to an event that was given up must not be taken for that of the event which has
// its place by then.
func TestLateAnswerIsIgnored(t *testing.T) {
	t.Parallel()
	a := newAcks("inbox.")
	var first, second []error
	late, _ := a.add(doneHandler(func(err error) { first = append(first, err) }), nil, "a")
	gone := errors.New("no answer")
	a.abandon(0, gone)
	reply, _ := a.add(doneHandler(func(err error) { second = append(second, err) }), nil, "a")
	a.answer(late, nil, nil)
	if len(second) != 0 {
		t.Fatalf("the second event is answered %v by the answer to the first", second)
	}
	a.answer(reply, nil, nil)
	a.answer(reply, nil, nil)
	if len(first) != 1 || first[0] != gone || len(second) != 1 || second[0] != nil {
		t.Errorf("the first is answered %v, the second %v", first, second)
	}
}

// TestLostConnectionAnswers: what is under way when the connection is lost is answered then, and does not wait for its
// time-out. The stream of the test acknowledges nothing.
func TestLostConnectionAnswers(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, &server.Options{})
	o := testOptions()
	o.URL, o.AckTimeout, o.Quarantine = s.URL, time.Hour, ""
	config := jetstream.StreamConfig{Name: o.Stream, Subjects: []string{o.SubjectPrefix + ".>"}, NoAck: true}
	js := s.JetStream(t)
	stream, err := js.CreateStream(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Dial(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { transporttest.CloseSoon(p) })
	answer := make(chan error, 1000)
	there := func() bool {
		info, err := stream.Info(t.Context())
		return err == nil && info.State.Msgs > 0
	}
	for end := time.Now().Add(20 * time.Second); !there(); { // not connected yet: answered at once
		if time.Now().After(end) {
			t.Fatal("nothing is published")
		}
		p.streams.events.state.Store(nil) // whatever a check has found
		p.Publish(natstest.Event("a", 1), func(err error) { answer <- err })
		<-time.After(10 * time.Millisecond)
	}
	for len(answer) > 0 {
		transporttest.Receive(t, answer)
	}
	back := make(chan struct{}) // closed when the client has reported the loss, and then the new connection
	p.conn.Load().SetReconnectHandler(func(c *nats.Conn) { p.connected(c); close(back) })
	s.Kill()
	s.Restart(t)
	transporttest.Receive(t, back)
	select {
	case err := <-answer:
		if err == nil || bridge.IsRejected(err) {
			t.Errorf("answered %v", err)
		}
	default:
		t.Error("not answered though the connection was lost")
	}
}

// TestOutcome: nothing but the answer of a stream that has the message is an acknowledgement.
func TestOutcome(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		answer string
		ok     bool
	}{
		{`{"stream":"LIVE_EVENTS","seq":1}`, true},
		{`{"stream":"LIVE_EVENTS","seq":1,"duplicate":true}`, true},
		{`{"type":"io.nats.jetstream.api.v1.pub_ack_response","stream":"LIVE_EVENTS","seq":1}`, true},
		{`{"error":{"code":503,"err_code":10077,"description":"maximum messages exceeded"},"stream":"LIVE_EVENTS","seq":0}`,
			false},
		{`{"stream":"LIVE_EVENTS","error":{"code":503,"err_code":10077,"description":"maximum messages exceeded"},"seq":0}`,
			false},
		{`{"stream":"LIVE_EVENTS2","seq":1}`, false},
		{`{"stream":"OTHER","seq":1}`, false},
		{`{"stream":"OTHER","seq":1,"duplicate":true}`, false},
		{`{"type":"io.nats.jetstream.api.v1.pub_ack_response","stream":"OTHER","seq":1}`, false},
		{`{"seq":1}`, false}, {`{}`, false}, {``, false}, {`+OK`, false},
	} {
		if err := outcome(&nats.Msg{Data: []byte(tt.answer)}, "LIVE_EVENTS", ackOf("LIVE_EVENTS")); (err == nil) != tt.ok {
			t.Errorf("%q: %v", tt.answer, err)
		}
	}
}
