// Package natstest is what tests with NATS share: events, a server that can be stopped and started, three that are
// processes of their own, whose network can be cut, and what streams hold.
package natstest

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/bridge"
	"livebridge/transports/transporttest"
)

// Event is the n-th event of a lane.
func Event(stream string, n uint64) *bridge.Event {
	return &bridge.Event{
		ID:       bridge.ID{byte(n), byte(n >> 8), stream[0], byte(len(stream))},
		Type:     "com.huaweicloud.live.stream.publish",
		Lane:     bridge.Lane{Kind: bridge.KindStream, Domain: "push.example.com", App: "live", Stream: stream},
		Recorded: 1_767_323_045_678, Sequence: n, Scheme: bridge.SchemeHMAC,
		Data: []byte(`{"app":"live","domain":"push.example.com","event":"PUBLISH"}`),
	}
}

// Notice is the n-th quarantine notice.
func Notice(n uint64) *bridge.Event {
	e := Event("q", n)
	e.Lane, e.Reason, e.Type = bridge.Lane{Kind: bridge.KindStream}, bridge.ReasonTampered, bridge.TypeQuarantined
	return e
}

// Numbered is the small event of a lane of its own.
func Numbered(n int) *bridge.Event {
	lane := bridge.Lane{Kind: bridge.KindStream, Domain: "d", App: "a", Stream: fmt.Sprint(n)}
	e := &bridge.Event{Type: "t", Lane: lane, Data: []byte("{}")}
	binary.BigEndian.PutUint64(e.ID[:], uint64(n))
	return e
}

// Must returns a value that is there unless the test itself is wrong.
func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Connect connects until the test ends.
func Connect(t testing.TB, url string, options ...nats.Option) jetstream.JetStream {
	t.Helper()
	quiet := nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})
	nc, err := nats.Connect(url, append(options, quiet)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// AwaitUnavailable waits until an event is not taken for a reason that has all of the words.
func AwaitUnavailable(t testing.TB, p bridge.Publisher, e *bridge.Event, texts ...string) {
	t.Helper()
	var err error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		if err = transporttest.Try(t, p, e); bridge.IsRejected(err) {
			t.Fatalf("rejected: %v", err)
		}
		missing := func(text string) bool { return !strings.Contains(err.Error(), text) }
		if err != nil && !slices.ContainsFunc(texts, missing) {
			return
		}
		<-time.After(5 * time.Millisecond)
	}
	t.Fatalf("the last answer is %v, which has not %q", err, texts)
}
