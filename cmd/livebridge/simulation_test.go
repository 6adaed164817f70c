package main

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"livebridge/bridge"
	"livebridge/bridge/checker"
)

// simulationSeed runs one simulation alone: go test ./cmd/livebridge -run TestSimulation -simulation.seed 17
var (
	simulationSeed  = flag.Uint64("simulation.seed", 0, "the only seed to simulate; 0: several")
	simulationSeeds = flag.Uint64("simulation.seeds", 0, "how many seeds to simulate; 0: 3, or 1 if short")
)

// simulation is the whole program but for its sockets, for some hours of virtual time: the handler of callbacks,
// the journal on a disk in memory, the dispatcher, and a broker in memory. What happens when is drawn from the seed.
type simulation struct {
	seed   uint64
	t      *testing.T
	random *rand.Rand
	disk   *vfs.MemFS
	broker *simulatedBroker
	calm   bool          // nothing crashes, no clock jumps, and no limit lets anything go
	ahead  time.Duration // of the wall clock, before the real one; it jumps

	mu   sync.Mutex // held over a crash: what was answered or published before it is on the disk that remains
	life *simulatedLife
	sent []checker.Sent

	requests sync.WaitGroup
}

func TestSimulation(t *testing.T) {
	t.Parallel()
	if *simulationSeed > 0 {
		simulate1(t, *simulationSeed)
		return
	}
	seeds := *simulationSeeds
	switch {
	case seeds == 0 && testing.Short():
		seeds = 1
	case seeds == 0:
		seeds = 3
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed+1), func(t *testing.T) {
			t.Parallel()
			simulate1(t, seed+1)
		})
	}
}

// calmRefused is the stream that the broker refuses in a calm simulation.
const calmRefused = "room0"

// TestSimulatedHolds has disorder alone, and a broker that refuses one stream for hours: every other event comes out no
// later than its hold ends, and the marks of an ended hold no earlier.
func TestSimulatedHolds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSimulation(t, 6)
		s.calm = true
		s.broker.down[calmRefused] = true
		s.run()
	})
}

// TestSimulationIsRepeatable: a seed that has failed fails again, since the same (odd) seed gives the same topic.
func TestSimulationIsRepeatable(t *testing.T) {
	t.Parallel()
	var topics [2]map[string]string
	t.Run("twice", func(t *testing.T) { // at the same time, which must not matter
		for i := range topics {
			t.Run(fmt.Sprint(i), func(t *testing.T) { t.Parallel(); topics[i] = simulate1(t, 3) })
		}
	})
	first, second := topics[0], topics[1]
	if len(first) == 0 || len(first) != len(second) {
		t.Fatalf("%d lanes, then %d", len(first), len(second))
	}
	for lane, events := range first {
		if events != second[lane] {
			t.Errorf("lane %s has\n%s\nand then\n%s", lane, events, second[lane])
		}
	}
}

// simulate1 runs one seed and returns each lane's first publishings.
func simulate1(t *testing.T, seed uint64) map[string]string {
	t.Helper()
	topic := make(map[string]string)
	synctest.Test(t, func(t *testing.T) {
		s := newSimulation(t, seed)
		s.run()
		for _, e := range s.broker.first() {
			topic[e.Lane.String()] += string(e.AppendStructured(nil)) + "\n"
		}
	})
	if t.Failed() {
		t.Logf("again, alone: go test ./cmd/livebridge -run 'TestSimulation$' -simulation.seed %d", seed)
	}
	return topic
}

func newSimulation(t *testing.T, seed uint64) *simulation {
	s := &simulation{seed: seed, t: t, random: rand.New(rand.NewPCG(seed, 1)), disk: vfs.NewCrashableMem()}
	s.broker = &simulatedBroker{simulation: s, down: make(map[string]bool)}
	return s
}

func (s *simulation) run() {
	s.start()
	s.play()
	s.judge()
	s.stop()
}

// deadLettersMax is how many dead letters are kept; the broker of the simulation refuses more for good.
const deadLettersMax = 3

// wall is the wall clock, which jumps; everything that measures time must not notice.
func (s *simulation) wall() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wallLocked()
}

// sinceThen is what lies between the beginning of synctest's time and a year whose seconds have 10 digits.
const sinceThen = 26 * 365 * 24 * time.Hour

func (s *simulation) wallLocked() time.Time { return time.Now().Add(sinceThen + s.ahead) }

// post sends a callback in the background and notes what was sent, and how it was answered if it was.
func (s *simulation) post(c simulatedCallback) {
	s.mu.Lock()
	l, n := s.life, len(s.sent)
	s.sent = append(s.sent, checker.Sent{Number: uint64(n), At: bridge.MillisOf(s.wallLocked()),
		Occurrence: c.occurrence()})
	r := httptest.NewRequest(http.MethodPost, "/live/"+c.kind().String(), strings.NewReader(c.body(s.wallLocked())))
	s.mu.Unlock()
	if l == nil {
		return
	}
	s.requests.Go(func() {
		w := httptest.NewRecorder()
		l.ingress.Handler().ServeHTTP(w, r)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.life == l {
			s.sent[n].Status = w.Code
		}
		if w.Code != http.StatusOK && w.Code != http.StatusServiceUnavailable {
			s.t.Errorf("%s is answered %d: %s", c.occurrence(), w.Code, w.Body)
		}
	})
}

// judge lets all holds end and the outbox run empty, with a broker that is well, and has the checker verify it all.
func (s *simulation) judge() {
	s.broker.heal()
	time.Sleep(time.Minute)
	synctest.Wait()
	if n := s.life.journal.Outbox().Pending(); n > 0 {
		s.t.Errorf("%d events are left in the outbox", n)
	}
	if n := s.life.gauge(s.t, "livebridge_dead_letters"); n > deadLettersMax {
		s.t.Errorf("%v dead letters are kept", n)
	}
	config := checker.Config{HoldDone: 10 * time.Second, HoldNext: 3 * time.Second}
	if s.calm {
		config.Slack = 4 * time.Second // a sync of the disk may take 3
	}
	c := checker.New(config)
	for _, sent := range s.sent {
		c.Sent(sent)
	}
	for _, p := range s.broker.topic {
		e := s.parse(p.event)
		if s.calm && p.event.Lane.Stream != calmRefused {
			e.Seen = p.at
		}
		if p.dead {
			c.DeadLetter(e)
		} else {
			c.Published(e)
		}
	}
	r := c.Report()
	if !r.OK() {
		s.t.Errorf("seed %d\n%s", s.seed, r)
	}
	s.t.Logf("seed %d: %d callbacks, %d events, %d published again, %d dead letters, marks %v", s.seed, r.Sent,
		r.Published, r.Repeats, r.DeadLetters, r.Marks)
}

func (s *simulation) parse(e *bridge.Event) checker.Event {
	out, err := checker.ParseEvent(e.AppendStructured(nil))
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

var errBrokerAway = errors.New("broker unavailable")
