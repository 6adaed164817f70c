package partitions

import (
	"fmt"
	"testing"

	"livebridge/bridge"
)

// TestRestored: how much of the state was read is told while it is read, and of a state that was kept, too.
func TestRestored(t *testing.T) {
	t.Parallel()
	o, want := started(t), make(rows)
	p := taken(t, o, 0, rows{})
	var at uint64
	for n := 0; n < 3*putRows; n += 600 {
		var some []string
		for i := range 600 {
			some = append(some, fmt.Sprint("row", n+i), "value")
		}
		at = write(t, p, want, some...)
	}
	all := New(o)
	if part := all.Restored(0); part != 0 {
		t.Errorf("%v of the state was read before anything was", part)
	}
	for _, from := range []uint64{0, at} {
		before, had := 0.0, make(rows)
		_, err := all.Take(within(t), 0, from, func(some []bridge.Row, next uint64) error {
			part := all.Restored(0)
			if from == 0 && len(had) < 2*putRows && (part <= before || part >= 1) || from > 0 && part != 1 {
				t.Errorf("%v of the state was read, %d rows and then %d", part, len(had), len(some))
			}
			before = part
			return had.put(some, next)
		})
		if err != nil || all.Restored(0) != 1 {
			t.Errorf("%v of the state was read in the end, %v", all.Restored(0), err)
		}
	}
}
