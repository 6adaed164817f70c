package processor

import (
	"livebridge/bridge"
	"livebridge/bridge/record"
	"livebridge/bridge/sequencer"
)

// quarantineArrival keeps a callback that was signed well and is not believed, within the limits.
func (p *Processor) quarantineArrival(
	e *bridge.Event, a *bridge.Arrival, reason bridge.Reason, now Moment, eff *Effects,
) error {
	eff.decide(e, VerdictQuarantined, reason)
	what := QuarantineID{e.ID, reason}
	switch p.quarantine.admission(what, a.Signature.Sum) {
	case alreadyKept:
		eff.Duplicates++
		return nil
	case overShare:
		eff.QuarantineEvicted++
		return nil
	}
	e.Reason = reason
	p.keep(e, a, what, eff)
	if !p.opts.PublishQuarantine {
		return nil
	}
	return p.publish(quarantineNotice(e, p.opts.Partition), now, eff)
}

// keep puts a callback into the quarantine and takes out what is too much.
func (p *Processor) keep(e *bridge.Event, a *bridge.Arrival, what QuarantineID, eff *Effects) {
	p.scratch = AppendQuarantined(p.scratch[:0], a.Raw, e)
	r := QuarantineRecord{
		Number: p.number(), Received: e.Recorded, What: what, Sum: a.Signature.Sum, Bytes: len(p.scratch),
	}
	p.counters.Quarantine.Add(r.Bytes)
	p.quarantine.put(r)
	eff.bytes += r.Bytes
	eff.Quarantined = append(eff.Quarantined,
		Quarantined{QuarantineRecord: r, Event: e, Raw: a.Raw, Key: a.Signature.Key, EventName: a.EventName})
	for old, out := p.quarantine.evict(); out; old, out = p.quarantine.evict() {
		eff.QuarantineEvicted++
		p.leave(old, eff)
	}
}

// AppendQuarantined appends the record of a quarantined callback: raw event.
func AppendQuarantined(dst, raw []byte, e *bridge.Event) []byte {
	return record.AppendEvent(record.AppendText(dst, raw), e)
}

// number returns the number of the next entry of a review queue.
func (p *Processor) number() uint64 {
	p.counters.Next++
	return p.counters.Next - 1
}

// leave has an entry leave the quarantine that has left the index.
func (p *Processor) leave(r QuarantineRecord, eff *Effects) {
	p.counters.Quarantine.Remove(r.Bytes)
	eff.Unquarantine = append(eff.Unquarantine, r)
}

// quarantineAtOnce is how many quarantine entries grow too old at a time.
const quarantineAtOnce = 1024

// forgetQuarantined takes out, some at a time, what has been in quarantine for longer than its entries are kept.
func (p *Processor) forgetQuarantined(now bridge.Millis, eff *Effects) {
	if p.opts.QuarantineMaxAge <= 0 {
		return
	}
	before := now - bridge.Millis(p.opts.QuarantineMaxAge.Milliseconds())
	for range quarantineAtOnce {
		old, found := p.quarantine.expire(before)
		if !found {
			return
		}
		eff.QuarantineEvicted++
		p.leave(old, eff)
	}
}

// publish emits the notice of a quarantined callback on the lane of its kind.
func (p *Processor) publish(notice *bridge.Event, now Moment, eff *Effects) error {
	l, err := p.lanes.get(notice.Lane, now)
	if err != nil {
		return err
	}
	l.Touched = notice.Recorded
	in := sequencer.Input{Action: sequencer.Arrive, At: now.At, Wall: notice.Recorded, ID: notice.ID}
	_, err = p.apply(l, in, notice, eff)
	return err
}
