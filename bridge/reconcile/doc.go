// Package reconcile compares the streams that are online at the provider with the sessions that are open in the lanes:
// the only way to notice a callback that never came.
//
// A stream that is online without an open session was missed: its PUBLISH did not arrive. An open session whose stream
// is offline is stale: its PUBLISH_DONE did not arrive. Both are normal for a moment, since neither list is of the same
// instant, callbacks are on their way, and events are held for their order; so a difference counts once it has lasted
// for a grace period. Tracker is that comparison, without clock, disk or network; Reconciler runs it.
package reconcile
