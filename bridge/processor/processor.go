package processor

import (
	"fmt"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/sequencer"
)

// Limits are those of one lane.
type Limits = sequencer.Limits

// Options are the limits of a partition.
type Options struct {
	Limits  Limits
	HeldMax int // events held in all lanes

	DedupeWindow   time.Duration
	DedupeMax      uint64 // identities; beyond, the oldest part is forgotten early
	LanesCached    int    // lanes kept in memory; the rest is read again when needed
	SignatureReuse bool   // take another event under a stream status signature that was seen before

	Types bridge.TypeSet // of the events that are emitted; all others are decided alike and left out

	SessionEvents     bool          // emit events of sessions that end, and find the session of a recorded file
	SessionStaleAfter time.Duration // emit events of sessions whose end is missing for so long; 0: do not

	QuarantineMax     int           // entries
	QuarantineMaxAge  time.Duration // an entry that is older goes; 0: none does
	DeadLettersMax    int           // entries
	PublishQuarantine bool          // emit a notice of each callback that is put there
	Partition         string        // digits, for the lanes of notices: one partition of several; empty: the only one
}

// Processor decides one partition. It is used by one goroutine.
type Processor struct {
	opts       Options
	view       View
	counters   Counters
	lanes      *lanes
	holds      holds
	signatures uint64 // those of periods below are forgotten
	quarantine *quarantineIndex
	pending    pending
	traces     traces
	holdTimes  holdTimes
	emissions  []sequencer.Emission // memory for the next transition
	derived    []bridge.Event       // to be emitted behind the transition that is made
	scratch    []byte
}

// pending is what the effects say that the view does not show yet.
type pending struct {
	lanes      []*lane
	ids        map[bridge.ID]struct{}
	signatures map[[16]byte]SignatureUse
	held       map[bridge.ID]*bridge.Event
	removed    map[uint64]bool // dead letters that are taken off
}

func newPending() pending {
	return pending{ids: make(map[bridge.ID]struct{}), signatures: make(map[[16]byte]SignatureUse),
		held: make(map[bridge.ID]*bridge.Event), removed: make(map[uint64]bool)}
}

// Kept is what the View shows and the processor keeps in memory, beside the Counters.
type Kept struct {
	Holding    []bridge.Lane      // lanes that hold something
	Quarantine []QuarantineRecord // by rising number
}

// New returns a processor of what the view shows at the moment.
func New(opts Options, view View, c Counters, k Kept, now Moment) (*Processor, error) {
	c.Next = max(c.Next, 1) // what begins with 1 can be asked for from 0 on
	p := &Processor{
		opts:       opts,
		view:       view,
		counters:   c,
		quarantine: newQuarantineIndex(opts.QuarantineMax),
		traces:     make(traces),
		holdTimes:  newHoldTimes(),
		pending:    newPending(),
	}
	var err error
	if p.lanes, err = newLanes(p); err != nil {
		return nil, err
	}
	for _, r := range k.Quarantine {
		p.quarantine.put(r)
	}
	for _, name := range k.Holding {
		l, err := p.lanes.get(name, now)
		if err != nil {
			return nil, err
		}
		if len(l.State.Held) > 0 {
			p.holds.update(l, 0)
			p.holdTimes.takeUp(l, opts.Limits, now)
		}
	}
	p.holdTimes.sort()
	return p, nil
}

// Apply decides an input and adds what changes to the effects. Every decision on a partition is made here.
func (p *Processor) Apply(in Input, eff *Effects) (err error) {
	eff.Now = in.Now
	switch in.Action {
	case Arrive:
		err = p.decide(in.Arrival, in.Now, eff)
	case Expire:
		err = p.expire(in.Now, eff)
	case Release, Purge:
		err = p.clear(&in, eff)
	case Replay:
		err = p.replayAll(in.Events, in.Now, eff)
	case Reject:
		p.deadLetter(in.Rejected, eff)
	case Forget:
		err = p.forget(&in, eff)
	case Remember:
		err = p.remember(in.Memory, in.Now, eff)
	default:
		err = fmt.Errorf("unknown action %d", in.Action)
	}
	eff.Counters = p.counters
	return err
}

// Committed tells that the view shows everything that was decided until now.
func (p *Processor) Committed() {
	for _, l := range p.pending.lanes {
		l.changed = unchanged
	}
	p.pending.lanes = p.pending.lanes[:0]
	clear(p.pending.ids)
	clear(p.pending.signatures)
	clear(p.pending.held)
	clear(p.pending.removed)
	p.lanes.unpin()
}

// Deadline returns when the next hold ends, false when nothing is held.
func (p *Processor) Deadline() (sequencer.Instant, bool) {
	l, deadline := p.holds.nearest()
	return deadline, l != nil
}

// Holding returns how many events are held.
func (p *Processor) Holding() int { return p.holds.held }

// Counters returns what the partition knows of itself as a whole.
func (p *Processor) Counters() *Counters { return &p.counters }

// Count fills in what the processor knows of the partition.
func (p *Processor) Count(s *bridge.JournalStats) {
	c := &p.counters
	s.Identities = c.Identities()
	s.Held, s.Quarantine, s.DeadLetters = bridge.Usage(c.Held), bridge.Usage(c.Quarantine), bridge.Usage(c.DeadLetters)
	s.LanesHeld = len(p.holds.lanes)
	s.Reasons = make(map[string]int)
	for reason, entries := range p.quarantine.reasons {
		if len(entries) > 0 {
			s.Reasons[string(reason)] = len(entries)
		}
	}
}
