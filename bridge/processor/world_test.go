package processor_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/processor/processortest"
	"livebridge/bridge/sequencer"
	"livebridge/bridge/sequencer/sequencertest"
)

// world is what the rules of package sequencer say of all lanes together: rule 1, and rule 7 for what all of them hold.
type world struct {
	lanes   map[string]*sequencertest.Model
	limits  sequencer.Limits
	heldMax int
	filter  bridge.TypeSet
	types   map[bridge.ID]string // of what has arrived
	left    map[string]uint64    // events that were filtered, by stream
	seen    map[bridge.ID]bool
	uses    map[[16]byte]bridge.ID          // by signature, what it was first seen over
	caught  map[[16]byte]map[bridge.ID]bool // in quarantine, by signature
	out     map[string][]string
	total   int
}

func (w *world) lane(name string) *sequencertest.Model {
	if w.lanes[name] == nil {
		w.lanes[name] = &sequencertest.Model{Limits: w.limits, Sequence: floor()}
	}
	return w.lanes[name]
}

func (w *world) step(name string, in sequencer.Input) {
	for _, e := range w.lane(name).Step(in) {
		if !w.filter.Has(w.types[e.ID]) {
			w.left[name]++
			continue
		}
		w.out[name] = append(w.out[name], fmt.Sprintf("%s %d %s", e.ID, e.Sequence-w.left[name], e.Marks))
		w.total++
	}
}

func (w *world) arrive(a *bridge.Arrival, at sequencer.Instant, wall bridge.Millis) {
	e := &a.Event
	if w.seen[e.ID] { // rule 1
		return
	}
	first, known := w.uses[a.Signature.Sum]
	if known && first != e.ID { // its signature was seen with other content
		if w.caught[a.Signature.Sum] == nil {
			w.caught[a.Signature.Sum] = make(map[bridge.ID]bool)
		}
		if len(w.caught[a.Signature.Sum]) < 4 {
			w.caught[a.Signature.Sum][e.ID] = true
		}
		return
	}
	w.seen[e.ID], w.types[e.ID] = true, e.Type
	w.uses[a.Signature.Sum] = cmp.Or(first, e.ID)
	w.step(e.Lane.Stream, sequencer.Input{At: at, Wall: wall, ID: e.ID, Kind: e.Lane.Kind, Unknown: e.Unknown(),
		Key: sequencer.Key{Session: e.Session, Phase: e.Phase}})
	for w.held() > w.heldMax { // rule 7
		w.step(w.nearest(), sequencer.Input{Action: sequencer.Overflow, At: at})
	}
}

func (w *world) held() (n int) {
	for _, l := range w.lanes {
		n += len(l.Held)
	}
	return n
}

// nearest returns the lane whose deadline comes first, of several the one with the smallest key.
func (w *world) nearest() string {
	var name string
	var first sequencer.Held
	for n, l := range w.lanes {
		for _, h := range l.Held {
			if name == "" || cmp.Or(cmp.Compare(h.Deadline, first.Deadline), h.Key.Compare(first.Key)) < 0 {
				name, first = n, h
			}
		}
	}
	return name
}

func (w *world) each(f func(name string, l *sequencertest.Model)) {
	for name, l := range w.lanes {
		f(name, l)
	}
}

// drawn is one thing that happens in TestProcessorIsTheTable.
type drawn struct {
	what    int
	stream  int
	session int
	phase   int
	passes  int // in units of 10 ms
}

func drawSteps(t *rapid.T) []drawn {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) drawn {
		return drawn{
			what: rapid.IntRange(0, 19).
				Draw(t, "what"),
			stream: rapid.IntRange(0, 3).Draw(t, "stream"), session: rapid.IntRange(0, 4).Draw(t, "session"),
			phase: rapid.IntRange(1, 2).Draw(t, "phase"), passes: rapid.SampledFrom([]int{0, 1, 1, 3, 7, 40}).Draw(t, "passes"),
		}
	}), 20, 100).Draw(t, "steps")
}

// TestProcessorIsTheTable draws long histories of several lanes, with repeats, captured signatures, odd events, limits
// of any size, filters, events of sessions, holds that end and restarts, and compares the processor with the table
// after each step.
func TestProcessorIsTheTable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		o := defaults()
		o.Limits = sequencer.Limits{
			HoldDone: time.Duration(rapid.SampledFrom([]int{0, 1, 2, 10}).Draw(rt, "HoldDone")) * 100 * time.Millisecond,
			HoldNext: time.Duration(rapid.SampledFrom([]int{0, 1, 2, 10}).Draw(rt, "HoldNext")) * 100 * time.Millisecond,
			PerLane:  rapid.SampledFrom([]int{16, 2, 1, 0}).Draw(rt, "PerLane"),
		}
		o.HeldMax = rapid.SampledFrom([]int{100, 3, 1, 0}).Draw(rt, "HeldMax")
		o.LanesCached = rapid.IntRange(1, 3).Draw(rt, "LanesCached")
		o.Types = rapid.SampledFrom([]bridge.TypeSet{nil, only("publish"), only("publish_done", "unknown")}).Draw(rt, "Types")
		if o.SessionEvents = o.Types == nil && rapid.Bool().Draw(rt, "SessionEvents"); o.SessionEvents {
			o.SessionStaleAfter = rapid.SampledFrom([]time.Duration{0, 300 * time.Millisecond, time.Hour}).Draw(rt, "StaleAfter")
		}
		steps := drawSteps(rt)
		r := newWorldRun(t, o)
		for i, s := range steps {
			if r.broken == "" {
				r.step(i, s)
			}
		}
		if broken := r.finish(); broken != "" {
			rt.Fatal(broken)
		}
	})
}

