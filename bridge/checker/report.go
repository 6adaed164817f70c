package checker

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// FaultKind names a promise that can be broken.
type FaultKind string

// The promises, in the order of the report.
const (
	FaultLost     FaultKind = "lost"     // answered 200, but neither published nor quarantined nor a dead letter
	FaultDoubled  FaultKind = "doubled"  // one occurrence under more ids than it can have
	FaultUnsent   FaultKind = "unsent"   // published, but not sent
	FaultRefused  FaultKind = "refused"  // published, but rejected or of an ignored stream
	FaultInverted FaultKind = "inverted" // out of order without a mark
	FaultMark     FaultKind = "mark"     // a mark that is wrong or missing
	FaultSequence FaultKind = "sequence" // the sequence does not rise by exactly 1 in topic order
	FaultBytes    FaultKind = "bytes"    // one id, two contents or two lanes
	FaultHold     FaultKind = "hold"     // waited longer than any hold
)

// promises returns the kinds of faults with the promise that each breaks.
func promises() [][2]string {
	return [][2]string{
		{string(FaultLost), "every callback answered 200 is published or in quarantine"},
		{string(FaultDoubled), "a redelivered callback is one event"},
		{string(FaultUnsent), "nothing is published that was not sent"},
		{string(FaultRefused), "nothing is published that was rejected or is ignored"},
		{string(FaultInverted), "events without a mark are in order"},
		{string(FaultMark), "marks are true"},
		{string(FaultSequence), "the sequence rises by 1 in topic order"},
		{string(FaultBytes), "one id, one content"},
		{string(FaultHold), "nothing waits longer than its hold"},
	}
}

// Fault is one broken promise.
type Fault struct {
	Kind   FaultKind
	Lane   string // kind:domain/app/stream, or quarantine:kind
	Detail string // a sentence
}

func newFault(kind FaultKind, lane, format string, args ...any) Fault {
	return Fault{kind, lane, fmt.Sprintf(format, args...)}
}

// Report is the result of a run.
type Report struct {
	Sent, Accepted, Refused, Unanswered int // requests: answered 200, 4xx, and anything else or nothing
	Published                           int // events on the topic, duplicates included
	Repeats                             int // of them, identical duplicates
	Quarantined, DeadLetters, Lanes     int
	Marks                               map[string]int // events that carry the mark
	Faults                              []Fault

	slack time.Duration
}

// OK reports whether no broken promise was found.
func (r *Report) OK() bool { return len(r.Faults) == 0 }

// Empty reports whether there was nothing to verify: it says nothing about the service that no fault was found.
func (r *Report) Empty() bool { return r.Accepted == 0 && r.Published == 0 }

// Count returns how many faults of a kind there are.
func (r *Report) Count(kind FaultKind) int {
	n := 0
	for _, f := range r.Faults {
		if f.Kind == kind {
			n++
		}
	}
	return n
}

func (r *Report) add(f Fault) { r.Faults = append(r.Faults, f) }

func (r *Report) fault(kind FaultKind, lane, format string, args ...any) {
	r.add(newFault(kind, lane, format, args...))
}

// maxDetails is how many faults of each kind the printed report shows.
const maxDetails = 10

// WriteTo prints the report for people: what was compared, each promise, the first faults of each kind, the result.
func (r *Report) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, r.String())
	return int64(n), err
}

// String returns what WriteTo prints.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "sent      %d callbacks: %d answered 200, %d rejected, %d without a conclusive response\n",
		r.Sent, r.Accepted, r.Refused, r.Unanswered)
	fmt.Fprintf(&b, "published %d events in %d lanes, of them %d duplicates and %d quarantined; %d dead letters\n",
		r.Published, r.Lanes, r.Repeats, r.Quarantined, r.DeadLetters)
	fmt.Fprintf(&b, "marks     %s\n\n", r.marks())
	for _, p := range promises() {
		fmt.Fprintf(&b, "%-9s %-10s %s\n", r.verdict(FaultKind(p[0])), p[0], p[1])
	}
	for _, p := range promises() {
		r.details(&b, FaultKind(p[0]))
	}
	fmt.Fprintf(&b, "\n%s\n", r.conclusion())
	return b.String()
}

func (r *Report) marks() string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(r.Marks)) {
		names = append(names, fmt.Sprintf("%s %d", name, r.Marks[name]))
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ", ")
}

func (r *Report) verdict(kind FaultKind) string {
	n := r.Count(kind)
	switch {
	case n > 0:
		return fmt.Sprintf("%d FAILED", n)
	case kind == FaultHold && r.slack == 0:
		return "-"
	}
	return "ok"
}

func (r *Report) details(b *strings.Builder, kind FaultKind) {
	n := r.Count(kind)
	if n == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", kind)
	left := maxDetails
	for _, f := range r.Faults {
		if f.Kind == kind && left > 0 {
			left--
			fmt.Fprintf(b, "  %s: %s\n", f.Lane, f.Detail)
		}
	}
	if n > maxDetails {
		fmt.Fprintf(b, "  and %d more\n", n-maxDetails)
	}
}

func (r *Report) conclusion() string {
	switch {
	case !r.OK():
		return fmt.Sprintf("FAIL: %d faults", len(r.Faults))
	case r.Empty():
		return "NO DATA: no callback was answered 200 and nothing was published"
	}
	return "PASS: no broken promise found"
}
