package main

const natsPartitions = nats + "/partitions"

// natsReplicaMutants are faults of many replicas on JetStream.
func natsReplicaMutants() []mutant {
	return append(natsStateMutants(), []mutant{
		{"the cursor expects nothing", natsPartitions + "/fence.go",
			"\tm.Header.Set(jetstream.ExpectedLastSubjSeqHeader, fmt.Sprint(expected))\n",
			"\tif expected < 0 {\n\t\tm.Header.Set(jetstream.ExpectedLastSubjSeqHeader, fmt.Sprint(expected))\n\t}\n",
			natsPartitions, "TestFencedOwner"},
		{"the state of JetStream is read before the fence", natsPartitions + "/partitions.go",
			"\towned, err := p.fence(ctx, number)\n",
			"\tif r := p.reader(number, from, put); true {\n\t\t_ = r.log.open(ctx)\n\t\tr.log.close()\n\t}\n" +
				"\towned, err := p.fence(ctx, number)\n", natsPartitions, "TestFenceBeforeReading"},
		{"the epoch stays", natsPartitions + "/fence.go", "last.epoch+1", "max(last.epoch, 1)", natsPartitions,
			"TestFenceBeforeReading"},
		{"something in flight is taken for another owner", natsPartitions + "/batch.go",
			"isCode(err, codeInFlight, codeIncomplete", "isCode(err, codeIncomplete", natsPartitions,
			"TestWhatWasNotStoredIsSentAgain"},
		{"a commit without an answer is sent again", natsPartitions + "/batch.go",
			"errors.Is(err, nats.ErrNoResponders) ||",
			"errors.Is(err, nats.ErrNoResponders) || errors.Is(err, context.DeadlineExceeded) ||", natsPartitions,
			"TestUnansweredCommitCloses"},
		{"the end is told before it was read", natsPartitions + "/read.go", "ended := r.i.seen >= r.tick",
			"ended := r.i.seen <= r.tick", natsPartitions, "TestEndAfterInputs"},
		{"ticks of another owner tell the end", natsPartitions + "/intake.go", "err != nil || owner != i.owner",
			"err != nil || owner == \"\"", natsPartitions, "TestTicksOfOthers"},
		{"what was not sourced is removed", nats + "/replica_trim.go", "WithPurgeSequence(sequence))",
			"WithPurgeSequence(sequence+1000))", nats, "TestSourcedEventsAreRemoved"},
		{"a new state begins where its output has been", nats + "/replica_check.go", "last+1)", "last-last)", nats,
			"TestNewStateGoesOnBehindTheOld"},
	}...)
}

// natsStateMutants are faults of the state on JetStream.
func natsStateMutants() []mutant {
	return []mutant{
		{"a slot that is free is deleted", natsPartitions + "/row.go",
			"\t\tm.Header[headerRemoved] = []string{\"\"}\n",
			"\t\tm.Header[headerRemoved] = []string{\"\"}\n\t\tm.Header[headerTTL] = []string{\"1\"}\n", natsPartitions,
			"TestKilledServers"},
		{"slots are not used again", natsPartitions + "/slots.go", "if d.taken < len(d.of.free) {", "if false {",
			natsPartitions, "TestSlotsAreUsedAgain"},
		{"removals are forgotten without a word", natsPartitions + "/slots.go",
			"\t\td.forgotten = max(d.forgotten, f.since)\n", "", natsPartitions, "TestSlotsAreUsedAgain"},
		{"who knows the rows does not learn their slots", natsPartitions + "/restore.go", "\tif from > 0 {\n",
			"\tif false {\n", natsPartitions, "TestRemovalsAreSeen"},
		{"what was written down is not carried out", natsPartitions + "/restore.go", "if p.cursor.pieces == 0 {",
			"if p.cursor.pieces < 1000 {", natsPartitions, "TestLargeCommitIsFinished"},
		{"what was written down is carried out from its beginning", natsPartitions + "/large.go",
			"left := messages[p.cursor.done:]", "left := messages", natsPartitions, "TestLargeCommitIsFinished"},
		{"parts of a row are not put together", natsPartitions + "/restore.go",
			"\t\tr.partial.Value = append(r.partial.Value, m.Data()...)\n", "", natsPartitions, "TestRowsInParts"},
		{"each commit has a row of names", "bridge/store/cache_rows.go", "if key == nil {", "if true {", store,
			"TestRowsOfNamesAreFilled"},
		{"a row of names loses what it had", "bridge/store/cache_rows.go", "[]byte{rowVersion}, value...)",
			"[]byte{rowVersion}, value[:0]...)", store, "TestRowsOfNamesAreFilled"},
	}
}
