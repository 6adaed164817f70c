package processor_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/processor/processortest"
	"livebridge/bridge/sequencer"
	"livebridge/bridge/sequencer/sequencertest"
)

// exploreEvery is how many courses of time TestExplore passes over to the next one it takes; 1 takes all of them, and a
// minute: go test ./bridge/processor -run Explore -explore.every 1
var exploreEvery = flag.Int("explore.every", 0, "take one course of time of so many; 0: of 13, or of 131 if short")

func everyCourse() int {
	switch {
	case *exploreEvery > 0:
		return *exploreEvery
	case testing.Short():
		return 131
	}
	return 13
}

// between is what happens between two arrivals. None of the times is one at which a hold could end.
type between struct {
	name    string
	passes  time.Duration
	restart bool
	down    time.Duration
}

func betweens() []between {
	return []between{
		{name: "soon", passes: time.Second},
		{name: "HOLD_NEXT ends", passes: 3*time.Second + 100*time.Millisecond},
		{name: "all holds end", passes: 12 * time.Second},
		{name: "restart", passes: 10 * time.Millisecond, restart: true},
		{name: "down", passes: 20 * time.Millisecond, restart: true, down: 2 * time.Second},
		{name: "down for long", passes: 30 * time.Millisecond, restart: true, down: 30 * time.Second},
	}
}

// history is one order in which events reach a lane of its own, and the table's opinion of it.
type history struct {
	keys  []sequencer.Key
	model sequencertest.Model
	want  []string
}

// TestExplore takes every order of up to five events of two and of three sessions through the processor, each in a lane
// of its own and all of them at once, with holds that end and restarts between any two of them, and compares what comes
// out with the table, event by event and mark by mark.
func TestExplore(t *testing.T) {
	t.Parallel()
	all := courses(4)
	for i, course := range all {
		if i%everyCourse() != 0 {
			continue
		}
		explore(t, course)
		if t.Failed() {
			return
		}
	}
	t.Logf("%d orders, %d courses of time", len(histories()), len(all))
}

// courses returns every row of n things that can happen between arrivals.
func courses(n int) [][]between {
	if n == 0 {
		return [][]between{nil}
	}
	var out [][]between
	for _, rest := range courses(n - 1) {
		for _, b := range betweens() {
			out = append(out, append(slices.Clip(rest), b))
		}
	}
	return out
}

// histories returns every order of five of the six events of three sessions, and of the four events of two sessions
// with another event that has the place of one of them. Shorter orders are what they begin with.
func histories() map[string]*history {
	a, b, c := bridge.Millis(1e11), bridge.Millis(1e11+1000), bridge.Millis(1e11+2000)
	p, d := bridge.PhasePublish, bridge.PhaseDone
	two := []sequencer.Key{{Session: a, Phase: p}, {Session: a, Phase: d}, {Session: b, Phase: p}, {Session: b, Phase: d}}
	three := append(slices.Clip(two), sequencer.Key{Session: c, Phase: p}, sequencer.Key{Session: c, Phase: d})
	out := make(map[string]*history)
	for name, events := range map[string][]sequencer.Key{
		"three": three, "start": append(slices.Clip(two), two[0]), "end": append(slices.Clip(two), two[1]),
	} {
		for i, order := range orders(events, 5) {
			h := &history{keys: order}
			h.model.Limits, h.model.Sequence = defaults().Limits, floor()
			out[fmt.Sprint(name, i)] = h
		}
	}
	return out
}

// orders returns every order of n of the events.
func orders(events []sequencer.Key, n int) [][]sequencer.Key {
	if n == 0 {
		return [][]sequencer.Key{nil}
	}
	var out [][]sequencer.Key
	for i, e := range events {
		for _, rest := range orders(slices.Delete(slices.Clone(events), i, i+1), n-1) {
			out = append(out, append([]sequencer.Key{e}, rest...))
		}
	}
	return out
}

// exploration is one course of time, with all histories side by side.
type exploration struct {
	t         *testing.T
	p         *processortest.Partition
	histories map[string]*history
}

// floor is what the lanes of a partition begin behind that began with all others.
func floor() uint64 { return processor.FirstFloor(bridge.MillisOf(begin)) }

func explore(t *testing.T, course []between) {
	o := following()
	o.SessionStaleAfter = 20 * time.Second // some are stale before their end comes
	x := &exploration{t: t, p: observe(t, o).Partition, histories: histories()}
	x.arrivals(0)
	for i, b := range course {
		x.pass(b)
		x.arrivals(i + 1)
	}
	x.pass(between{passes: time.Minute})
	x.compare(course)
}

func (x *exploration) must(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

// arrivals lets the n-th event of every history come, all at one instant.
func (x *exploration) arrivals(n int) {
	now := x.p.Now()
	var arriving []*bridge.Arrival
	for name, h := range x.histories {
		k, again := h.keys[n], slices.Contains(h.keys[:n], h.keys[n])
		a := push(name, k.Session, k.Phase)
		if again { // another event in the same place: it has another id and a signature of its own
			a.Event.ID[0]++
			a.Signature = bridge.Signature{}
		}
		arriving = append(arriving, a)
		h.step(sequencer.Input{At: now.At, Wall: now.Millis(), Kind: bridge.KindStream, Key: k, ID: a.Event.ID})
	}
	x.must(x.p.Arrive(arriving...))
}

// pass lets time go by, with a restart at its end if there is one.
func (x *exploration) pass(b between) {
	x.must(x.p.Pass(b.passes))
	x.expire()
	if !b.restart {
		return
	}
	x.must(x.p.Down(b.down))
	for _, h := range x.histories {
		h.model.Restart(x.p.Now().At)
	}
	x.expire()
}

func (x *exploration) expire() {
	for _, h := range x.histories {
		h.step(sequencer.Input{Action: sequencer.Expire, At: x.p.Now().At})
	}
}

// step has the model decide and notes what it wants to come out.
func (h *history) step(in sequencer.Input) {
	for _, e := range h.model.Step(in) {
		h.want = append(h.want, fmt.Sprintf("%s %d %s", e.ID, e.Sequence, e.Marks))
	}
}

// compare holds what was emitted against what the model has wanted.
func (x *exploration) compare(course []between) {
	if c := x.p.Processor.Counters(); c.Held != (processor.Usage{}) || x.p.Held() != 0 {
		x.t.Errorf("%d events are held, %+v counted", x.p.Held(), c.Held)
	}
	if wrong := checkSessions(x.p.Emitted, x.p.Options.SessionStaleAfter, x.p.Now().Millis()); wrong != "" {
		x.t.Errorf("between arrivals: %+v: %s", course, wrong)
	}
	got := marked(callbacks(x.p.Emitted))
	for name, h := range x.histories {
		if !slices.Equal(got[name], h.want) {
			x.t.Errorf(
				"%v arrive; between them: %+v\n got %s\nwant %s",
				h.keys,
				course,
				strings.Join(got[name], ", "),
				strings.Join(h.want, ", "),
			)
			return
		}
	}
}

// marked returns "id sequence marks" of each event, by stream.
func marked(events []*bridge.Event) map[string][]string {
	out := make(map[string][]string)
	for _, e := range events {
		out[e.Lane.Stream] = append(out[e.Lane.Stream], fmt.Sprintf("%s %d %s", e.ID, e.Sequence, e.Marks))
	}
	return out
}
