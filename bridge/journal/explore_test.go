package journal

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"livebridge/bridge"
	"livebridge/bridge/sequencer"
	"livebridge/bridge/sequencer/sequencertest"
)

// exploreEvery is how many courses of time TestExploreJournal passes over to the next one it takes; 1 takes all of
// them, and a few minutes: go test ./bridge/journal -run ExploreJournal -explore.every 1
var exploreEvery = flag.Int("explore.every", 37*shareOf, "take one course of time of so many")

// between is what happens between two arrivals. None of the times is one at which a hold could end.
type between struct {
	name    string
	passes  time.Duration
	restart bool
	power   bool // the restart is after a loss of power, not after SIGTERM
	down    time.Duration
}

func betweens() []between {
	return []between{
		{name: "soon", passes: time.Second},
		{name: "HOLD_NEXT ends", passes: 3*time.Second + 100*time.Millisecond},
		{name: "all holds end", passes: 12 * time.Second},
		{name: "restart", passes: 10 * time.Millisecond, restart: true},
		{name: "power lost", passes: 20 * time.Millisecond, restart: true, power: true, down: 2 * time.Second},
		{name: "down for long", passes: 30 * time.Millisecond, restart: true, power: true, down: 30 * time.Second},
	}
}

// history is one order in which events reach a lane of its own, and the table's opinion of it.
type history struct {
	keys  []sequencer.Key
	model sequencertest.Model
	want  []string
}

// TestExploreJournal takes every order of up to five events of two and of three sessions through the journal itself,
// each in a lane of its own and all of them at once, with holds that end and restarts between any two of them, and
// compares what comes out with the table, event by event and mark by mark.
func TestExploreJournal(t *testing.T) {
	t.Parallel()
	all := courses(4)
	for i, course := range all {
		if i%*exploreEvery != 0 {
			continue
		}
		synctest.Test(t, func(t *testing.T) { explore(t, course) })
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
			h.model.Limits = memory().Limits
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
	o         Options
	disk      *vfs.MemFS
	j         *Journal
	begun     time.Time
	histories map[string]*history
}

func explore(t *testing.T, course []between) {
	o, disk := memory(), vfs.NewCrashableMem()
	o.FS = disk
	x := &exploration{t: t, o: o, disk: disk, j: open(t, o), begun: time.Now(), histories: histories()}
	x.arrivals(0)
	for i, b := range course {
		x.pass(b)
		x.arrivals(i + 1)
	}
	x.pass(between{passes: time.Minute})
	x.compare(course)
	closeJournal(t, x.j)
}

func (x *exploration) now() sequencer.Instant { return sequencer.Instant(time.Since(x.begun)) }

// arrivals lets the n-th event of every history come, all at one instant.
func (x *exploration) arrivals(n int) {
	var arriving sync.WaitGroup
	for name, h := range x.histories {
		k, again := h.keys[n], slices.Contains(h.keys[:n], h.keys[n])
		a := push(name, k.Session, k.Phase)
		if again { // another event in the same place: it has another id and a signature of its own
			a.Event.ID[0]++
			a.Signature = bridge.Signature{}
		}
		arriving.Go(func() { add(x.t, x.j, a) })
		h.step(sequencer.Input{At: x.now(), Wall: bridge.MillisOf(time.Now()), Kind: bridge.KindStream, Key: k, ID: a.Event.ID})
	}
	arriving.Wait()
}

// pass lets time go by, with a restart at its end if there is one.
func (x *exploration) pass(b between) {
	time.Sleep(b.passes)
	synctest.Wait()
	x.expire()
	if !b.restart {
		return
	}
	if b.power {
		x.disk = x.disk.CrashClone(vfs.CrashCloneCfg{})
		x.o.FS = x.disk
	}
	closeJournal(x.t, x.j)
	time.Sleep(b.down)
	x.j = open(x.t, x.o)
	for _, h := range x.histories {
		h.model.Restart(x.now())
	}
	synctest.Wait()
	x.expire()
}

func (x *exploration) expire() {
	for _, h := range x.histories {
		h.step(sequencer.Input{Action: sequencer.Expire, At: x.now()})
	}
}

// step has the model decide and notes what it wants to come out.
func (h *history) step(in sequencer.Input) {
	for _, e := range h.model.Step(in) {
		h.want = append(h.want, fmt.Sprintf("%s %d %s", e.ID, e.Sequence, e.Marks))
	}
}

// compare drains the outbox and holds it against what the model has wanted.
func (x *exploration) compare(course []between) {
	if broken := audit(x.j); broken != nil {
		x.t.Errorf("%q", broken)
	}
	got := drainMarked(x.t, x.j)
	for name, h := range x.histories {
		if !slices.Equal(got[name], h.want) {
			x.t.Errorf("%v arrive; between them: %+v\n got %s\nwant %s", h.keys, course, strings.Join(got[name], ", "), strings.Join(h.want, ", "))
			return
		}
	}
}

// drainMarked acknowledges everything and returns "id sequence marks" of each event, by stream.
func drainMarked(t *testing.T, j *Journal) map[string][]string {
	t.Helper()
	ctx, cancel := untilFailed(t, j)
	defer cancel()
	out := make(map[string][]string)
	for n := j.outbox.Pending(); n > 0; {
		events, err := j.outbox.Next(ctx)
		if err != nil {
			t.Fatal(err, j.Err())
		}
		for _, e := range events {
			out[e.Lane.Stream] = append(out[e.Lane.Stream], fmt.Sprintf("%s %d %s", e.ID, ordinal(e.Sequence), e.Marks))
			j.outbox.Settle(e, bridge.Settlement{})
			n--
		}
	}
	return out
}
