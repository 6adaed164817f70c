package sequencer_test

import (
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/sequencer"
)

// TestAllocations holds the common case to what a busy journal can afford: nothing.
func TestAllocations(t *testing.T) {
	state, buffer, n := sequencer.State{}, make([]sequencer.Emission, 0, 1), 0
	got := testing.AllocsPerRun(100, func() {
		n++
		for _, k := range []sequencer.Key{start(n), done(n)} {
			in := sequencer.Input{Wall: wall, Kind: bridge.KindStream, Key: k}
			out := sequencer.ApplyInto(buffer, state, in, defaults)
			state, buffer = out.State, out.Emit
		}
	})
	if got != 0 {
		t.Errorf("a session in order allocates %v times, want 0", got)
	}
}

func BenchmarkSessionInOrder(b *testing.B) {
	benchmark(b, func(n int) [2]sequencer.Key { return [2]sequencer.Key{start(n), done(n)} })
}

func BenchmarkSessionReversed(b *testing.B) {
	benchmark(b, func(n int) [2]sequencer.Key { return [2]sequencer.Key{done(n), start(n)} })
}

func benchmark(b *testing.B, keys func(int) [2]sequencer.Key) {
	b.ReportAllocs()
	state, buffer := sequencer.State{}, []sequencer.Emission(nil)
	for n := 0; b.Loop(); n++ {
		for _, k := range keys(n) {
			in := sequencer.Input{Wall: bridge.Millis(1 << 50), Kind: bridge.KindStream, Key: k}
			out := sequencer.ApplyInto(buffer, state, in, defaults)
			state, buffer = out.State, out.Emit
		}
	}
}
