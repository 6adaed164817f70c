package outbox

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"livebridge/bridge"
)

// TestAnyOrder draws commits, outcomes, trims, event batches that grow old, restarts and a memory of any size: every
// lane comes out in its sequence, nothing is missing, and nothing acknowledged and trimmed comes again.
func TestAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.IntRange(1, 40).Draw(rt, "limit")
		steps := rapid.SliceOfN(rapid.IntRange(0, 22), 1, 60).Draw(rt, "steps")
		var broken string // t fails once and for all, which would hide from rapid whether fewer steps suffice
		synctest.Test(t, func(t *testing.T) {
			r := &run{partition: open(t, limit), next: map[string]uint64{}, sent: map[string]uint64{}}
			for i, step := range steps {
				if r.broken == "" {
					r.step(step, i)
				}
			}
			broken = r.finish()
		})
		if broken != "" {
			rt.Fatal(broken)
		}
	})
}

type run struct {
	*partition
	sent   map[string]uint64 // events by stream
	next   map[string]uint64 // the last sequence acknowledged, or rejected, by stream
	dead   uint64
	broken string // the first difference
}

func (r *run) step(step, i int) {
	switch {
	case step < 8:
		r.send(step, i)
	case step < 17:
		r.settle(step, i)
	case step < 19:
		r.trim()
	case step < 21:
		r.expandAll()
	default: // what was acknowledged must not come again
		r.trim()
		synctest.Wait()
		r.restart()
	}
}

// send emits some events, together or one by one.
func (r *run) send(step, i int) {
	var streams []string
	for k := range step * 3 {
		stream := fmt.Sprint("s", (i+k*step)%7)
		r.sent[stream]++
		streams = append(streams, stream)
	}
	if i%2 == 0 {
		r.commit(streams...)
	} else {
		r.add(streams...)
	}
}

// settle takes what is there and acknowledges most of it.
func (r *run) settle(step, i int) {
	synctest.Wait()
	for k, e := range r.now() {
		switch (k + i) % 7 {
		case 5:
			r.Settle(e, bridge.Settlement{Retry: time.Duration(step) * 10 * time.Millisecond})
		case 6:
			r.follows(e)
			r.Settle(e, bridge.Settlement{DeadLetter: "too large"})
			r.dead++
			r.write()
		default:
			r.follows(e)
			r.Settle(e, bridge.Settlement{})
		}
	}
}

func (r *run) follows(e *bridge.Event) {
	stream := e.Lane.Stream
	if last := r.next[stream]; e.Sequence != last+1 && r.broken == "" {
		r.broken = fmt.Sprintf("stream %s: sequence %d after %d", stream, e.Sequence, last)
	}
	r.next[stream] = e.Sequence
}

// finish takes all that is left, and returns the first difference.
func (r *run) finish() string {
	for r.Pending() > 0 && r.broken == "" {
		for _, e := range r.take() {
			r.follows(e)
			r.Settle(e, bridge.Settlement{})
		}
	}
	for stream, n := range r.sent {
		if r.next[stream] != n && r.broken == "" {
			r.broken = fmt.Sprintf("stream %s: %d of %d came out", stream, r.next[stream], n)
		}
	}
	if n := uint64(len(r.disk.dead)); n != r.dead && r.broken == "" {
		r.broken = fmt.Sprintf("%d dead letters, want %d", n, r.dead)
	}
	r.trim()
	for l, rows := range r.disk.rows {
		if len(rows) != 0 && r.broken == "" {
			r.broken = fmt.Sprintf("%d events of %v are left on disk", len(rows), l)
		}
	}
	if (len(r.lanes) != 0 || len(r.intact) != 0) && r.broken == "" && !r.state.spilled() {
		r.broken = fmt.Sprintf("%d lanes and %d event batches are known", len(r.lanes), len(r.intact))
	}
	return r.broken
}
