package main

// embeddedMutants are faults of the embedded server's store, and of its repair after a power loss.
func embeddedMutants() []mutant {
	return []mutant{
		{"the store is not marked in use", "transports/nats/embedded/state.go", "return st, false, s.writeState(st)",
			"return st, false, nil", embedded, "TestPowerLoss"},
		{"the name of the store is not durable", "transports/nats/embedded/state.go", "return s.sync(filepath.Dir(s.dir))",
			"return nil", embedded, "TestPowerLoss"},
		{"state.json is not durable", "transports/nats/embedded/state.go", "return s.sync(s.dir)", "return nil", embedded,
			"TestPowerLoss"},
		{"a file changed twice in a moment is not synced", "transports/nats/embedded/store.go",
			"if time.Since(now.modified) > timestampGranularity {", "if true {", embedded,
			"TestCheckpointSyncsWhatMayHaveChanged"},
		{"messages above a gap stay", "transports/nats/embedded/repair.go",
			"for sequence := first; sequence <= last; sequence++ {", "for sequence := first; sequence < first; sequence++ {",
			embedded, "TestPowerLoss"},
		{"a stale index is trusted", "transports/nats/embedded/state.go", "errors.Join(s.dropIndexes(), ", "errors.Join(",
			embedded, "TestStaleSummary"},
		{"reserved sequences are given out again", "transports/nats/embedded/state.go", ", s.skipReserved(st.Reserved))", ")",
			embedded, "TestPowerLoss|TestSequencesAfterCrashes"},
		{"a stream created after a crash begins anew", "transports/nats/embedded/reservation.go", "!exists && before > 0",
			"!exists && before > 1<<62", embedded, "TestPowerLoss"},
		{"sequences are given out before they are reserved", "transports/nats/embedded/reservation.go",
			"r.given.Add(1) <= r.reserved.Load()", "r.given.Add(1) > 0 || r.low()", embedded, "TestSequencesAreReserved"},
		{"checkpoints reserve nothing", "transports/nats/embedded/reservation.go", "4*r.rate() + reserveMin",
			"0*r.rate() + reserveMin", embedded, "TestSequencesAreReserved"},
		{"events without a reservation are published", "transports/nats/embedded/reservation.go", "\t\tif err != nil {\n",
			"\t\tif false {\n", embedded, "TestReservationFails"},
		{"a skipped end counts as a gap", "transports/nats/embedded/repair.go", "s > base && s < youngest", "s > base",
			embedded, "TestSequencesAfterCrashes"},
		{"removed messages count as duplicates", "transports/nats/embedded/publisher.go", "return e.restartWithoutRemoved()",
			"return nil", embedded, "TestPowerLoss"},
		{"a failed removal is ignored", "transports/nats/embedded/repair.go",
			"err != nil && !isDeleted(ctx, stream, sequence)", "err != nil && isDeleted(ctx, stream, sequence)", embedded,
			"TestRepairReportsCause"},
		{"a second sync hides the failure of the first", "transports/nats/embedded/store.go", "if s.failed != nil {",
			"if false {", embedded, "TestCheckpointFailsForGood"},
	}
}

