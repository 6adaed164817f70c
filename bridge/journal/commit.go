package journal

import (
	"time"

	"github.com/cockroachdb/pebble/v2"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/outbox"
	"livebridge/bridge/sequencer"
)

// commit is one batch in the making: everything that goes to disk together with one sync, and what may be reported to
// the outside once that sync is through.
type commit struct {
	j     *Journal
	batch *pebble.Batch
	clock clock

	number  uint64
	written bool             // to the store, and to be synced
	begun   time.Time        // when it was written
	waiting []*request       // to be answered nil
	emitted []outbox.Pending // to be handed to the outbox
	records []byte           // the same as bytes, each behind its length
	dirty   []*lane          // to be written

	// What the store does not show yet, since it is in this batch.
	ids           map[bridge.ID]struct{}
	signatureUses map[[16]byte]signatureUse
	held          map[bridge.ID]*bridge.Event

	quarantined    [][]zap.Field      // to be logged
	removed        []outbox.Removal   // go from the outbox
	expanded       []uint64           // are under their lanes now
	deadLettered   []outbox.Rejection // are dead letters now
	removedEntries map[uint64]bool    // dead letters that an operator has had taken off
	scratch        []byte
	emissions      []sequencer.Emission
}

// newCommit makes an empty commit, from the memory of one that is done where there is one.
func (j *Journal) newCommit(used *commit) *commit {
	if used == nil {
		used = &commit{
			ids:           make(map[bridge.ID]struct{}),
			signatureUses: make(map[[16]byte]signatureUse),
			held:          make(map[bridge.ID]*bridge.Event),
		}
	}
	clear(used.ids)
	clear(used.signatureUses)
	clear(used.held)
	clear(used.emitted)
	return &commit{
		j: j, batch: j.db.NewBatch(), clock: j.clock.read(),
		ids: used.ids, signatureUses: used.signatureUses, held: used.held,
		waiting: used.waiting[:0], emitted: used.emitted[:0], dirty: used.dirty[:0],
		records: used.records[:0], scratch: used.scratch, emissions: used.emissions,
	}
}

// empty reports whether there is nothing to write.
func (c *commit) empty() bool { return c.batch.Empty() && len(c.dirty)+len(c.removed) == 0 }

// needsSync reports whether something must be on disk before it may be reported to the outside.
func (c *commit) needsSync() bool { return len(c.waiting)+len(c.emitted)+len(c.deadLettered) > 0 }

// full reports whether the batch is large enough that more should wait for the next.
func (c *commit) full() bool { return len(c.waiting) >= 4096 || c.batch.Len()+len(c.records) > 4<<20 }

// lane returns a lane's state, whether it is in memory, on disk or new.
func (c *commit) lane(name bridge.Lane) (*lane, error) { return c.j.lanes.get(name, c.clock) }

// touch notes that the lane must be written with this commit.
func (c *commit) touch(l *lane) {
	if !l.dirty {
		l.dirty = true
		c.dirty = append(c.dirty, l)
	}
}

// seal writes what the commit has gathered in memory: the emissions, the lanes that changed, and the meta value.
func (c *commit) seal() error {
	if err := c.writeEmissions(); err != nil {
		return err
	}
	var key [128]byte
	for _, l := range c.dirty {
		c.scratch = l.appendState(c.scratch[:0], c.clock)
		if err := c.batch.Set(laneKey(key[:0], l.name), c.scratch, nil); err != nil {
			return err
		}
		l.dirty = false
	}
	c.j.meta.commit++
	c.number = c.j.meta.commit
	c.scratch = c.j.meta.append(c.scratch[:0])
	return c.batch.Set([]byte{tableMeta}, c.scratch, nil)
}
