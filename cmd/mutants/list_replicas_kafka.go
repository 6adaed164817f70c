package main

const (
	committed   = kafka + "/committed"
	membership  = kafka + "/membership"
	partitions  = kafka + "/partitions"
	transaction = kafka + "/transaction"
)

// kafkaReplicaMutants are faults of many replicas on Kafka.
func kafkaReplicaMutants() []mutant {
	return []mutant{
		{"the transactional bit is forgotten", "transports/kafka/producer/encoder.go", "attributes|transactional",
			"attributes",
			kafka, "TestTransactionalBatches"},
		{"the state is read before the fence", partitions + "/partitions.go",
			"\tid := fmt.Sprint(",
			"\tif err := p.restore(number, put).run(ctx, from); err != nil {\n\t\treturn nil, err\n\t}\n" +
				"\tid := fmt.Sprint(", kafka, "TestFenceBeforeReading"},
		{"aborted transactions are not sorted", committed + "/filter.go",
			"\tslices.SortFunc(aborted, func(a, b abortedTransaction) int { return cmp.Compare(a.first, b.first) })\n",
			"\tslices.SortFunc(aborted, func(a, b abortedTransaction) int { return cmp.Compare(0, 0) })\n", committed,
			"TestCommittedRecords"},
		{"markers begin no aborted transaction", committed + "/filter.go",
			"f.aborted[0].first <= b.last {", "f.aborted[0].first <= b.last && !b.control() {", committed,
			"TestCommittedRecords"},
		{"a marker ends no aborted transaction", committed + "/filter.go", "\t\t\tdelete(f.open, b.producer)\n", "",
			committed,
			"TestCommittedRecords"},
		{"an emptied batch is not stepped over", committed + "/reader.go", "next = max(next, b.last+1)",
			"next = max(next, b.first+int64(b.count))", committed, "TestCommittedRecords"},
		{"the time of the log is not seen", committed + "/batch.go", "out.Time = b.maxTme", "out.Time = b.firstTime",
			committed,
			"TestTimes"},
		{"records that are sent again are empty", transaction + "/produce.go", "\t\tif out[i] = err; err == nil {\n",
			"\t\tb.Set = b.Set[:0]\n\t\tif out[i] = err; err == nil {\n", kafka,
			"TestTransactionCodes|TestReplicasLoseAnswers"},
		{"a transaction under way ends the producer", transaction + "/codes.go", "\tcase concurrentTransactions, ",
			"\tcase ",
			kafka, "TestTransactionCodes|TestTakeAsksAgain"},
		{"a fence is an error like others", transaction + "/codes.go", "%w: %w\", what, bridge.ErrFenced, err)",
			"%v: %w\", what, bridge.ErrFenced, err)", kafka, "TestTransactionCodes"},
		{"a commit is ended as an abort", transaction + "/producer.go", "err = p.end(ctx, true)", "err = p.end(ctx, false)",
			kafka, "TestReplicas/all_of_a_commit"},
		{"a commit that is too large is not aborted", transaction + "/producer.go",
			"aborted := p.end(ctx, false); aborted != nil", "aborted := error(nil); aborted != nil", kafka,
			"TestEventTooLargeForTheBroker"},
	}
}

// kafkaPartitionMutants are faults of partitions, topics and the group.
func kafkaPartitionMutants() []mutant {
	return []mutant{
		{"the position is not in the transaction", partitions + "/commit.go",
			"\treturn append(out, producer.Record{Key: []byte{}, Value: at.encode()}), nil\n",
			"\treturn append(out, producer.Record{Key: []byte{0}, Value: at.encode()}), nil\n", kafka,
			"TestReplicas/all_of_a_commit"},
		{"the state's count is behind the position", partitions + "/commit.go", "uint64(last.Records) - 1",
			"uint64(last.Records)",
			kafka, "TestReplicas/restore_from_a_position"},
		{"the end is what a fetch says", partitions + "/read.go", "p.intake.next >= uint64(end)",
			"p.intake.next >= 0*uint64(end)",
			kafka, "TestEndIsAskedFor"},
		{"a read that is cancelled loses what was fetched", partitions + "/read.go",
			"\tif len(records) > 0 && ctx.Err() != nil {\n", "\tif false {\n", kafka, "TestReplicas/read_is_cancelled"},
		{"who reads all the time never asks for the end", partitions + "/read.go", "time.Since(p.ended) < endInterval",
			"endInterval > 0", kafka, "TestReplicas/end_under_load"},
		{"the wrong event is rejected", partitions + "/commit.go", "p.rejected(b.Topic, p.events[large.Batch], ",
			"p.rejected(b.Topic, large.Batch, ", kafka, "TestEventTooLargeForTheBroker"},
		{"a consumer is given what was aborted", kafka + "/consume.go", "Partition: n, Committed: true}", "Partition: n}",
			kafka,
			"TestConsumeCommitted"},
		{"a zombie keeps its partitions", membership + "/sticky.go", "-cmp.Compare(had", "cmp.Compare(had", membership,
			"TestAssignments"},
		{"an owner that was fenced is never asked again", membership + "/group.go", "\t\tcase g.again <- struct{}{}:\n",
			"\t\tcase make(chan struct{}) <- struct{}{}:\n", kafka, "TestFencedByNobody"},
		{"topics of other sizes are taken", kafka + "/open_replicas.go", "n != r.count {", "n == 0 {", kafka,
			"TestReplicaTopics"},
		{"a state that is not compacted is taken", kafka + "/role.go", "known && policy != \"compact\"",
			"known && policy == \"\"",
			kafka, "TestReplicaTopics"},
		{"keys that were removed come back", partitions + "/restore.go", "(kept < 0 || kept > int64(from))", "kept < -1",
			kafka,
			"TestForgottenState"},
		{"another number of partitions is not noticed", partitions + "/restore.go", "p.partitions != r.p.opts.Count",
			"p.partitions == 0", kafka, "TestOtherNumberOfPartitions"},
	}
}