// endingMutants are faults of the shutdown, and of who may connect.
func endingMutants() []mutant {
	const requests, left = "\terr := before(limit.answer, a.ingress.Shutdown)\n",
		"\tleft := a.engine.finish(limit.close)\n"
	const accept = "\tdrained := a.drain(alive, limit.accept, begun)\n"
	const deadline = "\tctx, cancel := context.WithDeadline(context.Background(), end)\n" +
		"\tdefer cancel()\n\tif l.pending() > 0 {\n\t\tcancel()\n\t}\n"
	const shutdown = "cmd/livebridge/shutdown.go"
	return []mutant{
		{"the journal stops before requests in flight are answered", shutdown, requests, "\ta.engine.refuse()\n" + requests,
			livebridge, "TestEndDuringARequest"},
		{"requests in flight are cut off at shutdown", shutdown, requests, "\tvar err error\n", livebridge,
			"TestEndDuringARequest"},
		{"the port closes before the outbox is published", shutdown, accept, "\tdrained := true\n", livebridge,
			"TestAcceptsWhileTheOutboxDrains"},
		{"what comes meanwhile holds the port open", shutdown, "limit.accept, begun)",
			"limit.accept, time.Time{})", livebridge, "TestAcceptsWhileTheOutboxDrains"},
		{"what is on disk only counts as published", "bridge/outbox/outbox.go",
			"\tif o.state.spilled() {\n\t\treturn false\n\t}\n\tfor", "\tfor", outbox, "TestDrained"},
		{"what is under way counts as published", "bridge/outbox/lane_queue.go", "\treturn l.underWay.Event\n",
			"\treturn nil\n", outbox, "TestDrained"},
		{"the events of requests in flight are left to the next start", shutdown, "\tif drained { //",
			"\tif drained = false; drained { //", livebridge, "TestEndInOrder"},
		{"an unavailable broker is waited for", "bridge/dispatch/shutdown.go", "if !d.Available() {", "if false {",
			livebridge, "TestNoWaitForAnUnavailableBroker"},
		{"new connections are dropped at shutdown", "bridge/ingress/listening.go", "for l.fresh.Load() > 0 && ctx",
			"for false && ctx", "bridge/ingress", "TestShutdownAnswersTheLastConnection"},
		{"sockets of the supervisor are not used", "cmd/livebridge/activation.go", "*to = l\n", "_ = to\n", livebridge,
			"TestRestartUnderLoad"},
		{"dispatch stops before the outbox is drained", shutdown, accept, "\ta.engine.finish(limit.close)\n" + accept,
			livebridge, "TestAcceptsWhileTheOutboxDrains"},
		{"the last checkpoint is not waited for", "bridge/dispatch/shutdown.go", "\td.trimmer.finish(ctx)\n", "", livebridge,
			"TestEndInOrder"},
		{"the publisher is closed before the last checkpoint", shutdown, left,
			"\t_ = before(limit.close, a.engine.(*local).publisher.Close)\n" + left, livebridge, "TestEndInOrder"},
		{"a broker that never answers delays the shutdown", "cmd/livebridge/engine_local.go", deadline,
			"\tctx := context.Background()\n", livebridge,
			"TestEndWithoutAnAnswer"},
		{"the service is ready while it stops", shutdown, "\ta.stopping.Store(true)\n", "", livebridge, "TestShutdownDelay"},
		{"the admin port closes before the callback port", shutdown, accept,
			"\t_ = before(limit.answer, a.admin.Shutdown)\n" + accept, livebridge, "TestEndDuringTheBrokersAnswer"},
		{"a leader is recorded once", "transports/kafka/producer/producer.go", "\tp.leader = broker\n",
			"\tif s.brokerQueues[p.leader] == nil {\n\t\tp.leader = broker\n\t}\n", kafka,
			"TestSilentLeaderBlocksOwnPartitionsOnly|TestPartitionsChangeLeaders"},
		{"a public address needs no token", "transports/nats/embedded/options.go", "(ip == nil || !ip.IsLoopback())",
			"(ip != nil && !ip.IsLoopback())", embedded, "TestReachableServerNeedsToken"},
		{"all of IPv4 is a proxy", "bridge/ingress/config.go", "p.Bits() == 0 || p.Addr().Is4In6() && p.Bits() <= before",
			"p.Bits() == 0 && before > 0", "bridge/ingress", "TestProxiesAreNotEverybody"},
	}
}

// countingMutants are faults of what is counted, logged and answered of requests.
func countingMutants() []mutant {
	const ingress = "bridge/ingress"
	return []mutant{
		{"a lost callback counts as refused", "bridge/ingress/refusal.go",
			"return e.Status == http.StatusServiceUnavailable }", "return e.Status == 0 }", ingress, "TestJournalErrors"},
		{"scanners count as refused callbacks", "bridge/ingress/refusal.go", "return e == errNotFound || e == errMethod }",
			"return false }", ingress, "TestScannersAreApart"},
		{"strangers learn of settings", "bridge/ingress/refusal.go", "signed.Public(), signed.Advice()}",
			"signed.Detail, \"\"}", ingress, "TestStrangersGetNoAdvice"},
		{"counters begin with their first increase", "bridge/ingress/metrics.go", "\tm.begin()\n", "", ingress,
			"TestReasonsAreThereFromTheStart"},
		{"a service that stops is healthy", "bridge/ingress/probe.go", "if err := s.cfg.Ready(); err != nil {",
			"if err := s.cfg.Ready(); false {", ingress, "TestHealth"},
		{"a load balancer is no allowed source", "bridge/ingress/route.go", "s.echo.Pre(s.answerHealth, s.admit)",
			"s.echo.Pre(s.admit, s.answerHealth)", ingress, "TestHealth"},
		{"the quarantine is silent", "bridge/journal/journal.go", "\t\tj.quarantineLog.Report(fields)\n", "\t\t_ = fields\n",
			journal, "TestQuarantineIsLoud"},
		{"a flood of quarantined callbacks fills the log", "bridge/tally/quarantine_log.go", "if !limit.Allow() {",
			"if false {", journal, "TestQuarantineIsLoud"},
		{"a full journal is logged once", "bridge/journal/capacity.go", "now.Sub(r.reminded) >= bridge.ReminderInterval",
			"false", journal, "TestFullIsLogged"},
		{"a start on a full disk does not say so", "bridge/journal/journal.go", "\tj.capacity.logChange()\n", "", journal,
			"TestFullIsLoggedAtTheStart"},
	}
}
