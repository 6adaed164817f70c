package processor

import "livebridge/bridge"

// Usage counts entries and the bytes of their records.
type Usage bridge.Usage

// Add counts one entry more.
func (u *Usage) Add(bytes int) { u.Entries, u.Bytes = u.Entries+1, u.Bytes+uint64(bytes) }

// Remove counts one entry less.
func (u *Usage) Remove(bytes int) { u.Entries, u.Bytes = u.Entries-1, u.Bytes-uint64(bytes) }

// Plus returns the sum.
func (u Usage) Plus(o Usage) Usage { return Usage{u.Entries + o.Entries, u.Bytes + o.Bytes} }

// Counters is what a partition knows of itself as a whole. It is committed with every change, so that a start needs to
// count nothing.
type Counters struct {
	Floor       uint64 // a new lane begins behind it: FirstFloor, or the greatest sequence of a forgotten lane
	Next        uint64 // number of the next quarantine entry or dead letter
	Held        Usage
	Quarantine  Usage
	DeadLetters Usage
	Buckets     []Bucket // of identities, oldest first
}

// Bucket is one of the few parts that identities are forgotten by.
type Bucket struct {
	Number uint64
	First  bridge.Millis // when it was begun
	Last   bridge.Millis // when the last identity came in
	Count  uint64
}

// SequencesPerMilli leaves a lane so many events for each millisecond of its partition's life.
const SequencesPerMilli = 1000

// lastMilli is the end of the year 9999, the last that an event's time can be written in.
const lastMilli = bridge.Millis(253_402_300_799_999)

// FirstFloor is the floor of a partition that is created at an instant. That of a later partition is higher than any
// lane of an earlier one has reached, so that sequences go on rising for a consumer when all was lost. A clock before
// 1970 gives 0.
func FirstFloor(now bridge.Millis) uint64 {
	return uint64(min(max(now, 0), lastMilli)) * SequencesPerMilli
}

// Identities returns how many identities are known.
func (c *Counters) Identities() (total uint64) {
	for _, b := range c.Buckets {
		total += b.Count
	}
	return total
}

// Bytes is what the records take that are counted.
func (c *Counters) Bytes() uint64 { return c.Held.Bytes + c.Quarantine.Bytes + c.DeadLetters.Bytes }
