package bridge

// TopicState is the state of the topic or stream of events at the broker, at the last check.
type TopicState struct {
	Partitions int `json:"partitions"`
	Replicas   int `json:"replicas"` // of the partition with the fewest
	InSync     int `json:"in_sync"`  // of the partition with the fewest: replicas that have everything

	// Idempotent: what is sent again after a lost answer is recognised by the broker and stored once.
	Idempotent bool `json:"idempotent"`
}
