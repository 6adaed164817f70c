// Package processor decides one partition: which callbacks are duplicates, which abuse a signature that was seen
// before, what their lanes emit and hold, what goes to the quarantine and to the dead letters, and what is forgotten.
// It is pure: no disk, no goroutine, no clock. An Input goes in, with its time; what changes is added to Effects:
//
//	Input ─► Apply ─► Effects ─► one commit: a synced batch on one machine,
//	           │                     │       a transaction or an atomic batch of a broker
//	           └───── View ◄─────────┘       what the commits have left
//
// Both Input and Effects are plain values. An Input has a byte form, so that it can be written to a log and applied
// elsewhere; Effects say everything that changes, and nothing has changed before whoever keeps them has committed them.
// Many inputs may go into the Effects of one commit: the processor knows what these say while the View does not show it
// yet, until Committed tells it that the View does.
//
// What it remembers in memory (a number of lanes, and those that hold something; what lies in quarantine) is a cache of
// what the View shows and changes no decision. An error of Apply is one of the View: the processor is not used any
// more.
package processor
