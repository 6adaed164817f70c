package outbox

// state is where the events lie that are not in memory.
type state uint8

const (
	inMemory   state = iota // nowhere
	known                   // on disk; every lane with some of them has a queue
	scanning                // on disk, where a scan finds the lanes that have no queue
	rescanning              // likewise, and the scan has gone past one of them
	states
)

// change is what leads from one state to another.
type change uint8

const (
	spilled change = iota // an event of a lane with a queue lies on disk alone
	missed                // one of a lane without a queue does, where the scan may not come by any more
	scanned               // the scan has come to the end
	allRead               // memory has every event
	changes
)

// transitions is what each change makes of each state.
func transitions() [states][changes]state {
	return [states][changes]state{
		//            spilled     missed      scanned   allRead
		inMemory:   {known, scanning, inMemory, inMemory},
		known:      {known, scanning, known, inMemory},
		scanning:   {scanning, rescanning, known, inMemory},
		rescanning: {rescanning, rescanning, scanning, inMemory},
	}
}

// spilled reports whether some events are on disk only.
func (s state) spilled() bool { return s != inMemory }

// complete reports whether every lane that has something on disk alone has a queue.
func (s state) complete() bool { return s == inMemory || s == known }

// change makes the transition.
func (o *Outbox) change(c change) { o.state = transitions()[o.state][c] }
