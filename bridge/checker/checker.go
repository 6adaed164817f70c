package checker

import (
	"cmp"
	"maps"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"livebridge/bridge"
)

// Config says what the service was told and how strictly to judge.
type Config struct {
	HoldDone, HoldNext time.Duration
	// Slack is what may pass beyond the holds between an event's recordedtime and the consumer's seeing it, on clocks
	// that agree. 0: how long events waited is not judged.
	Slack time.Duration
	// Ignore is IGNORE_STREAMS: callbacks of streams whose name it matches are answered 200 and do not come out. Nil:
	// none.
	Ignore *regexp.Regexp
}

// Checker gathers what was sent and what came out, in any order of the two. It is not safe for concurrent use.
type Checker struct {
	config      Config
	occurrences map[Occurrence]*ledger
	lanes       map[string]*lane
	laneOf      map[string]string // the lane that an id was first in
	report      Report
}

// ledger is all that is known of one happening.
type ledger struct {
	accepted, refused, unanswered int // requests, by their answer; open: no answer that says what became of it
	ids                           map[string]bool
	quarantined                   bool // for a reason that goes with the answer 200
	expired, replayed             bool
}

// New returns a Checker that has seen nothing.
func New(c Config) *Checker {
	return &Checker{config: c, occurrences: map[Occurrence]*ledger{}, lanes: map[string]*lane{},
		laneOf: map[string]string{}, report: Report{Marks: map[string]int{}, slack: c.Slack}}
}

// Check judges a run at once.
func Check(c Config, sent []Sent, published []Event) *Report {
	k := New(c)
	for _, s := range sent {
		k.Sent(s)
	}
	for _, e := range published {
		k.Published(e)
	}
	return k.Report()
}

// Sent takes one callback that the client sent.
func (c *Checker) Sent(s Sent) {
	c.report.Sent++
	a := c.ledger(s.Occurrence)
	switch {
	case s.accepted():
		c.report.Accepted++
		a.accepted++
	case s.refused():
		c.report.Refused++
		a.refused++
	default:
		c.report.Unanswered++
		a.unanswered++
	}
}

// Published takes the next event of the topic. The order of events of one lane is judged; that of lanes has no meaning.
func (c *Checker) Published(e Event) { c.record(e, false) }

// DeadLetter takes an event that lies in the dead letters: it is not lost, and its sequence number not missing.
func (c *Checker) DeadLetter(e Event) {
	c.report.DeadLetters++
	c.record(e, true)
}

func (c *Checker) record(e Event, deadLetter bool) {
	if !deadLetter {
		c.report.Published++
	}
	name := e.lane()
	if c.lanes[name] == nil {
		c.lanes[name] = newLane(&e)
	}
	c.checkLane(e.ID, name)
	if !c.lanes[name].add(e, deadLetter) {
		c.report.Repeats++
		return
	}
	for _, mark := range e.Marks.List() {
		c.report.Marks[mark]++
	}
	if e.Reason != "" {
		c.report.Quarantined++
	}
	c.ledger(e.Occurrence).observed(&e)
}

// checkLane notes the lane that an id is in: it has one, since what happened in another lane has another content.
func (c *Checker) checkLane(id, lane string) {
	first, seen := c.laneOf[id]
	switch {
	case !seen:
		c.laneOf[id] = lane
	case first != lane:
		c.lanes[lane].fault(FaultBytes, "id %s: it is in the lane %s too", id, first)
	}
}

// observed notes how an event of the happening came out. An operator's replay may come out however the callback was
// answered and however often, so it proves only that nothing is lost. A quarantined callback is answered 200, unless it
// had expired: then it is refused, and its notice proves nothing about one that was answered 200.
func (a *ledger) observed(e *Event) {
	switch {
	case e.Reason == string(bridge.ReasonExpired):
		a.expired = true
	case e.Reason != "":
		a.quarantined = true
	case e.Marks.Has(bridge.MarkReplayed):
		a.replayed = true
	case a.ids == nil:
		a.ids = map[string]bool{e.ID: true}
	default:
		a.ids[e.ID] = true
	}
}

func (c *Checker) ledger(o Occurrence) *ledger {
	a := c.occurrences[o]
	if a == nil {
		a = &ledger{}
		c.occurrences[o] = a
	}
	return a
}

// Report judges everything taken so far. The Checker may go on taking afterwards.
func (c *Checker) Report() *Report {
	r := c.report
	r.Marks = maps.Clone(r.Marks)
	r.Lanes = len(c.lanes)
	first := c.firstSequence()
	for _, name := range slices.Sorted(maps.Keys(c.lanes)) {
		c.lanes[name].check(c.config, first, &r)
	}
	byText := func(a, b Occurrence) int {
		return cmp.Or(strings.Compare(a.lane(), b.lane()), strings.Compare(a.String(), b.String()))
	}
	for _, h := range slices.SortedFunc(maps.Keys(c.occurrences), byText) {
		c.checkOccurrence(h, c.occurrences[h], &r)
	}
	return &r
}

// firstSequence returns the sequence that new lanes of the run began with: the smallest, if a journal can have begun with it.
// That is a multiple of 1000, its creation in Unix milliseconds, and one more. 0: none of the lanes need have been new.
func (c *Checker) firstSequence() uint64 {
	least := uint64(math.MaxUint64)
	for _, l := range c.lanes {
		for _, e := range slices.Concat(l.events, l.deadLetters) {
			least = min(least, e.Sequence)
		}
	}
	if least%1000 != 1 {
		return 0
	}
	return least
}

// checkOccurrence compares how often a happening was sent and taken with how often it came out.
func (c *Checker) checkOccurrence(o Occurrence, a *ledger, r *Report) {
	observed := len(a.ids)
	sent := a.accepted + a.refused + a.unanswered
	limit := a.accepted + a.unanswered
	if o.selfIdentifying() {
		limit = min(limit, 1)
	}
	switch {
	case sent == 0 && o.unreadable() && (a.quarantined || a.expired): // there is nothing to recognise it by
	case sent == 0:
		r.fault(FaultUnsent, o.lane(), "%s came out, and was never sent", o)
	case (observed > 0 || a.quarantined) && limit == 0:
		r.fault(FaultRefused, o.lane(), "%s came out, though each of its %d requests was refused", o, a.refused)
	case (observed > 0 || a.quarantined) && c.ignored(o):
		r.fault(FaultRefused, o.lane(), "%s came out, though its stream is ignored", o)
	case observed == 0 && !a.quarantined && !a.replayed && a.accepted > 0 && !c.ignored(o):
		r.fault(FaultLost, o.lane(), "%s was answered 200 %d times and did not come out", o, a.accepted)
	case observed > limit:
		ids := strings.Join(slices.Sorted(maps.Keys(a.ids)), ", ")
		r.fault(FaultDoubled, o.lane(), "%s came out under %d ids where %d are right: %s", o, observed, limit, ids)
	}
}

func (c *Checker) ignored(o Occurrence) bool {
	stream, err := url.PathUnescape(o.Subject[strings.LastIndexByte(o.Subject, '/')+1:])
	return c.config.Ignore != nil && !o.unreadable() && err == nil && c.config.Ignore.MatchString(stream)
}
