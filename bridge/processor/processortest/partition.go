package processortest

import (
	"time"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// Partition is a processor on a Memory, and the log before it. Time passes as it is told to: holds end at their
// instants, and what has had its time is forgotten every second, as a service does it, or seldomer.
type Partition struct {
	*Memory
	*processor.Processor
	Options processor.Options
	Total   Total
	Every   time.Duration // of forgetting

	running  time.Duration
	wall     time.Time // when running was 0, moved by Jump
	forgot   time.Duration
	effects  processor.Effects
	Outcomes []bridge.Outcome  // of the last command
	Replayed []bridge.Emission // likewise
}

// Total is what all commits have counted.
type Total struct {
	Duplicates, Holds, QuarantineEvicted int
	IdentitiesEvicted                    uint64
	Quarantined                          map[bridge.Reason]int
	Marks                                map[string]int
	Filtered                             map[string]int // by type
}

// Begin returns a partition that begins at an instant.
func Begin(o processor.Options, wall time.Time) (*Partition, error) {
	p := &Partition{Memory: New(bridge.MillisOf(wall)), Options: o, Every: time.Second, wall: wall}
	p.Total.Quarantined, p.Total.Marks = make(map[bridge.Reason]int), make(map[string]int)
	p.Total.Filtered = make(map[string]int)
	return p, p.Restart()
}

// Now returns the moment.
func (p *Partition) Now() processor.Moment {
	return processor.MomentOf(p.running, p.wall.Add(p.running))
}

// Restart begins anew with what the commits have left, and lets holds end that have ended meanwhile.
func (p *Partition) Restart() (err error) {
	p.effects = processor.Effects{}
	p.Processor, err = processor.New(p.Options, p.Memory, p.Memory.Counters, p.Kept(), p.Now())
	if err == nil {
		err = p.Do()
	}
	return err
}

// Down lets time pass without a service.
func (p *Partition) Down(d time.Duration) error {
	p.running += d
	return p.Restart()
}

// Do applies inputs, ends holds that are over, and commits.
func (p *Partition) Do(inputs ...processor.Input) error {
	for _, in := range append(inputs, processor.Input{Action: processor.Expire}) {
		in.Now = p.Now()
		if err := p.Apply(in, &p.effects); err != nil {
			return err
		}
	}
	p.count()
	p.Outcomes, p.Replayed = p.effects.Outcomes, p.effects.Replayed
	p.Commit(&p.effects)
	p.Committed()
	p.effects.Reset()
	return nil
}

// Arrive has callbacks decided in one commit.
func (p *Partition) Arrive(arrivals ...*bridge.Arrival) error {
	var inputs []processor.Input
	for _, a := range arrivals {
		inputs = append(inputs, processor.Input{Action: processor.Arrive, Arrival: a})
	}
	return p.Do(inputs...)
}

// Pass lets time pass.
func (p *Partition) Pass(d time.Duration) error {
	for end := p.running + d; ; {
		next := min(p.forgot+p.Every, end)
		if deadline, holding := p.Deadline(); holding {
			next = min(next, max(time.Duration(deadline), p.running))
		}
		p.running = next
		inputs := []processor.Input{{Action: processor.Expire}}
		if p.running >= p.forgot+p.Every {
			p.forgot = p.running
			inputs = append(inputs, processor.Input{Action: processor.Forget, Idle: p.Idle(p.Now()),
				Unended: p.Unended(p.Now(), p.Options.SessionStaleAfter)})
		}
		if err := p.Do(inputs...); err != nil || p.running == end {
			return err
		}
	}
}

func (p *Partition) count() {
	t, eff := &p.Total, &p.effects
	t.Duplicates += eff.Duplicates
	t.Holds += len(eff.Held)
	t.QuarantineEvicted += eff.QuarantineEvicted
	t.IdentitiesEvicted += eff.IdentitiesEvicted
	for _, q := range eff.Quarantined {
		t.Quarantined[q.What.Reason]++
	}
	for _, e := range eff.Filtered {
		t.Filtered[e.Type]++
	}
	for _, e := range eff.Emitted {
		for _, mark := range e.Marks.List() {
			t.Marks[mark]++
		}
	}
}
