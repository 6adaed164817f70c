package producer

import (
	"slices"
	"testing"
)

// TestOffsetsThatGoBack: a batch below the end of what was acknowledged says that this end is lost; a duplicate, whose
// offset the broker does not tell, says nothing.
func TestOffsetsThatGoBack(t *testing.T) {
	p := &Partition{number: 3}
	for _, c := range []struct {
		offset int64
		lost   bool
		end    int64
	}{{10, false, 12}, {12, false, 14}, {-1, false, 14}, {20, false, 22}, {21, true, 23}, {0, true, 2}, {2, false, 4}} {
		lost := p.recordOffset(&batch{offset: c.offset, records: make([]Record, 2)})
		if lost != c.lost || p.endOffset != c.end {
			t.Errorf("offset %d: lost %v, and the end is %d; want %v and %d", c.offset, lost, p.endOffset, c.lost, c.end)
		}
	}
	if want := []Gap{{3, 22, 21}, {3, 23, 0}}; !slices.Equal(p.gaps, want) {
		t.Errorf("gaps %v, want %v", p.gaps, want)
	}
}
