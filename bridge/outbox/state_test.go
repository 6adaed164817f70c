package outbox

import "testing"

// TestTransitions holds the table of states against what it stands for: three facts, of which each change alters some.
func TestTransitions(t *testing.T) {
	type facts struct{ spilled, complete, again bool }
	of := [states]facts{
		inMemory: {
			false,
			true,
			false,
		}, known: {true, true, false}, scanning: {true, false, false}, rescanning: {true, false, true},
	}
	for from, table := range transitions() {
		for c, to := range table {
			want := of[from]
			switch change(c) {
			case spilled:
				want.spilled = true
			case missed: // a scan that is under way, and may have gone past it, begins once more
				want = facts{spilled: true, again: !want.complete}
			case scanned:
				want.complete, want.again = !want.again, false
			case allRead:
				want = of[inMemory]
			}
			if of[to] != want {
				t.Errorf("change %d makes state %d of %d, want one with %+v", c, to, from, want)
			}
			if s := state(to); s.spilled() != want.spilled || s.complete() != want.complete {
				t.Errorf("state %d is not what it says", to)
			}
		}
	}
}

// TestBegins: an outbox whose disk has something begins with a scan.
func TestBegins(t *testing.T) {
	for depth, want := range map[int]state{0: inMemory, 1: scanning} {
		if o := New(Options{Depth: depth}); o.state != want {
			t.Errorf("with %d events the state is %d, want %d", depth, o.state, want)
		}
	}
}
