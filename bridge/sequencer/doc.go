// Package sequencer decides in which order a lane emits its events, and their marks. It is pure: Apply maps a state
// and one input to the next state and the emissions; it has no clock, no disk and no goroutine, so the same inputs
// give the same output on every run, after every restart.
//
// One session of a stream is a PUBLISH and a PUBLISH_DONE under one publish_timestamp; the keys (session, phase) of a
// lane are totally ordered. Events that arrive in order are emitted at once. Others are held until the missing event
// arrives or their hold ends; no event waits for longer and none is dropped:
//
//	arrives                                   emitted
//	P1 D1 P2 D2                               P1 D1 P2 D2, each at once
//	D1 P1         (D1 waits for its start)    P1 D1
//	D1 ... P1     (the hold ends first)       D1 start_unseen, then P1 late
//	P1 P2 D1      (P2 waits for the end)      P1 D1 P2
//	P1 P2 ... D1  (the hold ends first)       P1, P2 prev_unended, then D1 late
//
// The sequencer does not detect duplicates: the journal does, by the ids it knows.
package sequencer
