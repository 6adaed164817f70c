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

// Config has the settings of the service, and how strictly to check.
type Config struct {
	HoldDone, HoldNext time.Duration
	// Slack is the time beyond the holds that may pass between an event's recordedtime and its receipt by the consumer,
	// on clocks that agree. 0: waiting times are not checked.
	Slack time.Duration
	// Ignore is IGNORE_STREAMS: callbacks of streams whose name it matches are answered 200 and not published. Nil:
	// none.
	Ignore *regexp.Regexp
	// Types is PUBLISH_TYPES: other events are not published, and callbacks of them are answered 200. Nil: all.
	Types bridge.TypeSet
}

// Checker collects what was sent and what was published, in any order of the two. It is not safe for concurrent use.
type Checker struct {
	config      Config
	occurrences map[Occurrence]*ledger
	lanes       map[string]*lane
	laneOf      map[string]string // the first lane of an id
	report      Report
}

// ledger is all that is known of one occurrence.
type ledger struct {
	accepted, refused, unanswered int // requests by response; unanswered: none that is conclusive
	ids                           map[string]bool
	quarantined                   bool // for a reason whose response is 200
	expired, replayed             bool
}

// New returns a Checker without any data.
func New(c Config) *Checker {
	return &Checker{config: c, occurrences: map[Occurrence]*ledger{}, lanes: map[string]*lane{},
		laneOf: map[string]string{}, report: Report{Marks: map[string]int{}, slack: c.Slack}}
}

// Check checks a whole run.
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

// Sent adds one callback that the client sent.
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

// Published adds the next event of the topic. The order of events within a lane is checked; that between lanes has no
// meaning.
func (c *Checker) Published(e Event) { c.record(e, false) }

// DeadLetter adds an event that is a dead letter: it is not lost, and its sequence is not missing.
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
	if e.Kind != bridge.KindSession.String() { // no callback causes such an event
		c.ledger(e.Occurrence).observed(&e)
	}
}

// checkLane records the lane of an id. An id has one lane, since an occurrence in another lane has another content.
func (c *Checker) checkLane(id, lane string) {
	first, seen := c.laneOf[id]
	switch {
	case !seen:
		c.laneOf[id] = lane
	case first != lane:
		c.lanes[lane].fault(FaultBytes, "id %s: also in lane %s", id, first)
	}
}

// observed records how an event of the occurrence was published. An operator's replay may be published whatever the
// response was and however often, so it proves only that nothing is lost. A quarantined callback is answered 200,
// unless it had expired: then it is rejected, and its notice proves nothing about one that was answered 200.
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

// Report checks everything added so far. More may be added afterwards.
func (c *Checker) Report() *Report {
	r := c.report
	r.Marks = maps.Clone(r.Marks)
	r.Lanes = len(c.lanes)
	first := c.firstSequence()
	for _, name := range slices.Sorted(maps.Keys(c.lanes)) {
		c.lanes[name].check(c.config, first, &r)
	}
	for _, h := range c.byText() {
		c.checkOccurrence(h, c.occurrences[h], &r)
	}
	return &r
}

// byText returns the occurrences in the order of their lanes and, within one, of their texts.
func (c *Checker) byText() []Occurrence {
	type named struct {
		lane, text string
		Occurrence
	}
	all := make([]named, 0, len(c.occurrences))
	for o := range c.occurrences {
		all = append(all, named{o.lane(), o.String(), o})
	}
	slices.SortFunc(all, func(a, b named) int {
		return cmp.Or(strings.Compare(a.lane, b.lane), strings.Compare(a.text, b.text))
	})
	out := make([]Occurrence, len(all))
	for i, o := range all {
		out[i] = o.Occurrence
	}
	return out
}

// firstSequence returns the sequence that new lanes of the run began with: the smallest, if it can be the first of a
// new journal, which is 1000 times its creation in Unix milliseconds, plus 1. 0: perhaps none of the lanes was new.
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

// checkOccurrence compares how often an occurrence was sent and accepted with how often it was published.
func (c *Checker) checkOccurrence(o Occurrence, a *ledger, r *Report) {
	observed := len(a.ids)
	sent := a.accepted + a.refused + a.unanswered
	limit := a.accepted + a.unanswered
	if o.selfIdentifying() {
		limit = min(limit, 1)
	}
	switch {
	case sent == 0 && o.unreadable() && (a.quarantined || a.expired): // nothing identifies it
	case sent == 0:
		r.fault(FaultUnsent, o.lane(), "%s was published but never sent", o)
	case (observed > 0 || a.quarantined) && limit == 0:
		r.fault(FaultRefused, o.lane(), "%s was published, but all of its %d requests were rejected", o, a.refused)
	case (observed > 0 || a.quarantined) && c.ignored(o):
		r.fault(FaultRefused, o.lane(), "%s was published, but its stream is ignored", o)
	case observed > 0 && c.leftOut(o):
		r.fault(FaultRefused, o.lane(), "%s was published, but its type %s is left out", o, o.eventType())
	case observed == 0 && !a.quarantined && !a.replayed && a.accepted > 0 && !c.ignored(o) && !c.leftOut(o):
		r.fault(FaultLost, o.lane(), "%s was answered 200 %d times but not published", o, a.accepted)
	case observed > limit:
		ids := strings.Join(slices.Sorted(maps.Keys(a.ids)), ", ")
		r.fault(FaultDoubled, o.lane(), "%s was published under %d ids, at most %d are allowed: %s", o, observed, limit, ids)
	}
}

func (c *Checker) ignored(o Occurrence) bool {
	stream, err := url.PathUnescape(o.Subject[strings.LastIndexByte(o.Subject, '/')+1:])
	return c.config.Ignore != nil && !o.unreadable() && err == nil && c.config.Ignore.MatchString(stream)
}
