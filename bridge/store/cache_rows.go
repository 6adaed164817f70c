package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/record"
)

// The rows of a partition's state, of which the broker keeps the last for each key. A key begins with the byte of its
// table, as on disk; a value begins with the version of its form. A row that is removed has no value.
//
//	m                                  what State has; the last row of every commit
//	l  lane                            lane state, and the events that it holds
//	i  part(8) commit(8)               identities that a commit has seen
//	s  part(8) commit(8)               signatures that a commit has seen, and what they were over
//	q  number(8)                       quarantine: what the limits need to know of an entry, the raw body, the event
//	d  number(8)                       dead letter
//	r  slot(1)                         result of an operator's command
//
//	l    version { length of the lane's record } [ { length of its sessions } ] { length event }*
//	i    version { id(16) }*
//	s    version { signature(16) digest of the signed fields(16) id(16) }*
//	q    version { length of the index record } raw event
//	d    version reason detail event
//	r    version command(16) outcomes
//
// Only lanes are written more than once. No rule rests on a removed row being gone: what a lane holds is what its state
// names, identities and signatures are looked for in parts that State has, and a number is given once. The row of a
// lane that has sessions is of a version of its own; all others are as they were before there were any.
const (
	rowVersion         = 1
	rowVersionSessions = 2
)

// Tables of rows and caches, beside those of a journal. A cache keeps the keys of all rows of names.
const (
	tableResult    = 'r'
	tableNamesRows = 'n'
)

const (
	identityBytes  = 16
	signatureBytes = 48
	namesKeyBytes  = 17
)

// errRowVersion says that a row was written by another version.
var errRowVersion = errors.New("unsupported version of a row; another version of livebridge has written it")

// rowValue returns a row's value behind its version.
func rowValue(value []byte) ([]byte, error) {
	if len(value) == 0 || value[0] != rowVersion {
		return nil, errRowVersion
	}
	return value[1:], nil
}

// Rows returns the rows that effects change, with the state as they leave it: next is the intake's position behind
// them. The cache changes with Apply.
func (c *Cache) Rows(eff *processor.Effects, next uint64, results []CommandResult) ([]bridge.Row, error) {
	w := rowWriter{c: c, eff: eff, commit: c.state.Commits + 1}
	if err := w.lanes(); err != nil {
		return nil, err
	}
	w.names()
	w.entries()
	state := c.state
	state.Commits, state.Next, state.Recorded = w.commit, next, eff.Now.Millis()
	state.SignaturesBelow = max(state.SignaturesBelow, eff.SignaturesBelow)
	state.Counters = eff.Counters
	if err := w.forgotten(&state); err != nil {
		return nil, err
	}
	w.results(&state, results)
	w.put([]byte{tableMeta}, state.value())
	return w.rows, nil
}

// rowWriter makes the rows of one commit.
type rowWriter struct {
	c      *Cache
	eff    *processor.Effects
	commit uint64
	rows   []bridge.Row
}

func (w *rowWriter) put(key, value []byte) {
	w.rows = append(w.rows, bridge.Row{Key: key, Value: value})
}

// lanes writes each lane that changed with what it holds.
func (w *rowWriter) lanes() error {
	var scratch []byte
	for i := range w.eff.Lanes {
		l := &w.eff.Lanes[i]
		scratch = l.AppendRecord(scratch[:0], w.eff.Now)
		value := appendLaneRow(nil, l, scratch)
		for _, h := range l.State.Held {
			e, err := w.held(l.Name, h.ID)
			if err != nil {
				return err
			}
			value = record.AppendText(value, e)
		}
		w.put(laneKey(nil, l.Name), value)
	}
	for _, name := range w.eff.Forgotten {
		w.put(laneKey(nil, name), nil)
	}
	return nil
}

// held returns the record of an event that a lane holds: one of this commit, or of one before.
func (w *rowWriter) held(lane bridge.Lane, id bridge.ID) ([]byte, error) {
	if i := slices.IndexFunc(w.eff.Held, func(e *bridge.Event) bool { return e.ID == id && e.Lane == lane }); i >= 0 {
		return record.AppendEvent(nil, w.eff.Held[i]), nil
	}
	events, err := w.c.heldOf(lane)
	for _, kept := range events {
		if kept.event.ID == id {
			return kept.record, err
		}
	}
	return nil, errors.Join(err, fmt.Errorf("lane %s holds event %s, which is not in its row", lane, id))
}

// names writes identities and signatures, those of one part into one row.
func (w *rowWriter) names() {
	buckets := make(map[uint64]uint64)
	for i := range w.eff.Counters.Buckets {
		b := &w.eff.Counters.Buckets[i]
		buckets[b.Number] = partOf(b)
	}
	parts := make(map[uint64]int) // of identities: where their row is
	for _, n := range w.eff.Identities {
		if part, alive := buckets[n.Part]; alive {
			w.name(parts, tableIdentity, part, n.Sum[:])
		}
	}
	clear(parts)
	for i := range w.eff.Signatures {
		s := &w.eff.Signatures[i]
		value := append(append(slices.Clone(s.Name.Sum[:]), s.Use.Signed[:]...), s.Use.ID[:]...)
		w.name(parts, tableSignature, s.Name.Part, value)
	}
}

// name adds a name to the row of its part.
func (w *rowWriter) name(parts map[uint64]int, table byte, part uint64, value []byte) {
	i, begun := parts[part]
	if !begun {
		i = len(w.rows)
		parts[part] = i
		w.put(binary.BigEndian.AppendUint64(numberKey(nil, table, part), w.commit), []byte{rowVersion})
	}
	w.rows[i].Value = append(w.rows[i].Value, value...)
}

// entries writes what goes to the review queues and what leaves them. What does both in one commit is not written.
func (w *rowWriter) entries() {
	gone := make(map[uint64]bool)
	for _, r := range w.eff.Unquarantine {
		gone[r.Number] = true
		w.put(numberKey(nil, tableQuarantineIndex, r.Number), nil)
	}
	for _, e := range w.eff.DeadLettersRemoved {
		gone[e.Number] = true
		w.put(numberKey(nil, tableDeadLetter, e.Number), nil)
	}
	for i := range w.eff.Quarantined {
		if q := &w.eff.Quarantined[i]; !gone[q.Number] {
			value := record.AppendText([]byte{rowVersion}, quarantineRecord(&q.QuarantineRecord))
			w.put(numberKey(nil, tableQuarantineIndex, q.Number), processor.AppendQuarantined(value, q.Raw, q.Event))
		}
	}
	for i := range w.eff.DeadLettered {
		if d := &w.eff.DeadLettered[i]; !gone[d.Number] {
			w.put(numberKey(nil, tableDeadLetter, d.Number), d.AppendRecord([]byte{rowVersion}))
		}
	}
}

// forgetAtOnce is how many rows of forgotten names one commit removes.
const forgetAtOnce = 500

// forgotten removes rows of parts that have been forgotten, some at a time.
func (w *rowWriter) forgotten(state *State) error {
	left := forgetAtOnce
	lower, upper := tableBounds(tableNamesRows)
	it, err := w.c.s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return err
	}
	for ok := it.First(); ok && left > 0; {
		key := it.Key()[1:]
		table, part := key[0], binary.BigEndian.Uint64(key[1:])
		if state.alive(table, part) {
			ok = it.SeekGE(numberKey([]byte{tableNamesRows}, table, part+1))
			continue
		}
		w.put(slices.Clone(key), nil)
		left--
		ok = it.Next()
	}
	return errors.Join(it.Error(), it.Close())
}
