package transporttest

import (
	"context"
	"testing"
	"time"

	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
)

const (
	eventuallyTimeout = 30 * time.Second // for what a broker in this process has to bring about
	pollInterval      = 5 * time.Millisecond
)

// Eventually waits until something is so. It fails the test when that takes too long.
func Eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(eventuallyTimeout); !so(); <-time.After(pollInterval) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", eventuallyTimeout, what)
		}
	}
}

// AwaitLog waits until a message of the log contains a text.
func AwaitLog(t testing.TB, logs *observer.ObservedLogs, text string) {
	t.Helper()
	for end := time.Now().Add(eventuallyTimeout); logs.FilterMessageSnippet(text).Len() == 0; <-time.After(pollInterval) {
		if time.Now().After(end) {
			t.Fatalf("%q is not logged; the log has %v", text, logs.All())
		}
	}
}

// Publish retries until the broker acknowledges the event or rejects it, as the dispatcher does, and returns that
// answer.
func Publish(t testing.TB, p bridge.Publisher, e *bridge.Event) error {
	t.Helper()
	return new(answers).publish(t, p, e)
}

// Close closes a publisher that has nothing in flight.
func Close(t testing.TB, p bridge.Publisher) {
	t.Helper()
	closeWithin(t, p, answerTimeout)
}

// CloseSoon closes a publisher whatever it has in flight.
func CloseSoon(p bridge.Publisher) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = p.Close(ctx) // its deadline may be exceeded
}
