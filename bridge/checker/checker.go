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
	config     Config
	happenings map[Happening]*account
	lanes      map[string]*lane
	homes      map[string]string // the lane that an id was first in
	report     Report
}

// account is all that is known of one happening.
type account struct {
	accepted, refused, open int // requests, by their answer; open: no answer that says what became of it
	ids                     map[string]bool
	quarantined             bool // for a reason that goes with the answer 200
	expired, replayed       bool
}

// New returns a Checker that has seen nothing.
func New(c Config) *Checker {
	return &Checker{config: c, happenings: map[Happening]*account{}, lanes: map[string]*lane{},
		homes: map[string]string{}, report: Report{Marks: map[string]int{}, slack: c.Slack}}
}

// Check judges a run at once.
func Check(c Config, sent []Sent, out []Event) *Report {
	k := New(c)
	for _, s := range sent {
		k.Sent(s)
	}
	for _, e := range out {
		k.Out(e)
	}
	return k.Report()
}

// Sent takes one callback that the client sent.
func (c *Checker) Sent(s Sent) {
	c.report.Sent++
	a := c.account(s.Happening)
	switch {
	case s.accepted():
		c.report.Accepted++
		a.accepted++
	case s.refused():
		c.report.Refused++
		a.refused++
	default:
		c.report.Unanswered++
		a.open++
	}
}

// Out takes the next event of the topic. The order of events of one lane is judged; that of lanes has no meaning.
func (c *Checker) Out(e Event) { c.take(e, false) }

// Dead takes an event that lies in the dead letters: it is not lost, and its sequence number not missing.
func (c *Checker) Dead(e Event) {
	c.report.Dead++
	c.take(e, true)
}

func (c *Checker) take(e Event, dead bool) {
	if !dead {
		c.report.Out++
	}
	name := e.lane()
	if c.lanes[name] == nil {
		c.lanes[name] = newLane(&e)
	}
	c.settle(e.ID, name)
	if !c.lanes[name].add(e, dead) {
		c.report.Repeats++
		return
	}
	for _, word := range e.Marks.List() {
		c.report.Marks[word]++
	}
	if e.Reason != "" {
		c.report.Quarantined++
	}
	c.account(e.Happening).came(&e)
}

// settle notes the lane that an id is in: it has one, since what happened in another lane has another content.
func (c *Checker) settle(id, lane string) {
	home, seen := c.homes[id]
	switch {
	case !seen:
		c.homes[id] = lane
	case home != lane:
		c.lanes[lane].fault(FaultBytes, "id %s: it is in the lane %s too", id, home)
	}
}

// came notes how an event of the happening came out. An operator's replay may come out however the callback was
// answered and however often, so it proves only that nothing is lost. A quarantined callback is answered 200, unless it
// had expired: then it is refused, and its notice proves nothing about one that was answered 200.
func (a *account) came(e *Event) {
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

func (c *Checker) account(h Happening) *account {
	a := c.happenings[h]
	if a == nil {
		a = &account{}
		c.happenings[h] = a
	}
	return a
}

// Report judges everything taken so far. The Checker may go on taking afterwards.
func (c *Checker) Report() *Report {
	r := c.report
	r.Marks = maps.Clone(r.Marks)
	r.Lanes = len(c.lanes)
	first := c.first()
	for _, name := range slices.Sorted(maps.Keys(c.lanes)) {
		c.lanes[name].judge(c.config, first, &r)
	}
	byText := func(a, b Happening) int {
		return cmp.Or(strings.Compare(a.lane(), b.lane()), strings.Compare(a.String(), b.String()))
	}
	for _, h := range slices.SortedFunc(maps.Keys(c.happenings), byText) {
		c.judge(h, c.happenings[h], &r)
	}
	return &r
}

// first returns the sequence that new lanes of the run began with: the smallest, if a journal can have begun with it.
// That is a multiple of 1000, its creation in Unix milliseconds, and one more. 0: none of the lanes need have been new.
func (c *Checker) first() uint64 {
	least := uint64(math.MaxUint64)
	for _, l := range c.lanes {
		for _, e := range slices.Concat(l.events, l.dead) {
			least = min(least, e.Sequence)
		}
	}
	if least%1000 != 1 {
		return 0
	}
	return least
}

// judge compares how often a happening was sent and taken with how often it came out.
func (c *Checker) judge(h Happening, a *account, r *Report) {
	came := len(a.ids)
	sent := a.accepted + a.refused + a.open
	most := a.accepted + a.open
	if h.namesItself() {
		most = min(most, 1)
	}
	switch {
	case sent == 0 && h.unreadable() && (a.quarantined || a.expired): // there is nothing to recognise it by
	case sent == 0:
		r.fault(FaultUnsent, h.lane(), "%s came out, and was never sent", h)
	case (came > 0 || a.quarantined) && most == 0:
		r.fault(FaultRefused, h.lane(), "%s came out, though each of its %d requests was refused", h, a.refused)
	case (came > 0 || a.quarantined) && c.ignored(h):
		r.fault(FaultRefused, h.lane(), "%s came out, though its stream is ignored", h)
	case came == 0 && !a.quarantined && !a.replayed && a.accepted > 0 && !c.ignored(h):
		r.fault(FaultLost, h.lane(), "%s was answered 200 %d times and did not come out", h, a.accepted)
	case came > most:
		ids := strings.Join(slices.Sorted(maps.Keys(a.ids)), ", ")
		r.fault(FaultDoubled, h.lane(), "%s came out under %d ids where %d are right: %s", h, came, most, ids)
	}
}

func (c *Checker) ignored(h Happening) bool {
	stream, err := url.PathUnescape(h.Subject[strings.LastIndexByte(h.Subject, '/')+1:])
	return c.config.Ignore != nil && !h.unreadable() && err == nil && c.config.Ignore.MatchString(stream)
}
