package outbox

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"livebridge/bridge"
)

// keepPublished has an outbox keep published events at a moment.
func keepPublished(p *partition, at bridge.Millis) {
	p.opts.Published, p.stored = func() bridge.Millis { return at }, make(map[bridge.Lane]bridge.Position)
}

// TestPublishedEvents: a removal has its event, when the broker acknowledged it, and the position that was told of that
// one; a dead letter has none of it, and neither has anything when nothing is kept.
func TestPublishedEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, on := range []bool{true, false} {
			p := open(t, 100)
			if on {
				keepPublished(p, 7)
			}
			p.commit("a", "a", "b")
			for round, where := range []bridge.Position{{Topic: "live", Offset: 3}, {}} {
				for _, e := range p.now() {
					switch {
					case e.Lane.Stream == "b":
						p.Settle(e, bridge.Settlement{DeadLetter: bridge.RejectionRefused})
						continue
					case on && !where.IsZero():
						p.Stored(e, where)
					}
					p.Settle(e, bridge.Settlement{})
				}
				_ = p.Trim(t.Context(), func(context.Context) error { return nil })
				removals, _ := p.TakeWrites()
				if len(removals) != 1 {
					t.Fatalf("round %d: %d removals", round, len(removals))
				}
				switch got := removals[0].Published; {
				case (got != nil) != on:
					t.Errorf("it is kept: %v", got != nil)
				case on && (got.Event.Sequence != removals[0].Sequence || got.At != 7 || got.Where != where):
					t.Errorf("%+v is kept", got)
				}
			}
		}
	})
}

// TestKeptShares: what is to be kept is given out in shares, all of it and in order; what is not kept at once.
func TestKeptShares(t *testing.T) {
	for _, on := range []bool{true, false} {
		p := open(t, 100)
		if on {
			keepPublished(p, 7)
		}
		const each = keptAtOnce / 10
		for i := range 25 {
			r := Removal{Sequence: uint64(i), Bytes: each}
			if on {
				r.Published = &Published{}
			}
			p.removals = append(p.removals, r)
		}
		var shares []int
		next := uint64(0)
		for p.HasWrites() {
			removals, _ := p.TakeWrites()
			for _, r := range removals {
				if r.Sequence != next {
					t.Fatalf("%d comes after %d", r.Sequence, next)
				}
				next++
			}
			shares = append(shares, len(removals))
		}
		if want := map[bool]string{true: "[10 10 5]", false: "[25]"}[on]; fmt.Sprint(shares) != want {
			t.Errorf("the shares are %v, want %s", shares, want)
		}
	}
}
