package processor

import "livebridge/bridge"

// Action is the kind of an Input.
type Action byte

// The actions.
const (
	Arrive   Action = iota // a verified callback reaches the partition
	Expire                 // time has passed: holds end, and limits on all lanes together are kept
	Release                // an operator takes entries off a review queue and replays them
	Purge                  // an operator takes entries off a review queue
	Replay                 // an operator publishes events once more
	Reject                 // the broker will never take an event that was emitted
	Forget                 // housekeeping: what has had its time is forgotten, some of it at a time
	Remember               // what another partition remembers is remembered here too
	actions
)

// Input is one input of a partition. Beside Action and Now it has what its action asks for.
type Input struct {
	Action Action
	Now    Moment // stamped by the log; not part of the byte form

	Arrival  *bridge.Arrival    // of Arrive; its memory must stay until the effects are committed
	Queue    bridge.ReviewQueue // of Release and Purge
	Numbers  []uint64           // likewise
	Events   []*bridge.Event    // of Replay: copies, which get their new sequence
	Rejected Rejection          // of Reject
	Idle     []bridge.Lane      // of Forget: lanes of which nothing waits for the broker
	Unended  []bridge.Lane      // likewise: lanes that have a session whose end may be missing for too long
	Memory   *Memory            // of Remember
}

// Rejection is an event that the broker will never take, and why.
type Rejection struct {
	Event  *bridge.Event
	Reason bridge.Rejection
	Detail string
}
