package store

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/outbox"
	"livebridge/bridge/processor"
)

// begin is the instant at which every store of a test is created.
var begin = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// disk is a store on a disk in memory, with a processor on it and the effects of the commit in the making.
type disk struct {
	*Store
	t       testing.TB
	fs      *vfs.MemFS
	opts    Options
	limits  processor.Options
	p       *processor.Processor
	now     processor.Moment
	effects processor.Effects
	last    []outbox.Pending            // what the last commit has emitted
	waiting map[eventRef]outbox.Pending // what is in the outbox
}

// eventRef names an event of the outbox.
type eventRef struct {
	lane     bridge.Lane
	sequence uint64
}

func memory() Options {
	return Options{
		Dir:       "journal",
		FS:        vfs.NewCrashableMem(),
		OpenFiles: 64,
		Created:   bridge.MillisOf(begin),
		Log:       zap.NewNop(),
	}
}

// defaults are options as a service has them.
func defaults() processor.Options {
	return processor.Options{
		Limits:  processor.Limits{HoldDone: 10 * time.Second, HoldNext: 3 * time.Second, PerLane: 16},
		HeldMax: 10_000, DedupeWindow: 24 * time.Hour, DedupeMax: 20_000_000, LanesCached: 1000,
		QuarantineMax: 10_000, DeadLettersMax: 10_000,
	}
}

func create(t testing.TB) *disk {
	t.Helper()
	o := memory()
	d := &disk{t: t, opts: o, fs: o.FS.(*vfs.MemFS), limits: defaults(), now: processor.Moment{Wall: begin},
		waiting: make(map[eventRef]outbox.Pending)}
	d.open()
	return d
}

func (d *disk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// open opens the store and begins to process with what it has.
func (d *disk) open() {
	d.t.Helper()
	d.opts.FS = d.fs
	s, err := open(d.opts)
	d.must(err)
	d.Store = s
	d.effects = processor.Effects{}
	kept, err := s.Kept()
	d.must(err)
	d.p, err = processor.New(d.limits, s, s.Counters(), kept, d.now)
	d.must(err)
	s.LoadFilters()
}

// open locks a directory and opens what is in there.
func open(o Options) (*Store, error) {
	s, err := Lock(o)
	if err != nil {
		return nil, err
	}
	if err := s.Open(0); err != nil {
		_ = s.Discard()
		return nil, err
	}
	return s, nil
}

func (d *disk) close() {
	d.t.Helper()
	d.Interrupt()
	d.must(d.Close())
}

// restart closes the store and opens it again, or has the power go first; everything is under its lanes then.
func (d *disk) restart(power bool) {
	d.t.Helper()
	left := d.fs
	if power {
		left = d.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(1, 2))})
	}
	d.close()
	d.fs = left
	d.open()
	d.waiting = d.found() // what is left of an event batch is whole again after a loss of power
}

// found returns what lies under the lanes.
func (d *disk) found() map[eventRef]outbox.Pending {
	d.t.Helper()
	p := &outbox.Page{Committed: d.Committed(), All: true}
	d.must(d.Scan(p, bridge.Lane{}, func(bridge.Lane) (uint64, int) { return 0, 1 << 30 }))
	all := make(map[eventRef]outbox.Pending)
	for _, l := range p.Lanes {
		for _, e := range l.Events {
			all[eventRef{l.Lane, e.Event.Sequence}] = e
		}
	}
	return all
}

// apply has the processor decide inputs and writes what changes.
func (d *disk) apply(b *Batch, inputs ...processor.Input) {
	d.t.Helper()
	for _, in := range inputs {
		in.Now = d.now
		d.must(d.p.Apply(in, &d.effects))
		d.must(b.Add(&d.effects))
	}
}

// commit writes inputs and removals in one synced commit.
func (d *disk) commit(together bool, removals []outbox.Removal, inputs ...processor.Input) {
	d.t.Helper()
	b := d.NewBatch(nil)
	d.apply(b, inputs...)
	d.must(b.Remove(removals))
	d.seal(b, together)
}

