// Package transporttest is the contract of bridge.Publisher, and of consumers: two suites of tests that every transport
// must pass, with a broker that can be stopped and started.
package transporttest

import (
	"testing"
	"time"

	"livebridge/bridge"
)

// Record is one message on a topic of any broker.
type Record struct {
	Key     string            // order is kept within it: a subject, or a record key
	Headers map[string]string // names as the consumer sees them
	Payload []byte
}

// Topic is a fresh topic for events and one for quarantine notices, with a publisher to both.
type Topic struct {
	Publisher bridge.Publisher

	// Events and Quarantine return everything on the topic, in order, or in the order of each key where the broker keeps
	// no other.
	Events, Quarantine func(t *testing.T) []Record

	// Consume and Foreign are for RunConsumer alone. Foreign puts a message that is no event under a key of the topic of
	// events.
	Consume Consume
	Foreign func(t *testing.T, key string, payload []byte)

	// Stop kills the broker, and Start starts it again with its data.
	Stop, Start func(t *testing.T)
}

// Harness describes a transport to the suite.
type Harness struct {
	// Open makes a topic. It removes everything with t.Cleanup; the suite may have closed the publisher by then.
	Open func(t *testing.T, binary bool) *Topic
	// Patient is Open, with a publisher to which no broker is too slow.
	Patient func(t *testing.T) *Topic

	Fits     int // bytes of data that fit in a message
	TooLarge int // bytes of data that do not

	Key          func(*bridge.Event) string // the key of an event's record
	HeaderPrefix string                     // of attributes in binary mode
	HeaderValue  func(string) string        // the value of an attribute's header
	DropsRepeats bool                       // the broker drops duplicate events
	Away         time.Duration              // limit for an answer without a broker
	Restart      time.Duration              // limit for a restart of the broker
}

// Run runs the suite of a publisher.
func Run(t *testing.T, h Harness) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Harness)
	}{
		{"structured content", structuredContent},
		{"binary content", binaryContent},
		{"trace context", traceContext},
		{"order in each of many lanes", order},
		{"many goroutines", manyGoroutines},
		{"too large", tooLarge},
		{"tricky names", trickyNames},
		{"quarantine", quarantine},
		{"repeat", repeat},
		{"replay", replay},
		{"broker away", brokerAway},
		{"broker restarted under load", brokerRestarted},
		{"close answers everything", closeAnswers},
		{"close without a broker", closeWithoutBroker},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, h) })
	}
}
