package bridge

import "time"

// OutputState is how far a stream that takes committed events from where they were committed is behind that.
type OutputState struct {
	Stream  string
	Behind  time.Duration // age of the oldest event that this replica has committed, and that the stream has not
	Waiting uint64        // events, whoever has committed them, as the broker says
}

// TopicState is the state of the topic or stream of events at the broker, at the last check.
type TopicState struct {
	Partitions int `json:"partitions"`
	Replicas   int `json:"replicas"` // of the partition with the fewest
	InSync     int `json:"in_sync"`  // of the partition with the fewest: replicas that have everything

	// Idempotent: what is sent again after a lost answer is recognised by the broker and stored once.
	Idempotent bool `json:"idempotent"`
}
