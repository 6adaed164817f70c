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
// # Rules
//
// Comments and tests name these rules by their numbers. Last is the key that rules 5 to 7 have emitted last.
//
//  1. An event whose id is known is dropped. That is for package processor, which knows the ids.
//  2. An event without a usable session is emitted at once, unsequenced.
//  3. An event with the key of Last, or of a held event, is emitted at once, reopened.
//  4. An event with a key below Last is emitted at once, late: waiting cannot help.
//  5. Any other event is held. Then the smallest held event is emitted as long as it is ready: a DONE when Last is its
//     own PUBLISH, a PUBLISH when Last is a DONE or there is none.
//  6. When a deadline passes, every held event up to and including that one is emitted, in the order of their keys.
//     Then rule 5 goes on.
//  7. While a lane holds too much, its smallest event is emitted, and then rule 5 goes on. While all lanes together do,
//     that is the lane with the nearest deadline.
package sequencer
