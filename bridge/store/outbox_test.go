package store

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"livebridge/bridge"
	"livebridge/bridge/outbox"
)

// queued is an outbox on a store, and the writer between them.
type queued struct {
	*disk
	o       *outbox.Outbox
	memory  int
	sent    map[string]uint64
	next    map[string]uint64 // acknowledged
	crashed bool              // what the broker has may come out again
	broken  string            // the first difference
}

func (q *queued) begin() {
	q.o = outbox.New(
		outbox.Options{Backlog: q.Store, Limit: q.memory, Depth: int(q.Rows().Entries), Committed: q.Committed(),
			WakeWriter: func() {}, Background: q.Go, Fail: q.Fail},
	)
}

// send commits one event of each of some lanes.
func (q *queued) send(streams ...string) {
	b := q.NewBatch(nil)
	for _, s := range streams {
		q.sent[s]++
		q.apply(b, inputs(recording(s, int(q.sent[s])))...)
	}
	q.write(b)
}

// write commits a batch with what the outbox wants written.
func (q *queued) write(b *Batch) {
	removals, _ := q.o.TakeWrites()
	q.must(b.Remove(removals))
	q.must(b.ExpandOld(q.now))
	q.seal(b, b.Emissions() > 0 && q.o.Reserve(b.Emissions()))
	q.o.Expanded(b.Expanded())
	q.o.Removed(removals)
	q.o.Enqueue(q.last, b.Number())
}

// take acknowledges what may go now, but for every fifth event, which is tried again later.
func (q *queued) take(all bool) {
	ctx, cancel := context.WithTimeout(q.t.Context(), time.Millisecond)
	defer cancel()
	events, _ := q.o.Next(ctx)
	for i, e := range events {
		if i%5 == 4 && !all {
			q.o.Settle(e, bridge.Settlement{Retry: time.Second})
			continue
		}
		s, n := e.Lane.Stream, e.Sequence-q.floor()
		if again := q.crashed && n <= q.next[s]; n != q.next[s]+1 && !again && q.broken == "" {
			q.broken = fmt.Sprintf("stream %s: sequence %d after %d", s, n, q.next[s])
		}
		q.next[s] = max(q.next[s], n)
		q.o.Settle(e, bridge.Settlement{})
	}
}

func (q *queued) trim() {
	q.must(q.o.Trim(q.t.Context(), func(context.Context) error { return nil }))
	q.write(q.NewBatch(nil))
}

func (q *queued) step(i, what int) {
	switch {
	case what < 8:
		var streams []string
		for k := range what {
			streams = append(streams, fmt.Sprint("s", (i+k)%9))
		}
		q.send(streams...)
	case what < 14:
		q.take(false)
	case what < 16:
		q.trim()
	case what < 18:
		q.pass(BatchAge)
		time.Sleep(time.Second)
	default:
		q.trim()
		synctest.Wait()
		q.crashed = q.crashed || what == 19
		q.restart(what == 19)
		q.begin()
	}
	synctest.Wait()
}

// finish takes everything that is left, and returns the first difference.
func (q *queued) finish() string {
	for n := 0; q.o.Pending() > 0 && n < 10_000 && q.broken == ""; n++ {
		q.take(true)
		time.Sleep(time.Second)
		synctest.Wait()
	}
	q.trim()
	for s, n := range q.sent {
		if q.next[s] != n && q.broken == "" {
			q.broken = fmt.Sprintf("stream %s: %d of %d came out", s, q.next[s], n)
		}
	}
	if found := q.tables(); (found.Rows.Entries > 0 || found.EventBatches.Entries > 0) && q.broken == "" {
		q.broken = fmt.Sprintf("left are %+v", found)
	}
	q.close()
	return q.broken
}

// TestOutboxOnAStore draws commits, acknowledgements, trims, restarts and losses of power for an outbox of any size
// that reads the store: every lane comes out in its order, whole, and leaves nothing.
func TestOutboxOnAStore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		memory := rapid.IntRange(1, 30).Draw(rt, "memory")
		steps := rapid.SliceOfN(rapid.IntRange(0, 19), 1, 40).Draw(rt, "steps")
		var broken string // t fails once and for all, which would hide from rapid whether fewer steps suffice
		synctest.Test(t, func(t *testing.T) {
			q := &queued{disk: create(t), memory: memory, sent: make(map[string]uint64), next: make(map[string]uint64)}
			q.begin()
			for i, what := range steps {
				if q.broken == "" {
					q.step(i, what)
				}
			}
			broken = q.finish()
		})
		if broken != "" {
			rt.Fatal(broken)
		}
	})
}
