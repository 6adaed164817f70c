// Package transporttest is the contract of bridge.Publisher as one suite of tests that every transport must pass, against
// a broker that can be stopped and started.
package transporttest

import (
	"testing"
	"time"

	"livebridge/bridge"
)

// Record is one message on a topic, without the words of any broker.
type Record struct {
	Key     string            // what order is kept within: a subject, or a record key
	Headers map[string]string // names as the consumer sees them
	Payload []byte
}

// Topic is a fresh topic for events and one for quarantine notices, with a publisher to both.
type Topic struct {
	Publisher bridge.Publisher

	// Events and Quarantine return everything that is on the topic, in order; in the order of each key where the broker
	// keeps no other.
	Events, Quarantine func(t *testing.T) []Record

	// Stop takes the broker away without a word, and Start brings it back with what it had.
	Stop, Start func(t *testing.T)
}

// Harness is what the suite has to know about a transport.
type Harness struct {
	// Open makes a topic. Everything behind it is removed with t.Cleanup; the suite may have closed the publisher.
	Open func(t *testing.T, binary bool) *Topic

	Fits     int // so many bytes of data fit in a message
	TooLarge int // so many do not

	Key          func(*bridge.Event) string // where an event has to go
	HeaderPrefix string                     // of attributes in binary mode
	HeaderValue  func(string) string        // how an attribute's value is written in a header
	DropsRepeats bool                       // the broker itself drops an event that comes twice
	Away         time.Duration              // within so long an event is answered when there is no broker
	Restart      time.Duration              // what a restart of the broker may take
}

// Run runs the whole suite.
func Run(t *testing.T, h Harness) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Harness)
	}{
		{"structured content", structuredContent},
		{"binary content", binaryContent},
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
