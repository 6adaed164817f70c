package bridge

import "strings"

// Marks is the set of anomalies of an event in its lane's order. Consumers may rely on each of them in both directions:
// a mark is present exactly when the sequencer's table says so.
type Marks uint8

// The marks, in alphabetical order, which is also the order of the attribute.
const (
	MarkForced      Marks = 1 << iota // released by the hold or limit of another event
	MarkLate                          // its key is below what the lane has already emitted
	MarkPrevUnended                   // a PUBLISH while the previous session was still open
	MarkReopened                      // the key of another event of the same lane
	MarkReplayed                      // an operator published it again
	MarkStartUnseen                   // a PUBLISH_DONE before any PUBLISH of its session
	MarkUnsequenced                   // no usable session, or an unknown event name
)

// names returns every mark's name, in the order of the bits.
func (Marks) names() [7]string {
	return [7]string{"forced", "late", "prev_unended", "reopened", "replayed", "start_unseen", "unsequenced"}
}

// AllMarks returns every mark.
func AllMarks() Marks { return MarkUnsequenced<<1 - 1 }

// Has reports whether every mark of other is set.
func (m Marks) Has(other Marks) bool { return m&other == other }

// String returns the marks joined by commas, in alphabetical order; "" for none.
func (m Marks) String() string {
	if m == 0 {
		return ""
	}
	return strings.Join(m.List(), ",")
}

// List returns the names of the marks, in alphabetical order.
func (m Marks) List() []string {
	var out []string
	for i, name := range m.names() {
		if m&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return out
}
