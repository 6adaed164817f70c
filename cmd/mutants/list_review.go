package main

// reviewMutants are in what a replica reads of partitions, and in what a store tells of what it remembers.
func reviewMutants() []mutant {
	const review, sessions, memory = "bridge/store/review.go", "bridge/store/review_session.go", "bridge/store/memory.go"
	return []mutant{
		{"an entry that was released stays listed", review,
			"\t\tdelete(entries, binary.BigEndian.Uint64(row.Key[1:]))\n", "", store, "TestReviewFollows"},
		{"a page begins with its own last entry", review, "number <= after", "number < after", store, "TestReviewFollows"},
		{"rows of another state go on from those before", review, "v.state.Origin != state.Origin", "false", store,
			"TestReviewOfAnotherState"},
		{"an entry's key has any length", review, "entries != nil && len(row.Key) != 9", "false", store,
			"TestReviewRefuses"},
		{"domains that begin alike share sessions", "bridge/store/keys.go", "bridge.KeepDot), '/')",
			"bridge.KeepDot))", store, "TestReviewKnowsOpenSessions"},
		{"a forgotten lane leaves its session open", sessions,
			"bridge.KindStream {\n\t\tdelete(v.open, string(row.Key))", "bridge.KindStream {", store,
			"TestReviewKnowsOpenSessions"},
		{"a damaged name is passed over", "bridge/store/existence_filter.go",
			"return errors.Join(err, it.Close())", "continue", store, "TestDamagedName"},
		{"a quarantine entry without an event is remembered", memory, "err == nil && !found",
			"err == nil && !found && false", store, "TestDamagedMemory"},
		{"who is told of memory cannot stop it", memory, "return failed == nil", "return true", store, "TestMemoryStops"},
		{"a queue that has failed is ready", "bridge/store/queue_writer.go", "if q.Err() != nil {", "if false {", store,
			"TestQueueIsReady"},
		{"a disk that cannot be measured has room", "bridge/store/queue_writer.go",
			"\t\t\tfree = 0\n", "\t\t\tfree = 1 << 40\n",
			store, "TestQueueOnADiskThatCannotBeMeasured"},
	}
}
