// Package outbox holds the events that are emitted and that the broker does not have on disk yet, lane by lane. What
// was committed a moment ago comes from memory. When that is full the outbox lets go, and reads the Backlog instead
// until nothing is left there. It implements dispatch.Outbox.
//
//	commit ─► Enqueue ─► queue ─► Next ─► (broker) ─► Settle ─► Trim ─► TakeWrites ─► Removed
//	             │         ▲                            │
//	             └► Backlog, read page by page          ├► retried: the lane waits
//	                                                    └► rejected: TakeWrites ─► DeadLettered
//
// It names what it has given out by lane and sequence and knows of the Backlog what a value can say: nothing in here
// points into a store, and whatever implements Backlog may sit on another disk.
//
// # Reading
//
// One page is read at a time: it is planned under the lock, read without it, and merged under it, so that what was read
// before can go out and what is emitted can come in meanwhile. The page that ends the backlog is read under the lock:
// nothing new can come between, and from then on the backlog is not needed.
//
// The states say where events lie that are not in memory; the table of what follows what is in state.go.
//
//	inMemory     nowhere: memory has all
//	known        in the Backlog; every lane with some of them has a queue
//	scanning     in the Backlog, where a scan finds the lanes that have no queue
//	rescanning   likewise, and the scan has gone past one of them: at its end it begins anew
//
// Memory knows a bounded number of lanes, has a bounded share of events of each, and reads a lane on when most of that
// is gone, so that a stuck lane starves no other.
package outbox
