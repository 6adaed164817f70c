package main

// fallbackMutants are in what takes inputs while the intake log of a broker is away.
func fallbackMutants() []mutant {
	const fallback = "bridge/fallback"
	return []mutant{
		{"an input passes those that wait in the queue", "bridge/fallback/journal.go",
			"if j.Waiting(a.Event.Lane) == 0 {", "if true {", fallback, "TestNothingPasses|TestAway|TestRestart"},
		{"what the last run has queued is not counted", "bridge/fallback/journal.go",
			"j.count(streamOf(a), 1)", "j.count(streamOf(a), 0)", fallback, "TestRestart"},
		{"an input that found no room counts as queued", "bridge/fallback/journal.go",
			"j.count(stream, -1)\n", "", fallback, "TestFull"},
		{"the intake log may take as long as it likes", "bridge/fallback/journal.go",
			"context.WithTimeout(ctx, j.opts.Budget)", "context.WithTimeout(ctx, 2*j.opts.Budget)", fallback, "TestAway"},
		{"an input that is too large goes to the queue", "bridge/fallback/journal.go",
			"if err == nil || bridge.IsRejected(err) {", "if err == nil {", fallback, "TestRejected"},
		{"a lane goes on behind an input that is stuck", "bridge/fallback/forward.go",
			"return stuck[stream] != nil", "return false", fallback, "TestRejected"},
		{"one lane that is stuck holds up the queue", "bridge/fallback/forward.go",
			"if !bridge.IsRejected(err) {", "if err != nil {", fallback, "TestRejected"},
		{"what is forwarded counts as waiting for ever", "bridge/fallback/forward.go",
			"j.count(streamOf(q.arrival), -1)", "j.count(streamOf(q.arrival), 0)", fallback, "TestAway"},
		{"the inputs of a lane are forwarded in any order", "bridge/fallback/forward.go",
			"append(streams[streamOf(a)], queued{in, a})", "append([]queued{{in, a}}, streams[streamOf(a)]...)",
			fallback, "TestAway"},
		{"an input is in the queue before it is on disk", "bridge/store/queue_writer.go",
			"q.next+1, pebble.Sync, added", "q.next+1, pebble.NoSync, added", store, "TestQueueSurvivesACrash"},
		{"a queue begins again at the first number", "bridge/store/queue.go",
			"q.next = in.Number\n", "", store, "TestQueueGoesOn"},
		{"topics that cannot be shared are kept quiet", "cmd/livebridge/engine_replica.go",
			"\tif err != nil {\n\t\treturn err\n\t}\n\to :=", "\tif err != nil {\n\t\treturn nil\n\t}\n\to :=", livebridge,
			"TestReplicaOfOtherTopics"},
		{"callbacks in the queue are left behind by INTAKE=local", "cmd/livebridge/engine_change.go",
			"return len(waiting) > 0, errors", "return len(waiting) > 1, errors", livebridge, "TestIntakeChanges"},
		{"events in the journal are left behind by INTAKE=broker", "cmd/livebridge/engine_change.go",
			"i.Outbox.Entries + i.Held.Entries; n > 0", "i.Held.Entries; n > 0", livebridge, "TestIntakeChanges"},
	}
}
