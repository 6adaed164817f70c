package main

// seenMutants are faults of what operators see of replicas.
func seenMutants() []mutant {
	const change, stats, owner = "bridge/cluster/change.go", "bridge/cluster/stats.go", "bridge/cluster/owner.go"
	const run, page, partitions = "bridge/cluster/run.go", "bridge/status", kafka + "/partitions"
	return []mutant{
		{"a rebalance is taken for the end of the replica", run, "w.cancel(errRebalanced)", "w.cancel(nil)", cluster,
			"TestChangesAreLogged"},
		{"every takeover is one of the start", run, "r.begun = r.begun || len(partitions) > 0", "_ = partitions", cluster,
			"TestChangesAreLogged"},
		{"a partition is taken anew without a word of the error", run, "why = WhyAfterError", "_ = WhyAfterError", cluster,
			"TestWhyItWasTakenAgain"},
		{"a time-out is taken for another owner", change, "case errors.Is(err, bridge.ErrTimedOut):",
			"case errors.Is(err, bridge.ErrTimedOut) && false:", cluster, "TestWhyItWasTakenAgain"},
		{"the epoch is not told", "bridge/cluster/takeover.go", "return progress.Epoch()", "return 0 * progress.Epoch()",
			cluster, "TestChangesAreLogged"},
		{"a commit that has failed is not counted", "bridge/cluster/batch.go", "\t\t\to.stats.aborted()\n", "", cluster,
			"TestWhyItWasTakenAgain"},
		{"what lies behind a read does not count", owner, "backlog += progress.Behind()", "_ = progress", cluster,
			"TestBehind"},
		{"what is committed waits all the same", stats, "s.Backlog -= min(s.Backlog, uint64(b.records))",
			"s.Backlog -= min(s.Backlog, 0)", cluster, "TestBehind"},
		{"the age of what waits stands still", stats, "s.Behind = max(0, now-p.oldest)", "s.Behind = max(0, p.oldest)",
			cluster, "TestBehind"},
		{"the progress of a restore is not told", stats, "if known && all[i].State == Restoring {", "if known && false {",
			cluster, "TestRestoreProgress"},
		{"every fence after a while is a time-out", partitions + "/commit.go", "if p.owned.opts.Ours(ctx, p.number) {",
			"if ctx != nil {", kafka, "TestTransactionTimesOut"},
		{"no fence is a time-out", kafka + "/transaction/codes.go", "took >= p.timeout", "took < 0", kafka,
			"TestTransactionTimesOut"},
		{"every fence may be a time-out", kafka + "/transaction/codes.go", "took >= p.timeout", "took >= 0", kafka,
			"TestAnotherOwnerIsNoTimeOut"},
		{"a restore makes no progress", partitions + "/restore.go", "r.progress.next.Store(r.reader.Next)", "_ = r.progress",
			kafka, "TestPartitionProgress"},
		{"whoever was expelled is still the owner", kafka + "/membership/heartbeat.go", "if answer.code != 0 {", "if false {",
			kafka, "TestWhoseItIs"},
		{"a probe does not look at the group", kafka + "/probe_replicas.go",
			"case errors.Is(err, kafka.GroupAuthorizationFailed):", "case err != nil && check.Name == \"\":", kafka,
			"TestProbeOfReplicaRights"},
		{"a replica closes its port with the signal", "cmd/livebridge/shutdown.go", "time.Sleep(a.settings.ShutdownDelay)",
			"", livebridge, "TestReplicaLeavesWithoutALoss"},
		{"a replica that is late is well", "bridge/status/replica.go", "p.BehindSeconds > behindLong", "p.BehindSeconds < 0",
			page, "TestReplicaHealth"},
	}
}
