package processor

import "livebridge/bridge/record"

// deadLetter makes an event a dead letter, unless there are too many: then nothing changes, and the event stays where
// it is.
func (p *Processor) deadLetter(r Rejection, eff *Effects) {
	if p.counters.DeadLetters.Entries >= uint64(p.opts.DeadLettersMax) {
		return
	}
	p.keepDeadLetter(DeadLetter{Event: r.Event, Reason: r.Reason, Detail: r.Detail}, eff)
}

// keepDeadLetter keeps a dead letter under the next number.
func (p *Processor) keepDeadLetter(d DeadLetter, eff *Effects) {
	d.Number = p.number()
	p.scratch = d.AppendRecord(p.scratch[:0])
	p.counters.DeadLetters.Add(len(p.scratch))
	eff.bytes += len(p.scratch)
	eff.DeadLettered = append(eff.DeadLettered, d)
}

// AppendRecord appends the record of a dead letter: reason detail event.
func (d *DeadLetter) AppendRecord(dst []byte) []byte {
	return record.AppendEvent(record.AppendText(record.AppendText(dst, d.Reason), d.Detail), d.Event)
}
