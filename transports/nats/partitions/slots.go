package partitions

// slots is where the rows of a partition lie. A row has a slot for each of its parts, in their order.
type slots struct {
	rows map[string][]uint64
	free []freeSlot // in the order in which they became so
	end  uint64     // of all slots: none was used from here on
}

// freeSlot is a slot that nothing lies in.
type freeSlot struct{ slot, since uint64 } // the sequence at which it became free

func newSlots() *slots { return &slots{rows: make(map[string][]uint64)} }

// draft is what a commit would change of the slots.
type draft struct {
	of        *slots
	taken     int // of the free ones
	end       uint64
	rows      map[string][]uint64
	freed     []uint64
	forgotten uint64 // removals up to here are forgotten with it
}

func (s *slots) draft(forgotten uint64) *draft {
	return &draft{of: s, end: s.end, rows: make(map[string][]uint64), forgotten: forgotten}
}

// place gives a row as many slots as it has parts, of which it keeps those that it has, and returns them and those that
// it has no more.
func (d *draft) place(key string, parts int) (has, freed []uint64) {
	had := d.of.rows[key]
	if len(had) > parts {
		has, freed = had[:parts:parts], had[parts:]
	} else {
		has = append(has, had...)
	}
	for len(has) < parts {
		has = append(has, d.take())
	}
	d.rows[key] = has
	d.freed = append(d.freed, freed...)
	return has, freed
}

// take returns a slot that nothing lies in.
func (d *draft) take() uint64 {
	if d.taken < len(d.of.free) {
		f := d.of.free[d.taken]
		d.taken++
		d.forgotten = max(d.forgotten, f.since)
		return f.slot
	}
	d.end++
	return d.end - 1
}

// apply makes the changes, which were committed at a sequence.
func (d *draft) apply(sequence uint64) {
	s := d.of
	s.free, s.end = s.free[d.taken:], d.end
	for key, has := range d.rows {
		if len(has) == 0 {
			delete(s.rows, key)
		} else {
			s.rows[key] = has
		}
	}
	for _, slot := range d.freed {
		s.free = append(s.free, freeSlot{slot, sequence})
	}
}

// found notes what a slot was found to hold: a part of a row, or nothing, in which case the key is empty. Slots are
// found in the order in which they were written, and each once, unless it was written meanwhile.
func (s *slots) found(slot, sequence uint64, key string, part int) {
	s.end = max(s.end, slot+1)
	if key == "" {
		s.free = append(s.free, freeSlot{slot, sequence})
		return
	}
	if part == 0 {
		s.rows[key] = nil
	}
	s.rows[key] = append(s.rows[key], slot)
}
