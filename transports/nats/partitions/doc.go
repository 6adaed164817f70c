// Package partitions takes, reads and commits the partitions of an intake on JetStream: an owner's commit is one atomic
// batch to the state stream, of events, rows of the state and, last, the cursor.
//
// # Subjects
//
// Of a partition p, in the stream of the state, which keeps one message for each subject:
//
//	<state>.p.s.c             the cursor: who owns the partition, and where in the intake it is
//	<state>.p.s.r.<slot>      a row of the state, or a part of a large one, or nothing
//	<state>.p.s.w.<number>    what a commit that is too large for one batch still has to write
//	<state>.p.e.<id>.<rest>   an event; the output stream sources it as <prefix>.<rest>
//	<state>.p.q.<id>.<rest>   a notice of quarantine, likewise
//
// and <intake>.p in the stream of the intake, where a message has one input or many. The position of an input says
// which message it is in, and where there, so that a commit may end between two of them.
//
// # No key is ever deleted
//
// A key of a stream that was overwritten and then deleted, in whatever way, may come back with its old value when a
// server is killed, and only there: replicas of the stream then differ. So a row does not have a subject of its own,
// which would have to go with it; it lies in a slot. The slot of a row that is removed is overwritten by an empty
// message, and later by another row. There are never more slots than rows were there at one time, nothing needs a life
// that the settings would have to agree with, and there is nothing to come back.
//
// What it costs: an owner knows in which slot each row lies, for which it reads the headers of all slots when it takes
// the partition; and that a row was removed is forgotten once its slot is used again. Slots are used again in the order
// in which they became free, and the cursor says up to where removals may be forgotten: who has kept the state from
// before that reads it from its beginning.
//
// Events are written once and expire. They must be in the output by then, and expire there later than here: a stream
// that has nothing left of what it has sourced may source it again.
//
// # Commits
//
// The cursor is the last message of each batch and expects the sequence of the one before, so an owner that has been
// fenced commits nothing. A commit of more than a batch takes is written down first, as messages that nobody reads as
// rows or events, with a cursor that says so, which commits it; then it is carried out batch by batch, by this owner or
// by the one that takes the partition next.
package partitions
