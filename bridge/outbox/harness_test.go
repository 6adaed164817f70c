package outbox

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge"
)

// row is an event as the disk has it.
type row struct {
	event  *bridge.Event
	commit uint64
}

// disk is a Backlog in memory: events under their lanes, and event batches, which it does not show.
type disk struct {
	mu      sync.Mutex
	rows    map[bridge.Lane][]row  // in the order of their sequences
	batches map[uint64][]row       // by commit; a removed event leaves an empty row
	last    map[bridge.Lane]uint64 // sequence of the lane's last event
	commit  uint64                 // number of the last one
	dead    []Rejection            // dead letters
	during  func(stream string)    // called once, before a scan reads a lane
}

const rowBytes = 300

// happen does, before a lane is read, what was asked to happen meanwhile.
func (d *disk) happen(l bridge.Lane) {
	if during := d.during; during != nil {
		d.during = nil
		during(l.Stream)
	}
}

// ReadLanes implements Backlog.
func (d *disk) ReadLanes(p *Page, requests []Request) error {
	for _, r := range requests {
		if p.Full() {
			return nil
		}
		if n, err := d.readLane(p, r); n == 0 || err != nil {
			return fmt.Errorf("event %d of %v is not there: %w", r.From, r.Lane, err)
		}
	}
	return nil
}

// Scan implements Backlog.
func (d *disk) Scan(p *Page, from bridge.Lane, wants func(bridge.Lane) (uint64, int)) error {
	d.mu.Lock()
	lanes := slices.SortedFunc(maps.Keys(d.rows), func(a, b bridge.Lane) int { return cmp.Compare(a.Stream, b.Stream) })
	rows := maps.Clone(d.rows) // what a reader sees does not change while it reads
	d.mu.Unlock()
	seen := &disk{rows: rows}
	for _, l := range lanes {
		if l.Stream < from.Stream {
			continue
		}
		if p.Full() {
			p.Next = l
			return nil
		}
		d.happen(l)
		known, places := wants(l)
		if _, err := seen.readLane(p, Request{l, max(rows[l][0].event.Sequence, known+1), places}); err != nil {
			return err
		}
	}
	return nil
}

func (d *disk) readLane(p *Page, r Request) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := p.Begin(r.Lane, r.From, r.Places)
	for _, row := range d.rows[r.Lane] {
		if row.event.Sequence < r.From {
			continue
		}
		if row.commit > p.Committed {
			break
		}
		if more, err := p.Add(&l, row.event, rowBytes+len(row.event.Data), r.Places); !more || err != nil {
			p.End(l)
			return len(l.Events), err
		}
	}
	p.End(l)
	return len(l.Events), nil
}

// Has implements Backlog.
func (d *disk) Has(lane bridge.Lane, sequence uint64) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.ContainsFunc(d.rows[lane], func(r row) bool { return r.event.Sequence == sequence }), nil
}

// partition is an outbox with a disk behind it, and plays the writer between them.
type partition struct {
	*Outbox
	t     testing.TB
	disk  *disk
	limit int
	work  sync.WaitGroup // in the background
}

func open(t testing.TB, limit int) *partition {
	p := &partition{t: t, limit: limit, disk: &disk{
		rows: make(map[bridge.Lane][]row), batches: make(map[uint64][]row), last: make(map[bridge.Lane]uint64)}}
	p.start()
	t.Cleanup(p.work.Wait)
	return p
}

func (p *partition) start() {
	depth := 0
	for _, rows := range p.disk.rows {
		depth += len(rows)
	}
	p.Outbox = New(Options{Backlog: p.disk, Limit: p.limit, Depth: depth, Committed: p.disk.commit, WakeWriter: func() {},
		Background: p.work.Go, Fail: func(err error) { p.t.Error(err) }})
}

// restart begins anew with what the disk has, all of it under its lanes.
func (p *partition) restart() {
	p.work.Wait()
	for number := range p.disk.batches {
		p.disk.expand(number)
	}
	p.start()
}

// expand moves what is left of an event batch under its lanes.
func (d *disk) expand(number uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.batches[number] {
		if r.event != nil {
			d.rows[r.event.Lane] = append(slices.Clone(d.rows[r.event.Lane]), r)
			slices.SortFunc(d.rows[r.event.Lane], func(a, b row) int { return int(a.event.Sequence) - int(b.event.Sequence) })
		}
	}
	delete(d.batches, number)
}