// seal ends a commit and waits for its sync.
func (d *disk) seal(b *Batch, together bool) {
	d.t.Helper()
	if len(d.effects.Counters.Buckets) == 0 && d.effects.Counters.Floor == 0 { // nothing was decided
		d.apply(b, processor.Input{Action: processor.Expire})
	}
	d.must(b.Seal(&d.effects, together))
	d.must(b.Begin())
	d.must(b.Wait())
	d.p.Committed()
	d.effects.Reset()
	d.last = slices.Clone(b.Emitted())
	for _, p := range d.last {
		d.waiting[eventRef{p.Event.Lane, p.Event.Sequence}] = p
	}
	for _, e := range b.Removed() {
		delete(d.waiting, eventRef{e.Lane, e.Sequence})
	}
	for of, p := range d.waiting {
		if slices.Contains(b.Expanded(), p.Batch) {
			p.Batch = 0
			d.waiting[of] = p
		}
	}
	d.must(b.Close())
}

// arrive commits callbacks together.
func (d *disk) arrive(together bool, arrivals ...*bridge.Arrival) {
	d.t.Helper()
	d.commit(together, nil, inputs(arrivals...)...)
}

func inputs(arrivals ...*bridge.Arrival) (all []processor.Input) {
	for _, a := range arrivals {
		all = append(all, processor.Input{Action: processor.Arrive, Arrival: a})
	}
	return append(all, processor.Input{Action: processor.Expire})
}

// pass lets time pass.
func (d *disk) pass(by time.Duration) {
	d.now = processor.MomentOf(time.Duration(d.now.At)+by, d.now.Wall.Add(by))
}

// removal names an event that waits.
func removal(p outbox.Pending) outbox.Removal {
	return outbox.Removal{
		Lane:     p.Event.Lane,
		Sequence: p.Event.Sequence,
		Bytes:    p.Bytes,
		Batch:    p.Batch,
		Position: p.Position,
	}
}

// tables counts what lies on disk.
func (d *disk) tables() Tables {
	d.t.Helper()
	t, err := d.Tables()
	d.must(err)
	return t
}

// rows fails unless so many event batches and so many events under their lanes are on disk, as is counted.
func (d *disk) rows(when string, batches, rows int) {
	d.t.Helper()
	found := d.tables()
	if found.EventBatches.Entries != uint64(batches) || found.Rows.Entries != uint64(rows) {
		d.t.Errorf(
			"%s: %d event batches and %d rows, want %d and %d",
			when,
			found.EventBatches.Entries,
			found.Rows.Entries,
			batches,
			rows,
		)
	}
	if found.Rows != d.Rows() || d.Outbox().Entries != uint64(len(d.waiting)) {
		d.t.Errorf(
			"%s: %+v lie there and %+v are counted, %d of %d in all",
			when,
			found.Rows,
			d.Rows(),
			d.Outbox().Entries,
			len(d.waiting),
		)
	}
}

// backlog reads everything that lies under the lanes, by stream.
func (d *disk) backlog() map[string][]uint64 {
	d.t.Helper()
	all := d.found()
	out := make(map[string][]uint64)
	for _, of := range slices.SortedFunc(keysOf(all), compareRefs) {
		out[of.lane.Stream] = append(out[of.lane.Stream], of.sequence-d.floor())
	}
	return out
}

func (d *disk) floor() uint64 { return processor.FirstFloor(bridge.MillisOf(begin)) }

// streams returns the names of a map, sorted.
func streams[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// keysOf returns the keys of a map.
func keysOf[K comparable, V any](m map[K]V) func(yield func(K) bool) { return maps.Keys(m) }

// compareRefs orders events by lane and sequence.
func compareRefs(a, b eventRef) int {
	return cmp.Or(
		cmp.Compare(a.lane.Stream, b.lane.Stream),
		cmp.Compare(a.lane.Kind, b.lane.Kind),
		cmp.Compare(a.sequence, b.sequence),
	)
}

// cloneAll keeps everything that was written.
func cloneAll() vfs.CrashCloneCfg {
	return vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 2))}
}
