package partitions

import "testing"

func TestPosition(t *testing.T) {
	for _, want := range []position{{0, 1}, {127, 12}, {1 << 62, 1 << 20}} {
		if got, err := decodePosition(want.encode()); err != nil || got != want {
			t.Errorf("%v comes back as %v, %v", want, got, err)
		}
	}
	whole := position{1 << 40, 12}.encode()
	for n := range whole {
		if got, err := decodePosition(whole[:n]); err == nil {
			t.Errorf("%d of %d bytes make %v", n, len(whole), got)
		}
	}
	for _, b := range [][]byte{append(whole, 0), {2, 1, 1}, {1, 1, 0}} {
		if got, err := decodePosition(b); err == nil {
			t.Errorf("%v makes %v", b, got)
		}
	}
}

// FuzzPosition: what can be decoded is a position of an intake.
func FuzzPosition(f *testing.F) {
	f.Add(position{7, 12}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := decodePosition(b)
		if err != nil {
			return
		}
		if again, err := decodePosition(p.encode()); err != nil || again != p {
			t.Errorf("%v comes back as %v, %v", p, again, err)
		}
	})
}