// expandAll does what the writer does with event batches that grow old.
func (p *partition) expandAll() {
	for number := range p.disk.batches {
		p.disk.expand(number)
		p.Expanded([]uint64{number})
	}
}

func lane(stream string) bridge.Lane {
	return bridge.Lane{Kind: bridge.KindRecord, Domain: "push.example.com", App: "live", Stream: stream}
}

// commit emits one event on each lane that is named, in one commit.
func (p *partition) commit(streams ...string) {
	events := make([]*bridge.Event, 0, len(streams))
	for _, s := range streams {
		events = append(events, &bridge.Event{Lane: lane(s), Recorded: bridge.MillisOf(time.Now())})
	}
	p.emit(events...)
}

// add is commit with a commit for each.
func (p *partition) add(streams ...string) {
	for _, s := range streams {
		p.commit(s)
	}
}

func (p *partition) emit(events ...*bridge.Event) {
	p.Enqueue(p.disk.write(events, p.Reserve(len(events))), p.disk.commit)
}

// write writes a commit, as one event batch or under the lanes.
func (d *disk) write(events []*bridge.Event, together bool) (emitted []Pending) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.commit++
	for i, e := range events {
		d.last[e.Lane]++
		e.Sequence = d.last[e.Lane]
		w := Pending{Event: e, Bytes: rowBytes}
		if together {
			w.Batch, w.Position = d.commit, i
			d.batches[d.commit] = append(d.batches[d.commit], row{e, d.commit})
		} else {
			d.rows[e.Lane] = append(d.rows[e.Lane], row{e, d.commit})
		}
		emitted = append(emitted, w)
	}
	return emitted
}

// write does what the writer does for the outbox. An event batch with a dead letter is expanded.
func (p *partition) write() {
	removals, rejections := p.TakeWrites()
	p.disk.remove(removals)
	p.Removed(removals)
	for _, r := range rejections {
		p.disk.expand(r.Batch)
		p.Expanded([]uint64{r.Batch})
		r.Number = uint64(len(p.disk.dead) + 1)
		p.disk.dead = append(p.disk.dead, r)
		p.DeadLettered(r)
	}
}

func (d *disk) remove(events []Removal) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range events {
		if rows := d.batches[e.Batch]; rows != nil {
			rows[e.Position] = row{}
			continue
		}
		rows := d.rows[e.Lane]
		i := slices.IndexFunc(rows, func(r row) bool { return r.event.Sequence == e.Sequence })
		if d.rows[e.Lane] = slices.Concat(rows[:i], rows[i+1:]); len(d.rows[e.Lane]) == 0 {
			delete(d.rows, e.Lane)
		}
	}
}

// trim removes what is acknowledged.
func (p *partition) trim() {
	p.t.Helper()
	if err := p.Trim(p.t.Context(), func(context.Context) error { return nil }); err != nil {
		p.t.Fatal(err)
	}
	p.write()
}

// soon returns a context that ends after every wait of a test, so that one fails which waits for what does not come. It
// takes no time in a bubble.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
	t.Cleanup(cancel)
	return ctx
}

// take returns what Next returns.
func (p *partition) take() []*bridge.Event {
	p.t.Helper()
	events, err := p.Next(soon(p.t))
	if err != nil {
		p.t.Fatalf("%d are pending: %v", p.Pending(), err)
	}
	return events
}

// now returns what may go at this moment, in a bubble.
func (p *partition) now() []*bridge.Event {
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Millisecond)
	defer cancel()
	events, _ := p.Next(ctx)
	synctest.Wait()
	return events
}

// drain acknowledges n events and fails unless every lane's sequences rise by one from first.
func (p *partition) drain(n, first int) {
	p.t.Helper()
	next := make(map[string]int)
	for n > 0 {
		for _, e := range p.take() {
			s := e.Lane.Stream
			if int(e.Sequence) != next[s]+first {
				p.t.Fatalf("stream %s: sequence %d after %d events", s, e.Sequence, next[s])
			}
			next[s]++
			n--
			p.Settle(e, bridge.Settlement{})
		}
	}
}

// many names each of several streams n times, the streams taking turns.
func many(streams, n int) (out []string) {
	for range n {
		for s := range streams {
			out = append(out, fmt.Sprintf("s%03d", s))
		}
	}
	return out
}
