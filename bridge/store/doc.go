// Package store keeps one partition on disk: everything that commits have left of it, in one Pebble store that nobody
// else imports. It writes the effects of a processor and what the outbox is done with as batches, each a commit of its
// own with one sync, and is the View that the processor decides on and the Backlog that the outbox reads.
//
//	processor ─ Effects ─┐                            ┌► View: lanes, entries, names ─► processor
//	                     ├► Batch ─► sync ─► tables ──┤
//	outbox ── Removals ──┘                            └► Backlog: events by lane ─► outbox
//
// Pebble shows a batch before its sync. Whoever reads the tables beside the writer may see what is not durable yet, and
// the number of its commit tells.
//
// # Crash model
//
// Assumed of the disk: a sync that returned nil has made everything written before it durable; what was not synced may
// be there, be missing or be torn, in any mixture; what happens to a directory becomes durable in its order.
//
//	log   │ commit 7 │ commit 8 │ commit 9 ~~~~┊            each commit: one record with its own checksum
//	                            ▲               ▲
//	                            │               what was written and not synced: may be cut anywhere, or be garbage;
//	                            │               it was never answered, and is left out
//	                            the last sync: all up to here was answered, published or neither
//
// Pebble checks every record and block by checksum. A flipped bit within the last 32 KiB of a log or manifest looks
// like a cut end: the file LAST_COMMIT (see commit_marker.go), which follows every sync, and the count of the outbox
// tell it from one. Whatever does not check ends the program with an error and is never skipped. The commit marker is
// not synced itself: when the power goes it may be as old as what the system had not written back, some seconds by
// default. What goes undetected: a bit that flips on the disk in what was written in that time before a loss of power.
// It is logged then (see torn.go).
//
// Promised: after a crash at any instant, every callback whose commit was waited for is in the outbox (or was
// published), held, in the quarantine or in the dead letters, with the same sequence and marks as without the crash; a
// hold has what is left of it. An event may be published twice, with the same bytes.
//
// Events leave the outbox in the order of their lane, none before the broker has it on disk, dead letters in their
// turn: under its lane what waits has no gap. An event batch leaves as a whole. What it still has of events that are
// done with may come out again after a crash, but for those before a later one of their lane that has left: they are
// left out (see recovery.go).
//
// After a write or sync that failed, by whoever, nothing more is answered and the program ends; it is not tried again,
// since what the disk has of it is not known. Where Pebble itself cannot go on (a directory that cannot be synced, a
// full log that cannot be closed) it ends the program by a panic, with exit code 2. The next start finds everything
// either way.
//
// Not promised: anything for a commit that was not waited for; anything on a disk that lies about its syncs.
//
// # Caches
//
// Where a broker keeps the state of a partition, a Cache has a copy of it in the same tables, and is the View that the
// partition's owner decides on. It is written without a log and without a sync, each commit with its position, so that
// a crash leaves one that the state had before; what it lacks is restored from the broker. The rows that the broker
// keeps are described in cache_rows.go.
//
// # Keys
//
// One byte names the table. Numbers are big-endian, so that they sort. A lane is its kind's byte and its subject, which
// holds no byte below 0x21; 0x00 ends it.
//
//	m                                  meta: counters and buckets
//	v                                  version of this format
//	l  lane                            lane state
//	e  lane                            the latest sessions of a lane of stream status; with SESSION_EVENTS only, and
//	                                   a version that does not know the table leaves it alone
//	h  lane 00  session(8) phase(1)    an event that is held
//	o  lane 00  sequence(8)            outbox: an event and the commit that emitted it
//	p  commit(8)                       outbox: all that a commit has emitted, while its events are in memory
//	i  bucket(8) id(16)                an identity that was seen
//	s  period(8) signature(16)         what a good signature was over
//	q  number(8)                       quarantine: what the limits need to know of an entry
//	Q  number(8)                       quarantine: the raw body, the event
//	d  number(8)                       dead letter: reason, detail, event
//	k  number(8)                       history: a published event that is kept
//	K  segment(8)                      history: what is known of a segment, by the number of its first entry
//	x  segment(8) lane 00  number(8)   history: where an entry is found by lane
//	y  segment(8) id(16)   number(8)   history: where an entry is found by id
//
// Entries of the history are numbered in the order in which they leave the outbox, and leave by segments, the oldest
// first: all keys of a segment follow one another in each of the tables, so that it goes with four range deletions.
//
// The event of sequence 2 of the lane push.example.com/live/room1 of stream status (kind 1), emitted by commit 9:
//
//	6f 01 70 75 73 68 … 2f 6c 69 76 65 2f 72 6f 6f 6d 31 00 00 00 00 00 00 00 00 02
//	o  │  p  u  s  h  …  /  l  i  v  e  /  r  o  o  m  1  │  sequence
//	   kind                                               end of the lane
//	00 00 00 00 00 00 00 09 │ event
//	commit
//
// # Values
//
// Numbers are varints (LEB128, signed ones zigzag) unless their bytes are given; a text has its length before it.
//
//	event       id(16) kind(1) phase(1) marks(1) scheme(1) session occurred recorded sequence
//	            type domain app stream reason subject data                           h; o, Q and d behind their heads
//	o           commit(8, big-endian) event
//	p           { length of what follows, as in o }*
//	l           touched session phase(1) sequence { session phase(1) id(16) deadline }*   last key, then what is held;
//	            the deadline is in nanoseconds of the wall clock, the only one that goes on while the program is down
//	e           touched { session started ended marks(1) stale(1) }*      as long as touched is that of l
//	m           commit floor next { entries bytes }*4 { bucket first last count }*
//	            usage of outbox, held, quarantine, dead letters;
//	            floor: what a new lane begins behind. At first the journal's creation in Unix milliseconds x 1000,
//	            so that sequences go on rising when the directory was lost; then the greatest sequence of a
//	            forgotten lane
//	i           nothing
//	s           digest of the signed fields(16) id(16)
//	q           id(16) signature(16) bytes received reason
//	Q           raw event
//	d           reason detail event
//	k           published partition offset topic subject event          time of the acknowledgement in Unix milliseconds
//	K           entries bytes from until                                from and until: of published
//	x, y        nothing
package store
