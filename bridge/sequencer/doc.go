// Package sequencer decides in which order a lane's events come out and what each says about its place there. It is
// pure: Apply takes a state and one input and returns the next state and what is emitted; it has no clock, no disk and
// no goroutine, so the same inputs give the same output on every run, after every restart.
//
// One session of a stream is a PUBLISH and a PUBLISH_DONE under one publish_timestamp; the keys (session, phase) of a
// lane are totally ordered. What arrives in order goes out at once. What does not waits for the event that it misses,
// up to a hold of its own, and nothing ever waits for longer or is dropped:
//
//	arrives                                   comes out
//	P1 D1 P2 D2                               P1 D1 P2 D2, each at once
//	D1 P1         (D1 waits for its start)    P1 D1
//	D1 ... P1     (the hold ends first)       D1 start_unseen, then P1 late
//	P1 P2 D1      (P2 waits for the end)      P1 D1 P2
//	P1 P2 ... D1  (the hold ends first)       P1, P2 prev_unended, then D1 late
//
// Repeats of an event are not looked for here: the journal knows the ids that it has seen.
package sequencer
