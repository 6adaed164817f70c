// Package journal is the durable log of livebridge: what it has answered nil for cannot be lost. It holds the lanes, the
// identities that were seen, the outbox, the quarantine and the dead letters, all in one Pebble store, and is the only
// importer of Pebble.
//
// # One commit
//
// A single writer takes all callbacks that wait, lets the sequencer decide each, and writes callback, decision and lane
// state in one batch with one sync. While that sync runs the next batch fills (group commit). Append returns after the
// sync, the outbox hands events on after the sync, never before.
//
//	Append ─┐                    ┌► sync ─► Append returns nil
//	Append ─┼─► writer: decide ──┤
//	timer  ─┘   one batch        └► sync ─► outbox ─► Next ─► (broker) ─► Settle ─► Trim ─► removal rides a later batch
//
// # Crash model
//
// Assumed of the disk: a sync that returned nil has made everything written before it durable; what was not synced may
// be there, be missing or be torn, in any mixture; what happens to a directory becomes durable in its order. Pebble
// checks every record and block by checksum, and a torn end of the log is cut off. A flipped bit within the last 32 KiB of a log
// or manifest looks like such an end: the file WITNESS (see witness.go), which says what was there at the last start or
// end of a run, and the count of the outbox tell it from one. Whatever does not check ends the program with an error and
// is never skipped. What cannot be told: a bit that flips in the last 32 KiB of the log after a crash, in what was
// written since the start.
//
// Promised: after a crash at any instant, every callback that Append returned nil for is in the outbox (or was
// published), held, in the quarantine or in the dead letters, with the same sequence and marks as without the crash; a
// hold has what is left of it. An event may be published twice, with the same bytes.
//
// Not promised: anything for a callback that Append has not answered; that a failed sync may be repeated (it is not: the
// program ends); anything on a disk that lies about its syncs.
//
// # Keys
//
// One byte names the table. Numbers are big-endian, so that they sort. A lane is its kind's byte and its subject, which
// holds no byte below 0x21; 0x00 ends it.
//
//	m                                  meta: counters and buckets, see meta.go
//	v                                  version of this format
//	l  lane                            lane state: last key, sequence, holds, last activity
//	h  lane 00  session(8) phase(1)    an event that is held
//	o  lane 00  sequence(8)            outbox: commit number(8), event
//	i  bucket(8) id(16)                an identity that was seen
//	s  period(8) signature(16)         what a good signature was over: digest(16), id(16)
//	q  number(8)                       quarantine: what the limits need to know of an entry
//	Q  number(8)                       quarantine: the raw body, the event
//	d  number(8)                       dead letter: reason, event
package journal
