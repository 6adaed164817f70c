package processor_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/processor/processortest"
	"livebridge/schemas/schemastest"
)

// begin is the instant at which every partition of a test begins.
var begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// defaults are options as a service has them.
func defaults() processor.Options {
	return processor.Options{
		Limits:  processor.Limits{HoldDone: 10 * time.Second, HoldNext: 3 * time.Second, PerLane: 16},
		HeldMax: 10_000, DedupeWindow: 24 * time.Hour, DedupeMax: 20_000_000, LanesCached: 200_000,
		QuarantineMax: 10_000, QuarantineMaxAge: 30 * 24 * time.Hour, DeadLettersMax: 10_000,
	}
}

// observed is a partition seen from outside: what it emits, keeps and counts.
type observed struct {
	*processortest.Partition
	t      *testing.T
	o      processor.Options
	schema *jsonschema.Schema     // of events; nil until there is one of a session
	taken  int                    // of what it has emitted
	first  map[bridge.Lane]uint64 // the first sequence that was seen of each lane
}

func observe(t *testing.T, o processor.Options) *observed {
	t.Helper()
	p, err := processortest.Begin(o, begin)
	if err != nil {
		t.Fatal(err)
	}
	return &observed{Partition: p, t: t, o: o, first: make(map[bridge.Lane]uint64)}
}

func (s *observed) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// restart begins anew on the same view, with s.o as it is by now.
func (s *observed) restart() {
	s.t.Helper()
	s.Options = s.o
	s.must(s.Restart())
}

// take has callbacks decided, each in its own commit.
func (s *observed) take(arrivals ...*bridge.Arrival) {
	s.t.Helper()
	for _, a := range arrivals {
		s.must(s.Arrive(a))
	}
}

// sleep lets time pass.
func (s *observed) sleep(d time.Duration) {
	s.t.Helper()
	s.must(s.Pass(d))
}

// at lets time pass until so much has since the beginning, and a housekeeping is over.
func (s *observed) at(since time.Duration) {
	s.t.Helper()
	s.sleep(begin.Add(since).Sub(s.Now().Wall))
}

// out returns what was emitted since it was called last.
func (s *observed) out() []*bridge.Event {
	out := s.Emitted[s.taken:]
	s.taken = len(s.Emitted)
	for _, e := range out {
		if e.Lane.Kind == bridge.KindSession {
			s.valid(e)
		}
	}
	return out
}

// valid fails unless an event is, as it is published, what its schema says.
func (s *observed) valid(e *bridge.Event) {
	s.t.Helper()
	if s.schema == nil {
		s.schema = schemastest.Compile(s.t, "event")
	}
	text := e.AppendStructured(nil)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	s.must(err)
	if err := s.schema.Validate(doc); err != nil {
		s.t.Errorf("%s: %v", text, err)
	}
}

// wants fails unless exactly these events were emitted, in this order, as lines "stream sequence type marks". The first
// sequence of a lane counts as 1.
func (s *observed) wants(when string, want ...string) {
	s.t.Helper()
	var got []string
	for _, e := range s.out() {
		got = append(got, s.line(e))
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("%s: got %q, want %q", when, got, want)
	}
}

func (s *observed) line(e *bridge.Event) string {
	if s.first[e.Lane] == 0 {
		s.first[e.Lane] = e.Sequence
	}
	return fmt.Sprintf(
		"%s %d %s %s",
		e.Lane.Stream,
		e.Sequence-s.first[e.Lane]+1,
		e.Type[strings.LastIndex(e.Type, ".")+1:],
		e.Marks,
	)
}

// is fails unless a number is as wanted.
func (s *observed) is(when string, what string, got, want int) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("%s: %s: %d, want %d", when, what, got, want)
	}
}

// holds fails unless so many events are held, and everything that counts them says so.
func (s *observed) holds(when string, want int) {
	s.t.Helper()
	c := s.Processor.Counters()
	s.is(when, "events held", s.Holding(), want)
	s.is(when, "events that are kept held", s.Held(), want)
	if c.Held.Entries != uint64(want) || (c.Held.Bytes == 0) != (want == 0) {
		s.t.Errorf("%s: %+v are counted, want %d", when, c.Held, want)
	}
}

