// Package journal is the durable log of livebridge: what it has answered nil for cannot be lost. It is the writer: it
// has the processor decide what comes in, the store commit what was decided, and the outbox hand on what was committed.
//
// # One commit
//
// A single writer takes all callbacks that wait, applies each to the processor, and writes callback, decision and lane
// state in one batch with one sync. While that sync runs the next batch fills (group commit). Append returns after the
// sync, the outbox hands events on after the sync, never before.
//
//	Append ─┐                                              ┌► sync ─► Append returns nil
//	Append ─┼─► writer ─► processor.Apply ─► store.Batch ──┤
//	timer  ─┘             one after another     one batch  └► sync ─► outbox ─► (broker)
//	   ▲                                                                 │
//	   └────── what the broker has is removed by a later batch ◄─────────┘
//
// In one commit the callbacks that wait come first, then the deadlines that have passed, then what the outbox is done
// with. The crash model, and what is promised after a crash, is written down in package store.
//
// The writer alone touches the processor and writes to the store. Operators read the store beside it, and hand it what
// is to be changed as commands. Without a service, commands are carried out one by one (see OpenOffline).
//
// After a write or sync that failed, by whoever, nothing more is answered and the program ends.
package journal
