package cluster

import (
	"sync"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/store"
)

// Stats is what a replica knows of a partition.
type Stats struct {
	Partition int
	State     Ownership
	Since     time.Duration // when it became so, in the time that the program has run

	Takeovers    uint64        // by this replica
	TakeoverTime time.Duration // of the last one: from its beginning to the first read of the intake
	RestoredRows uint64        // of the state, since the last one began

	StateCommits uint64        // by all owners, as of the last commit that this replica knows
	Next         uint64        // position in the intake that is read next, likewise
	Behind       time.Duration // age of what was read last, while there is more in the intake

	Commits, Inputs, Events uint64 // by this replica
	Fenced, Failures        uint64 // ownerships that ended because another replica took over, or by an error
	Unreadable              uint64 // records of the intake that were left out

	Holding     int           // events held
	OldestHold  bridge.Millis // when the one was put on hold that is held the longest; 0: nothing is held
	Quarantine  bridge.Usage
	DeadLetters bridge.Usage
}

// Ownership is what a replica is to a partition.
type Ownership string

// The ownerships.
const (
	NotOwner    Ownership = "other"      // another replica's, or nobody's
	Restoring   Ownership = "restoring"  // given to this one, which restores the state
	Owner       Ownership = "owner"      // this one works on it
	WaitingTake Ownership = "waiting"    // given to this one, which waits to take it anew after an error
	FencedOwner Ownership = "fenced_out" // taken over by another; this one waits for the membership to give it again
)

// statsTable has the stats of all partitions.
type statsTable []*partitionStats

// partitionStats is the stats of one partition, told by its owner and read by anybody.
type partitionStats struct {
	mu      sync.Mutex
	s       Stats
	began   time.Duration // the takeover
	commits uint64        // when an ownership has failed last
}

func newStats(partitions int) statsTable {
	t := make(statsTable, partitions)
	for i := range t {
		t[i] = &partitionStats{s: Stats{Partition: i, State: NotOwner}}
	}
	return t
}

func (t statsTable) of(partition int) *partitionStats { return t[partition] }

// Stats returns what this replica knows of each partition.
func (c *Cluster) Stats() []Stats {
	all := make([]Stats, len(c.stats))
	for i, p := range c.stats {
		p.mu.Lock()
		all[i] = p.s
		p.mu.Unlock()
	}
	return all
}

func (p *partitionStats) change(f func(s *Stats)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.s)
}

// become notes what the replica is to the partition from now on.
func (p *partitionStats) become(o Ownership, now time.Duration) {
	p.change(func(s *Stats) { s.State, s.Since = o, now })
}

func (p *partitionStats) taking(now time.Duration) {
	p.become(Restoring, now)
	p.change(func(s *Stats) { p.began, s.RestoredRows, s.Behind = now, 0, 0 })
}

func (p *partitionStats) restored(rows int) {
	p.change(func(s *Stats) { s.RestoredRows += uint64(rows) })
}

func (p *partitionStats) taken(now time.Duration, state *store.State, of *processor.Processor) {
	p.shows(state, of)
	p.change(func(s *Stats) { s.Takeovers++; s.TakeoverTime = now - p.began })
	p.become(Owner, now)
}

// takeover is what a log line says of the last one.
func (p *partitionStats) takeover() (fields []zap.Field) {
	p.change(func(s *Stats) {
		fields = []zap.Field{zap.Duration("took", s.TakeoverTime), zap.Uint64("restored_rows", s.RestoredRows),
			zap.Uint64("commits", s.StateCommits), zap.Uint64("next", s.Next)}
	})
	return fields
}

func (p *partitionStats) committed(b *batch) {
	p.change(func(s *Stats) {
		s.Commits++
		s.Inputs += uint64(b.records)
		s.Events += uint64(len(b.events))
	})
}

// shows notes what the state has.
func (p *partitionStats) shows(state *store.State, of *processor.Processor) {
	p.change(func(s *Stats) {
		s.StateCommits, s.Next, s.Holding, s.OldestHold = state.Commits, state.Next, of.Holding(), of.OldestHold()
		s.Quarantine, s.DeadLetters = bridge.Usage(state.Counters.Quarantine), bridge.Usage(state.Counters.DeadLetters)
	})
}

// read notes how far behind the intake the owner is.
func (p *partitionStats) read(records []bridge.IntakeRecord, end bool, now processor.Moment) {
	p.change(func(s *Stats) {
		if s.Behind = 0; !end && len(records) > 0 {
			s.Behind = now.Wall.Sub(time.UnixMilli(int64(records[len(records)-1].Recorded)))
		}
	})
}

func (p *partitionStats) unreadable() { p.change(func(s *Stats) { s.Unreadable++ }) }

// release notes that this replica does nothing for the partition any more.
func (p *partitionStats) release(now time.Duration) {
	p.change(func(s *Stats) {
		if s.Behind, s.Since = 0, now; s.State != FencedOwner {
			s.State = NotOwner
		}
	})
}

func (p *partitionStats) fencedOut() {
	p.change(func(s *Stats) { s.Fenced++; s.State = FencedOwner })
}

// failed notes that an ownership has ended by an error, and reports whether it has committed anything.
func (p *partitionStats) failed(now time.Duration) (worked bool) {
	p.change(func(s *Stats) {
		s.Failures++
		worked = s.Commits > p.commits
		p.commits, s.State, s.Since = s.Commits, WaitingTake, now
	})
	return worked
}
