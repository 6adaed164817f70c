package main

// embeddedMutants are faults of what the embedded server leaves on the disk, and of what becomes of that after a power loss.
func embeddedMutants() []mutant {
	return []mutant{
		{"the store is not marked in use", "transports/nats/state.go", "return st, false, s.writeState(st)", "return st, false, nil", nats, "TestPowerLoss"},
		{"the name of the store is not durable", "transports/nats/state.go", "return s.sync(filepath.Dir(s.dir))", "return nil", nats, "TestPowerLoss"},
		{"state.json is not durable", "transports/nats/state.go", "return s.sync(s.dir)", "return nil", nats, "TestPowerLoss"},
		{"what changes twice in a moment is not synced", "transports/nats/store.go", "if time.Since(now.modified) > timestampGranularity {", "if true {", nats, "TestCheckpointSyncsWhatMayHaveChanged"},
		{"what is above a gap stays", "transports/nats/repair.go", "for sequence := first; sequence <= last; sequence++ {", "for sequence := first; sequence < first; sequence++ {", nats, "TestPowerLoss"},
		{"a summary without its messages is believed", "transports/nats/state.go", "errors.Join(s.dropIndexes(), s.dropEmptyPositions())", "s.dropEmptyPositions()", nats, "TestStaleSummary"},
		{"what is removed counts as published", "transports/nats/embedded.go", "return e.restartWithoutRemoved()", "return nil", nats, "TestPowerLoss"},
		{"what cannot be removed is overlooked", "transports/nats/repair.go", "err != nil && !isDeleted(ctx, stream, sequence)", "err != nil && isDeleted(ctx, stream, sequence)", nats, "TestRepairReportsCause"},
		{"a second sync makes good for the first", "transports/nats/store.go", "if s.failed != nil {", "if false {", nats, "TestCheckpointFailsForGood"},
	}
}

// endingMutants are faults of how the program ends, and of who may reach it.
func endingMutants() []mutant {
	const requests, wait, work = "\terr := a.ingress.Shutdown(drainCtx)\n", "\ta.drain(drainCtx)\n", "\twork.Wait()\n"
	const expire = "\tcontext.AfterFunc(graceCtx, expire)\n\tif a.journal.Pending() > 0 {\n\t\texpire()\n\t}\n"
	return []mutant{
		{"the journal stops before requests in hand are answered", "cmd/livebridge/app.go", requests, "\ta.journal.Stop()\n" + requests, livebridge, "TestEndDuringARequest"},
		{"requests in hand are cut off", "cmd/livebridge/app.go", requests, "\tvar err error\n", livebridge, "TestEndDuringARequest"},
		{"the outbox is left to the next start", "cmd/livebridge/app.go", wait, "", livebridge, "TestEndInOrder"},
		{"the outbox is to be empty before requests in hand are answered", "cmd/livebridge/app.go", requests + "\ta.journal.Stop()\n" + wait, wait + requests + "\ta.journal.Stop()\n", livebridge, "TestEndInOrder"},
		{"nothing new is published while the outbox is to become empty", "cmd/livebridge/app.go", wait + "\tstopDispatch()\n", "\tstopDispatch()\n" + wait, livebridge, "TestEndInOrder"},
		{"the last checkpoint is not waited for", "cmd/livebridge/app.go", work, "", livebridge, "TestEndInOrder"},
		{"the publisher is closed before the last checkpoint", "cmd/livebridge/app.go", work, "\t_ = a.publisher.Close(whole)\n" + work, livebridge, "TestEndInOrder"},
		{"a broker that never answers is waited for", "cmd/livebridge/app.go", expire, "", livebridge, "TestEndWithoutAnAnswer"},
		{"the service is ready while it stops", "cmd/livebridge/app.go", "\ta.stopping.Store(true)\n", "", livebridge, "TestShutdownDelay"},
		{"operators are shut out before callbacks are", "cmd/livebridge/app.go", requests, "\t_ = a.admin.Shutdown(drainCtx)\n" + requests, livebridge, "TestEndDuringTheBrokersAnswer"},
		{"a leader is noted once", "transports/kafka/sender.go", "\tp.leader = broker\n", "\tif s.brokerQueues[p.leader] == nil {\n\t\tp.leader = broker\n\t}\n", kafka, "TestSilentLeaderBlocksOwnPartitionsOnly|TestPartitionsChangeLeaders"},
		{"who listens everywhere needs no token", "transports/nats/embedded.go", "(ip == nil || !ip.IsLoopback())", "(ip != nil && !ip.IsLoopback())", nats, "TestReachableServerNeedsToken"},
		{"all of IPv4 is a proxy", "bridge/ingress/config.go", "p.Bits() == 0 || p.Addr().Is4In6() && p.Bits() <= before", "p.Bits() == 0 && before > 0", "bridge/ingress", "TestProxiesAreNotEverybody"},
	}
}
