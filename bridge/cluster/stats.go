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

	Epoch        uint64        // of the ownership of this replica, the last one; 0: the broker tells none
	Takeovers    uint64        // by this replica
	Taken        Change        // the last one
	TakeoverTime time.Duration // of the last one: from its beginning to the first read of the intake
	RestoredRows uint64        // of the state, since the last one began
	Restored     float64       // part of the state that was read, while it is Restoring; 0: not known
	GivenUp      Change        // the end of what it owned, or did not get to own, the last one

	StateCommits uint64        // by all owners, as of the last commit that this replica knows
	Next         uint64        // position in the intake that is read next, likewise
	Backlog      uint64        // inputs of the intake that are not committed, as of the last read
	Behind       time.Duration // age of the oldest of them that was read; 0: there is none

	Commits, Inputs, Events uint64 // by this replica
	Aborts                  uint64 // commits that it has begun and that have failed, or whose answer was lost
	Fenced, Failures        uint64 // ownerships that ended because the broker fenced it out, or by an error
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
	oldest  time.Duration // when the intake took what Stats.Behind is about, in the time that the program has run
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
	all, now := make([]Stats, len(c.stats)), c.opts.now()
	progress, known := c.opts.Partitions.(bridge.RestoreProgress)
	for i, p := range c.stats {
		all[i] = p.at(now)
		if known && all[i].State == Restoring {
			all[i].Restored = progress.Restored(i)
		}
	}
	return all
}

// Now returns how long the program has run, by which Stats tell when something was, and the wall clock.
func (c *Cluster) Now() (running time.Duration, wall time.Time) { return c.opts.Clock() }

// at returns the stats as they are at an instant.
func (p *partitionStats) at(now time.Duration) (s Stats) {
	p.change(func(known *Stats) {
		if s = *known; s.Backlog > 0 {
			s.Behind = max(0, now-p.oldest)
		}
	})
	return s
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
	p.change(func(s *Stats) { p.began, s.RestoredRows, s.Backlog = now, 0, 0 })
}

func (p *partitionStats) restored(rows int) {
	p.change(func(s *Stats) { s.RestoredRows += uint64(rows) })
}

// taken notes a takeover. It is committed up to the position of the state.
func (p *partitionStats) taken(
	clock func() (time.Duration, time.Time), why Why, epoch uint64, state *store.State, of *processor.Processor,
) {
	now, wall := clock()
	p.shows(state, of)
	p.become(Owner, now)
	p.change(func(s *Stats) {
		s.Takeovers++
		s.Taken, s.Epoch = Change{At: wall, Why: why}, epoch
		s.TakeoverTime = now - p.began
	})
}

// takeover is what a log line says of the last one.
func (p *partitionStats) takeover() (fields []zap.Field) {
	p.change(func(s *Stats) {
		fields = []zap.Field{zap.String("why", string(s.Taken.Why)), zap.Uint64("epoch", s.Epoch),
			zap.Duration("took", s.TakeoverTime), zap.Uint64("restored_rows", s.RestoredRows),
			zap.Uint64("commits", s.StateCommits), zap.Uint64("next", s.Next)}
	})
	return fields
}

// owned is what a log line says of an ownership that ends; none: the partition was not owned.
func (p *partitionStats) owned(now time.Duration) (fields []zap.Field) {
	p.change(func(s *Stats) {
		if s.State == Owner {
			fields = []zap.Field{zap.Uint64("epoch", s.Epoch), zap.Duration("owned", now-s.Since), zap.Uint64("next", s.Next)}
		}
	})
	return fields
}

// read notes how much of the intake waits to be committed, and when the intake has taken the oldest of it, in the time
// that the program has run.
func (p *partitionStats) read(backlog uint64, oldest time.Duration) {
	p.change(func(s *Stats) { s.Backlog, p.oldest = backlog, oldest })
}

// waits notes how much of the intake waits to be read, of which nothing is known but that it is not older than what
// waited before.
func (p *partitionStats) waits(backlog uint64, now time.Duration) {
	p.change(func(s *Stats) {
		if s.Backlog == 0 {
			p.oldest = now
		}
		s.Backlog = backlog
	})
}

func (p *partitionStats) committed(b *batch) {
	p.change(func(s *Stats) {
		s.Commits++
		s.Inputs += uint64(b.records)
		s.Events += uint64(len(b.events))
		s.Backlog -= min(s.Backlog, uint64(b.records))
		if b.records > 0 {
			p.oldest = time.Duration(b.effects.Now.At)
		}
	})
}

// shows notes what the state has.
func (p *partitionStats) shows(state *store.State, of *processor.Processor) {
	p.change(func(s *Stats) {
		s.StateCommits, s.Next, s.Holding, s.OldestHold = state.Commits, state.Next, of.Holding(), of.OldestHold()
		s.Quarantine, s.DeadLetters = bridge.Usage(state.Counters.Quarantine), bridge.Usage(state.Counters.DeadLetters)
	})
}

func (p *partitionStats) aborted() { p.change(func(s *Stats) { s.Aborts++ }) }

func (p *partitionStats) unreadable() { p.change(func(s *Stats) { s.Unreadable++ }) }

// gaveUp notes that this replica does nothing for the partition any more.
func (p *partitionStats) gaveUp(why Why, clock func() (time.Duration, time.Time)) {
	now, wall := clock()
	p.change(func(s *Stats) {
		if s.State == NotOwner {
			return // it had not begun
		}
		s.State, s.Since, s.Backlog, s.GivenUp = NotOwner, now, 0, Change{At: wall, Why: why}
		if why == WhyFenced || why == WhyTimedOut {
			s.State = FencedOwner
			s.Fenced++
		}
	})
}

// failed notes that an ownership has ended by an error, and reports whether it has committed anything.
func (p *partitionStats) failed(clock func() (time.Duration, time.Time)) (worked bool) {
	now, wall := clock()
	p.change(func(s *Stats) {
		s.Failures++
		worked = s.Commits > p.commits
		p.commits, s.State, s.Since, s.GivenUp = s.Commits, WaitingTake, now, Change{At: wall, Why: WhyError}
	})
	return worked
}
