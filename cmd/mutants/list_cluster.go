package main

const cluster = "bridge/cluster"

// ownerMutants are in what the owner of a partition of many replicas does.
func ownerMutants() []mutant {
	const broker, owner = "bridge/cluster/clustertest/replica.go", "bridge/cluster/owner.go"
	const batch, takeover, run = "bridge/cluster/batch.go", "bridge/cluster/takeover.go", "bridge/cluster/run.go"
	return []mutant{
		{"state and position are read before the fence", broker,
			"{{OpFence, taken.fence}, {OpRestore, taken.read}}", "{{OpRestore, taken.read}, {OpFence, taken.fence}}",
			cluster, "TestExplore"},
		{"a state that is gone is no reason to begin anew", takeover,
			"errors.Is(err, store.ErrOtherState) || errors.Is(err, bridge.ErrStateGone)",
			"errors.Is(err, store.ErrOtherState)", cluster, "TestStateGone"},
		{"a hold ends before the intake was read to its end", owner,
			"if !end || !o.clock.set {", "if !o.clock.set {", cluster, "TestExplore"},
		{"a hold ends by a clock that is not the log's", owner,
			"if !end || !o.clock.set {", "if !end {", cluster, "TestExplore"},
		{"holds go on by the clock of this replica", takeover,
			"!holding || o.clock.origin.Equal(o.origin)", "true || holding", cluster, "TestExplore"},
		{"an owner that is fenced out takes the partition again", "bridge/cluster/change.go",
			"case errors.Is(err, bridge.ErrFenced):", "case errors.Is(err, bridge.ErrFenced) && false:", cluster,
			"TestFencedOwnerWaits"},
		{"a zombie takes a partition while nobody tells whose it is", run,
			"r.awaitFresh(ctx) // or", "// or", cluster, "TestFailedOwnerTakesAnew"},
		{"a partition that stays is taken anew", run,
			"if !slices.Contains(partitions, p) {", "if true || !slices.Contains(partitions, p) {", cluster,
			"TestPartitionsThatStayGoOn"},
		{"a commit under way is cut off when a replica stops", run,
			"context.WithCancel(context.WithoutCancel(ctx))", "context.WithCancel(ctx)", cluster,
			"TestStopWithACommitUnderWay"},
		{"each partition has the limits of all", "bridge/cluster/options.go",
			"return max(min(limit, 1), limit/partitions)", "return limit", cluster, "TestShareOfLimits"},
		{"a commit without an answer counts as done", batch,
			"case err == nil:", "case err == nil || !errors.As(err, &one) && !errors.Is(err, bridge.ErrFenced):",
			cluster, "TestExplore|TestMachine"},
		{"the cache goes on behind the position that it has", takeover,
			"o.number, o.cache.Position(), r.put", "o.number, o.cache.Position()+min(1, o.cache.Position()), r.put",
			cluster, "TestExplore|TestMachine"},
		{"a batch with a rejected event is decided from where it has led", batch,
			"if err := o.newProcessor(o.began); err != nil {", "if err := error(nil); err != nil {", cluster, "TestExplore"},
		{"a rejected event is no dead letter", batch,
			"if err := o.processor.Apply(in, &b.effects); err != nil {",
			"if err := o.processor.Apply(in, &processor.Effects{}); err != nil {", cluster, "TestExplore"},
		{"what is held has no limit under load", owner,
			"return o.keepLimits()", "return nil", cluster, "TestLimitsWithoutAnEnd"},
		{"what is held under load ends before its time", owner,
			"if over := now.At - deadline; over >= 0 {", "if over := now.At - deadline; over < 0 {",
			cluster, "TestLimitsWithoutAnEnd"},
		{"a record of a newer version is left out", owner,
			"if errors.Is(err, errIntakeVersion) {", "if false {", cluster, "TestRecordOfANewerVersion"},
		{"a callback that the intake log rejects is acknowledged", "bridge/cluster/cluster.go",
			"if bridge.IsRejected(err) {",
			"if bridge.IsRejected(err) {\n\t\terr = nil\n\t}\n\tif bridge.IsRejected(err) {", cluster,
			"TestTooLargeForTheIntake"},
		{"a record may be older than the end before it", "bridge/cluster/clock.go",
			"instant < c.end && c.ended", "false", cluster, "TestRecordIsNoOlderThanTheEndBefore"},
	}
}

// stateMutants are in the rows of a partition's state, and in the cache that they are restored to.
func stateMutants() []mutant {
	const rows, apply, cache = "bridge/store/cache_rows.go", "bridge/store/cache_apply.go", "bridge/store/cache.go"
	return []mutant{
		{"a lane's row lacks what it holds", rows,
			"value = record.AppendText(value, e)", "_ = e", store, "TestCacheFollowsItsRows"},
		{"identities of a bucket that was forgotten come back", "bridge/store/cache_state.go",
			"return uint64(b.First)<<digits | b.Number&(1<<digits-1)", "return b.Number", store,
			"TestForgottenBucketStaysForgotten"},
		{"what is forgotten stays in the state", rows,
			"left := forgetAtOnce", "left := 0", cluster, "TestHousekeeping"},
		{"names that are alive are forgotten", rows,
			"if state.alive(table, part) {", "if false {", store, "TestCacheFollowsItsRows"},
		{"an entry that came and went in one commit is written", rows,
			"!gone[q.Number]", "!gone[q.Number] || true", store, "TestEntryThatCameAndWent"},
		{"the cache of another state is gone on with", apply,
			"if a.state.Origin != 0 && a.state.Origin != state.Origin {", "if false {", store, "TestCacheIsKept"},
		{"an old cache is gone on with", cache,
			"age < 0 || age > cacheMaxAge", "age < 0", store, "TestCacheIsKept"},
		{"a cache is said to be where it is not", apply,
			"err := a.batch.Set([]byte{tablePosition}", "err := a.c.s.db.Set([]byte{tablePosition}", store,
			"TestCacheAfterACrash"},
		{"a bent signature is another partition's", "bridge/partition_key.go",
			"l.Domain...), l.App...), l.Stream...)", "l.Domain...), l.App+\"/\"...), l.Stream...)",
			"bridge", "TestPartitionOfBentSignature"},
	}
}

// turnMutants are in how partitions take turns to commit, and in what a replica reads of those that it does not own.
func turnMutants() []mutant {
	const run = "bridge/cluster/run.go"
	return []mutant{
		{"what comes while a partition waits for its turn is not read", "bridge/cluster/owner.go",
			"records, end, err = o.readOn(ctx, records)\n", "", cluster, "TestPartitionsWaitForASlot"},
		{"a partition does not wait for its turn", "bridge/cluster/slots.go",
			"context.WithTimeout(ctx, s.wait)", "context.WithTimeout(ctx, 0)", cluster, "TestSlots"},
		{"nothing is read of partitions of other replicas", run,
			"r.wg.Go(func() { r.standBy(ctx) })", "", cluster, "TestStandBy"},
		{"a replica has not read what it says it has caught up with", "bridge/cluster/standby.go",
			"rows, err = c.readInto(ctx, cache, partition); gone(err)", "gone(err)", cluster, "TestCatchUp"},
		{"reading ahead keeps a partition from its owner", run,
			"s.cancel(errRebalanced)", "_ = s", cluster, "TestStandByMakesRoom"},
	}
}
