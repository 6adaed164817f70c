// Package cluster shares the work of one address among many replicas. Any replica takes any callback and writes it to
// the intake log of the broker; the owner of a partition decides what lies there, and commits events, state and
// position in one transaction of the broker:
//
//	             any replica                              the partition's owner
//	callback ─► Append ─► IntakeLog ─► 200     Read ─► processor.Apply ─► Commit: events      ─► output
//	                                                        ▲                      rows       ─► state
//	                                                        │                      position
//	                                              store.Cache ◄── rows, once committed
//
// What the broker must give is in package bridge: IntakeLog, Membership, Partitions and Partition. It gives ownership
// for liveness alone. What makes a commit of an owner fail that is one no more is the fence of Partitions.Take: what an
// owner has in memory and in its cache is never more than a copy of what was committed, and where it is not known what
// was, Take tells.
//
// Before it takes part a replica reads the state of all partitions into its caches (CatchUp), and reads on while
// others own them: taking one over is then a matter of what was committed since. Of the partitions that it owns a few
// commit at a time, so that under load one commit takes more.
//
// # Memory that comes along
//
// What a journal of one machine remembers comes into the partitions as inputs, pieces of processor.Memory (HandOver),
// and goes back into a journal in the same pieces, read of the state once nobody works on it (Memory). A piece changes
// nothing that is known: it is applied once, by its id, and a lane goes on from where it has come further. So either
// way may be interrupted anywhere, and begun again with the same salt. What cannot be told from a piece is when its
// identities came, and of which streams they are: all partitions get them, for a whole window.
//
// # Crash model
//
// Assumed of the broker: what Append has returned nil for stays, in its order; a commit is there with all that belongs
// to it or not at all; no commit of an owner before succeeds once Take has returned. A replica may end, stop and go on
// at any instant, and any answer of the broker may be lost.
//
// Promised: every callback that was answered 200 is decided once, in the order of its partition's log; what comes out
// is what one processor makes of that log. Holds end only while their owner has read all that was in the log when their
// time was over.
package cluster
