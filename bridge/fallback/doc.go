// Package fallback takes inputs while the intake log of a broker does not: away, slow, electing a leader. What the log
// has not acknowledged within a budget goes to a queue on this machine's disk and is acknowledged from there; it is
// forwarded to the log later.
//
//	Append ─► intake log, within the budget ──────────────► nil
//	   │          not acknowledged, or the partition waits
//	   └────► queue on disk, synced ──────────────────────► nil
//	               └── Forward ─► intake log, lane by lane in order
//
// An input may reach the log twice: the log may have taken what it did not acknowledge in time, and a crash may come
// between a forwarded input and its removal from the queue. The owner of the partition knows it by its identity.
//
// Order: while inputs of a partition wait in the queue, every other input of it goes there too, so that what was
// acknowledged first reaches the log first, lane by lane.
package fallback
