package main

// embeddedMutants are faults of what the embedded server leaves on the disk, and of what becomes of that after a power loss.
func embeddedMutants() []mutant {
	return []mutant{
		{"the store is not marked in use", "transports/nats/state.go", "return st, false, s.writeState(st)", "return st, false, nil", nats, "TestPowerLoss"},
		{"the name of the store is not durable", "transports/nats/state.go", "return s.sync(filepath.Dir(s.dir))", "return nil", nats, "TestPowerLoss"},
		{"state.json is not durable", "transports/nats/state.go", "return s.sync(s.dir)", "return nil", nats, "TestPowerLoss"},
		{"what changes twice in a moment is not synced", "transports/nats/store.go", "if time.Since(now.modified) > timestampGranularity {", "if true {", nats, "TestCheckpointSyncsWhatMayHaveChanged"},
		{"what is above a gap stays", "transports/nats/repair.go", "for sequence := first; sequence <= last; sequence++ {", "for sequence := first; sequence < first; sequence++ {", nats, "TestPowerLoss"},
		{"what is removed counts as published", "transports/nats/embedded.go", "return e.restartWithoutRemoved()", "return nil", nats, "TestPowerLoss"},
		{"what cannot be removed is overlooked", "transports/nats/repair.go", "err != nil && !isDeleted(ctx, stream, sequence)", "err != nil && isDeleted(ctx, stream, sequence)", nats, "TestRepairReportsCause"},
		{"a second sync makes good for the first", "transports/nats/store.go", "if s.failed != nil {", "if false {", nats, "TestCheckpointFailsForGood"},
	}
}

// endingMutants are faults of how the program ends, and of who may reach it.
func endingMutants() []mutant {
	const requests, wait = "\terr := a.ingress.Shutdown(drainCtx)\n", "\ta.drain(drainCtx)\n"
	return []mutant{
		{"the journal stops before requests in hand are answered", "cmd/livebridge/shutdown.go", requests, "\ta.journal.Stop()\n" + requests, livebridge, "TestEndDuringARequest"},
		{"requests in hand are cut off", "cmd/livebridge/shutdown.go", requests, "\tvar err error\n", livebridge, "TestEndDuringARequest"},
		{"the outbox is left to the next start", "cmd/livebridge/shutdown.go", wait, "", livebridge, "TestEndDuringTheBrokersAnswer"},
		{"a leader is noted once", "transports/kafka/sender.go", "\tp.leader = broker\n", "\tif s.brokerQueues[p.leader] == nil {\n\t\tp.leader = broker\n\t}\n", kafka, "TestSilentLeaderBlocksOwnPartitionsOnly"},
		{"who listens everywhere needs no token", "transports/nats/embedded.go", "(ip == nil || !ip.IsLoopback())", "(ip != nil && !ip.IsLoopback())", nats, "TestReachableServerNeedsToken"},
		{"all of IPv4 is a proxy", "bridge/ingress/config.go", "p.Bits() == 0 || p.Addr().Is4In6() && p.Bits() <= before", "p.Bits() == 0 && before > 0", "bridge/ingress", "TestProxiesAreNotEverybody"},
	}
}