type worldRun struct {
	*processortest.Partition
	broken string // the first difference
	w      *world
}

func newWorldRun(t *testing.T, o processor.Options) *worldRun {
	r := &worldRun{Partition: observe(t, o).Partition}
	r.w = &world{
		lanes:   make(map[string]*sequencertest.Model),
		limits:  o.Limits,
		heldMax: o.HeldMax,
		filter:  o.Types,
		types:   make(map[bridge.ID]string),
		left:    make(map[string]uint64),
		seen:    make(map[bridge.ID]bool),
		uses:    make(map[[16]byte]bridge.ID),
		caught:  make(map[[16]byte]map[bridge.ID]bool),
		out:     make(map[string][]string),
	}
	return r
}

func (r *worldRun) step(i int, s drawn) {
	switch s.what {
	case 0:
		r.restart(0)
	case 1:
		r.restart(s.passes)
	default:
		r.arrive(s)
	}
	// No hold ends at the instant of an arrival: each passes at a fraction of a millisecond of its own.
	r.pass(time.Duration(s.passes)*10*time.Millisecond + time.Duration(1+i)*time.Microsecond)
	if got := len(callbacks(r.Emitted)); got != r.w.total {
		r.differs("step %d: %d events have come out, the table wants %d", i, got, r.w.total)
	}
	if got, want := r.Holding(), r.w.held(); got != want || r.Held() != want {
		r.differs("step %d: %d events are held, %d of them kept, the table wants %d", i, got, r.Held(), want)
	}
}

func (r *worldRun) arrive(s drawn) {
	now := bridge.MillisOf(begin)
	a := push(fmt.Sprint("s", s.stream), now+bridge.Millis(s.session), bridge.Phase(s.phase))
	switch s.what {
	case 2: // another event in the same place
		a.Event.ID[0]++
		a.Signature = signed(
			push("x", now+bridge.Millis(s.session*10+s.stream), bridge.Phase(s.phase)),
			byte(1+s.session*8+s.stream*2+s.phase),
			1,
		).Signature
	case 3: // another event under a signature that may have been seen
		a.Event.ID[1]++
	case 4:
		a.Event.Session = 0
	case 5:
		a.Event.Type = "com.huaweicloud.live.stream.unknown"
		a.Event.ID[2]++
		a.Signature.Sum[0]++
	case 6:
		a.Event.Session = r.Now().Millis() + bridge.MaxSessionAhead + 1
		a.Event.ID[3]++
		a.Signature.Sum[1]++
	}
	r.must(r.Arrive(a))
	r.w.arrive(a, r.Now().At, r.Now().Millis())
	r.expire() // a hold of 0
}

func (r *worldRun) pass(d time.Duration) {
	r.must(r.Pass(d))
	r.expire()
}

func (r *worldRun) expire() {
	r.w.each(func(name string, _ *sequencertest.Model) {
		r.w.step(name, sequencer.Input{Action: sequencer.Expire, At: r.Now().At})
	})
}

func (r *worldRun) restart(down int) {
	r.must(r.Down(time.Duration(down) * 10 * time.Millisecond))
	r.w.each(func(_ string, l *sequencertest.Model) { l.Restart(r.Now().At) })
	r.expire()
}

func (r *worldRun) must(err error) {
	if err != nil {
		r.differs("%v", err)
	}
}

func (r *worldRun) differs(format string, args ...any) {
	if r.broken == "" {
		r.broken = fmt.Sprintf(format, args...)
	}
}

// finish lets all holds end, compares everything that has come out, and returns the first difference.
func (r *worldRun) finish() string {
	if r.broken != "" {
		return r.broken
	}
	r.pass(time.Minute)
	if wrong := checkSessions(r.Emitted, r.Options.SessionStaleAfter, r.Now().Millis()); r.Options.SessionEvents &&
		wrong != "" {
		r.differs("%s", wrong)
	}
	got := marked(callbacks(r.Emitted))
	for name := range r.w.lanes {
		if !slices.Equal(got[name], r.w.out[name]) {
			r.differs("lane %s:\n got %q\nwant %q", name, got[name], r.w.out[name])
		}
	}
	want := 0
	for _, ids := range r.w.caught {
		want += len(ids)
	}
	if n := int(r.Processor.Counters().Quarantine.Entries); n != want || len(r.Entries(bridge.QuarantineQueue)) != want {
		r.differs("%d callbacks are in quarantine, the table wants %d", n, want)
	}
	return r.broken
}
