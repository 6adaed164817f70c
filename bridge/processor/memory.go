package processor

import (
	"livebridge/bridge"
)

// Memory is a piece of what one partition remembers, for another one to remember too: everything but what is held and
// what waits for the broker. What a partition knows already is not changed by it, but for lanes that have gone on
// elsewhere: they go on from there.
type Memory struct {
	ID          bridge.ID // of the piece: a partition takes it once; zero: each time
	Floor       uint64    // what a lane that neither knows begins behind, at least
	Lanes       []LaneState
	Identities  []bridge.ID
	Signatures  []Signature
	Quarantined []RememberedSuspect
	DeadLetters []DeadLetter // without their numbers, which another partition gives anew
}

// RememberedSuspect is an entry of the quarantine.
type RememberedSuspect struct {
	Sum   [16]byte // of the signature; zero: none
	Raw   []byte
	Event *bridge.Event
}

// About what the parts of a memory take.
const (
	rememberedLane      = 160
	rememberedIdentity  = 16
	rememberedSignature = 58
)

// Bytes is about how much the memory holds.
func (m *Memory) Bytes() int {
	n := rememberedLane*len(m.Lanes) + rememberedIdentity*len(m.Identities) + rememberedSignature*len(m.Signatures)
	for i := range m.Lanes {
		n += len(m.Lanes[i].Name.Domain) + len(m.Lanes[i].Name.App) + len(m.Lanes[i].Name.Stream)
	}
	for i := range m.Quarantined {
		n += eventBytes + len(m.Quarantined[i].Raw) + len(m.Quarantined[i].Event.Data)
	}
	for i := range m.DeadLetters {
		n += eventBytes + len(m.DeadLetters[i].Event.Data)
	}
	return n
}

// remember takes in what another partition remembers, unless it has done so before.
func (p *Processor) remember(m *Memory, now Moment, eff *Effects) error {
	if taken, err := p.taken(m, now, eff); taken || err != nil {
		return err
	}
	eff.bytes += m.Bytes()
	p.counters.Floor = max(p.counters.Floor, m.Floor)
	for _, id := range m.Identities {
		if err := p.rememberIdentity(id, now, eff); err != nil {
			return err
		}
	}
	for i := range m.Signatures {
		if err := p.rememberSignature(&m.Signatures[i], now, eff); err != nil {
			return err
		}
	}
	for i := range m.Lanes {
		if err := p.rememberLane(&m.Lanes[i], now, eff); err != nil {
			return err
		}
	}
	for i := range m.Quarantined {
		p.rememberSuspect(&m.Quarantined[i], eff)
	}
	for _, d := range m.DeadLetters {
		p.keepDeadLetter(d, eff)
	}
	return nil
}

// taken reports whether the partition has taken a piece before, and notes that it has by now. The ids of pieces lie
// among the identities: they are needed no longer than those.
func (p *Processor) taken(m *Memory, now Moment, eff *Effects) (bool, error) {
	if m.ID == (bridge.ID{}) {
		return false, nil
	}
	known, err := p.knows(m.ID)
	if !known && err == nil {
		p.know(m.ID, now.Millis(), eff)
	}
	return known, err
}

// rememberIdentity remembers an identity for the whole window from now on: when it came is not known.
func (p *Processor) rememberIdentity(id bridge.ID, now Moment, eff *Effects) error {
	known, err := p.knows(id)
	if !known && err == nil {
		p.know(id, now.Millis(), eff)
	}
	return err
}

// rememberSignature remembers a signature that can still be taken. The use that is known stands.
func (p *Processor) rememberSignature(s *Signature, now Moment, eff *Effects) error {
	if s.Name.Part < max(p.signatures, periodOf(now.Millis())) {
		return nil
	}
	if _, pending := p.pending.signatures[s.Name.Sum]; pending {
		return nil
	}
	_, found, err := p.view.Name(s.Name)
	if !found && err == nil {
		p.pending.signatures[s.Name.Sum] = s.Use
		eff.Signatures = append(eff.Signatures, *s)
	}
	return err
}

// rememberLane has a lane go on from where it has come to, here or elsewhere. What it holds here is judged by what has
// come out here: had an event above it come out elsewhere, it would come out behind that without a mark.
func (p *Processor) rememberLane(m *LaneState, now Moment, eff *Effects) error {
	l, err := p.lanes.get(m.Name, now)
	if err != nil {
		return err
	}
	if l.Touched == 0 { // it is new: it goes on from what is remembered, not from the floor
		l.State.Sequence = 0
	}
	l.State.Sequence = max(l.State.Sequence, m.State.Sequence)
	held := l.State.Held
	if m.State.Last.Compare(l.State.Last) > 0 && (len(held) == 0 || m.State.Last.Compare(held[0].Key) < 0) {
		l.State.Last = m.State.Last
	}
	if m.Touched > l.Touched {
		l.Touched = m.Touched
		if p.opts.SessionEvents {
			l.Sessions = m.Sessions
		}
	}
	p.touch(l, eff)
	return nil
}

// rememberSuspect keeps an entry of the quarantine under a number of its own here.
func (p *Processor) rememberSuspect(s *RememberedSuspect, eff *Effects) {
	what := QuarantineID{s.Event.ID, s.Event.Reason}
	switch p.quarantine.admission(what, s.Sum) {
	case alreadyKept:
		return
	case overShare:
		eff.QuarantineEvicted++
		return
	}
	p.keep(s.Event, &bridge.Arrival{Raw: s.Raw, Signature: bridge.Signature{Sum: s.Sum}}, what, eff)
}