// streams returns the streams of what lies on a review queue, in its order.
func (s *observed) streams(queue bridge.ReviewQueue) string {
	var names []string
	for _, e := range s.Entries(queue) {
		names = append(names, e.Event.Lane.Stream)
	}
	return strings.Join(names, " ")
}

// keeps fails unless exactly these streams lie on a review queue, and everything that counts them says so.
func (s *observed) keeps(when string, queue bridge.ReviewQueue, want string) {
	s.t.Helper()
	if got := s.streams(queue); got != want {
		s.t.Errorf("%s: %s has %q, want %q", when, queue, got, want)
	}
	var i bridge.JournalStats
	s.Count(&i)
	counted := i.DeadLetters
	if queue == bridge.QuarantineQueue {
		counted = i.Quarantine
		indexed := 0
		for _, n := range i.Reasons {
			indexed += n
		}
		s.is(when, "entries known by their reason", indexed, int(counted.Entries))
	}
	bytes := 0
	for _, e := range s.Entries(queue) {
		bytes += e.Bytes
	}
	if n := len(strings.Fields(want)); counted.Entries != uint64(n) || counted.Bytes != uint64(bytes) {
		s.t.Errorf("%s: %+v are counted on %s, want %d of %d bytes", when, counted, queue, n, bytes)
	}
}

// command carries an operator's command out and returns which numbers it was done for.
func (s *observed) command(a processor.Action, queue bridge.ReviewQueue, numbers ...uint64) (done []uint64) {
	s.t.Helper()
	s.must(s.Do(processor.Input{Action: a, Queue: queue, Numbers: numbers}))
	for _, o := range s.Outcomes {
		if o.Problem == "" {
			done = append(done, o.Number)
		}
	}
	return done
}

// knows fails unless the callback of each of these names repeats one that is remembered, or that of none.
func (s *observed) knows(when string, want bool, names ...string) {
	s.t.Helper()
	for _, name := range names {
		before := s.Total.Duplicates
		s.take(unsigned(name))
		if known := s.Total.Duplicates > before; known != want {
			s.t.Errorf("%s: %s is known: %v", when, name, known)
		}
	}
}

// tampers fails unless another event under a signature is taken for an abuse of it, or is not.
func (s *observed) tampers(when string, want bool, a *bridge.Arrival) {
	s.t.Helper()
	before := s.Total.Quarantined[bridge.ReasonTampered]
	s.take(a)
	if abuse := s.Total.Quarantined[bridge.ReasonTampered] > before; abuse != want {
		s.t.Errorf("%s: %s is an abuse: %v", when, a.Event.Lane.Stream, abuse)
	}
}

// signed gives a callback a signature over some fields.
func signed(a *bridge.Arrival, sum, fields byte) *bridge.Arrival {
	a.Signature = bridge.Signature{Sum: [16]byte{sum}, Signed: [16]byte{fields}, Expires: 1e14, Strict: true}
	return a
}

// unsigned is a callback that has no session and no signature: it comes out at once, unless it is known.
func unsigned(name string) *bridge.Arrival {
	a := push(name, 0, bridge.PhaseNone)
	a.Signature = bridge.Signature{}
	return a
}

// ended is the end of a session of a stream whose start has not come: it is held.
func ended(stream string, session int) *bridge.Arrival {
	return push(stream, 1.7e12+bridge.Millis(session), bridge.PhaseDone)
}

// recording is a callback that comes out at once, in its own lane.
func recording(stream string, n int) *bridge.Arrival {
	a := push(stream, bridge.Millis(n), bridge.PhaseDone)
	a.Event.Lane.Kind, a.Event.Phase, a.Event.Session, a.Event.Type = bridge.KindRecord, bridge.PhaseNone, 0,
		"com.huaweicloud.live.record.start"
	a.Signature = bridge.Signature{}
	return a
}

// The callbacks of the tests.
var push, suspect, suspects = processortest.Push, processortest.Suspect, processortest.Suspects
