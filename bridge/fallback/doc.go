// Package fallback takes callbacks while the intake that many replicas share does not: the broker is away, slow, or
// electing a leader. What the intake has not acknowledged within a budget goes to a queue on this machine's disk and is
// acknowledged from there; it is forwarded to the intake later.
//
//	Append ─► intake, within the budget ──────────────────► nil
//	   │          not acknowledged, or the stream waits
//	   └────► queue on disk, synced ──────────────────────► nil
//	               └── Forward ─► intake, stream by stream in order
//
// A callback may reach the intake twice: it may have taken what it did not acknowledge in time, and a crash may come
// between a forwarded callback and its removal from the queue. The owner of the partition knows it by its identity.
//
// Order: while callbacks of a stream wait in the queue, every other callback of it goes there too, so that what was
// acknowledged first reaches the intake first.
package fallback
