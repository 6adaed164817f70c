package main

// embeddedMutants are faults of the embedded server's store, and of its repair after a power loss.
func embeddedMutants() []mutant {
	return []mutant{
		{"the store is not marked in use", "transports/nats/state.go", "return st, false, s.writeState(st)", "return st, false, nil", nats, "TestPowerLoss"},
		{"the name of the store is not durable", "transports/nats/state.go", "return s.sync(filepath.Dir(s.dir))", "return nil", nats, "TestPowerLoss"},
		{"state.json is not durable", "transports/nats/state.go", "return s.sync(s.dir)", "return nil", nats, "TestPowerLoss"},
		{"a file changed twice in a moment is not synced", "transports/nats/store.go", "if time.Since(now.modified) > timestampGranularity {", "if true {", nats, "TestCheckpointSyncsWhatMayHaveChanged"},
		{"messages above a gap stay", "transports/nats/repair.go", "for sequence := first; sequence <= last; sequence++ {", "for sequence := first; sequence < first; sequence++ {", nats, "TestPowerLoss"},
		{"a stale index is trusted", "transports/nats/state.go", "errors.Join(s.dropIndexes(), s.dropEmptyPositions())", "s.dropEmptyPositions()", nats, "TestStaleSummary"},
		{"removed messages count as duplicates", "transports/nats/embedded.go", "return e.restartWithoutRemoved()", "return nil", nats, "TestPowerLoss"},
		{"a failed removal is ignored", "transports/nats/repair.go", "err != nil && !isDeleted(ctx, stream, sequence)", "err != nil && isDeleted(ctx, stream, sequence)", nats, "TestRepairReportsCause"},
		{"a second sync hides the failure of the first", "transports/nats/store.go", "if s.failed != nil {", "if false {", nats, "TestCheckpointFailsForGood"},
	}
}

// endingMutants are faults of the shutdown, and of who may connect.
func endingMutants() []mutant {
	const requests, work = "\terr := a.ingress.Shutdown(answerCtx)\n", "\twork.Wait()\n"
	const accept = "\tdrained := a.drain(limit.accept, func() bool { return a.journal.Drained(begun) })\n"
	const expire = "\tcontext.AfterFunc(graceCtx, expire)\n\tif a.journal.Pending() > 0 {\n\t\texpire()\n\t}\n"
	const shutdown = "cmd/livebridge/shutdown.go"
	return []mutant{
		{"the journal stops before requests in flight are answered", shutdown, requests, "\ta.journal.Stop()\n" + requests, livebridge, "TestEndDuringARequest"},
		{"requests in flight are cut off at shutdown", shutdown, requests, "\tvar err error\n\t_ = answerCtx\n", livebridge, "TestEndDuringARequest"},
		{"the port closes before the outbox is published", shutdown, accept, "\tdrained := true\n", livebridge, "TestAcceptsWhileTheOutboxDrains"},
		{"what comes meanwhile holds the port open", shutdown, "a.journal.Drained(begun)", "a.journal.Pending() == 0", livebridge, "TestAcceptsWhileTheOutboxDrains"},
		{"what is on disk only counts as published", "bridge/outbox/outbox.go", "\tif o.state.spilled() {\n\t\treturn false\n\t}\n\tfor", "\tfor", outbox, "TestDrained"},
		{"what is under way counts as published", "bridge/outbox/lane_queue.go", "\treturn l.underWay.Event\n", "\treturn nil\n", outbox, "TestDrained"},
		{"the events of requests in flight are left to the next start", shutdown, "\tif drained { //", "\tif drained = false; drained { //", livebridge, "TestEndInOrder"},
		{"an unavailable broker is waited for", shutdown, "if !a.dispatcher.Available() {", "if false {", livebridge, "TestNoWaitForAnUnavailableBroker"},
		{"new connections are dropped at shutdown", "bridge/ingress/listening.go", "for l.fresh.Load() > 0 && ctx", "for false && ctx", "bridge/ingress", "TestShutdownAnswersTheLastConnection"},
		{"sockets of the supervisor are not used", "cmd/livebridge/activation.go", "*to = l\n", "_ = to\n", livebridge, "TestRestartUnderLoad"},
		{"dispatch stops before the outbox is drained", shutdown, accept, "\tstopDispatch()\n" + accept, livebridge, "TestAcceptsWhileTheOutboxDrains"},
		{"the last checkpoint is not waited for", shutdown, work, "", livebridge, "TestEndInOrder"},
		{"the publisher is closed before the last checkpoint", shutdown, work, "\t_ = a.publisher.Close(graceCtx)\n" + work, livebridge, "TestEndInOrder"},
		{"a broker that never answers delays the shutdown", shutdown, expire, "", livebridge, "TestEndWithoutAnAnswer"},
		{"the service is ready while it stops", shutdown, "\ta.stopping.Store(true)\n", "", livebridge, "TestShutdownDelay"},
		{"the admin port closes before the callback port", shutdown, accept, "\t_ = a.admin.Shutdown(answerCtx)\n" + accept, livebridge, "TestEndDuringTheBrokersAnswer"},
		{"a leader is recorded once", "transports/kafka/sender.go", "\tp.leader = broker\n", "\tif s.brokerQueues[p.leader] == nil {\n\t\tp.leader = broker\n\t}\n", kafka, "TestSilentLeaderBlocksOwnPartitionsOnly|TestPartitionsChangeLeaders"},
		{"a public address needs no token", "transports/nats/embedded.go", "(ip == nil || !ip.IsLoopback())", "(ip != nil && !ip.IsLoopback())", nats, "TestReachableServerNeedsToken"},
		{"all of IPv4 is a proxy", "bridge/ingress/config.go", "p.Bits() == 0 || p.Addr().Is4In6() && p.Bits() <= before", "p.Bits() == 0 && before > 0", "bridge/ingress", "TestProxiesAreNotEverybody"},
	}
}

// countingMutants are faults of what is counted, logged and answered of requests.
func countingMutants() []mutant {
	const ingress = "bridge/ingress"
	return []mutant{
		{"a lost callback counts as refused", "bridge/ingress/refusal.go", "return e.status == http.StatusServiceUnavailable }", "return e.status == 0 }", ingress, "TestJournalErrors"},
		{"scanners count as refused callbacks", "bridge/ingress/refusal.go", "return e == errNotFound || e == errMethod }", "return false }", ingress, "TestScannersAreApart"},
		{"strangers learn of settings", "bridge/ingress/refusal.go", "signed.Public(), signed.Advice()}", "signed.Detail, \"\"}", ingress, "TestStrangersGetNoAdvice"},
		{"counters begin with their first increase", "bridge/ingress/metrics.go", "\tm.begin()\n", "", ingress, "TestReasonsAreThereFromTheStart"},
		{"a service that stops is healthy", "bridge/ingress/probe.go", "if err := s.cfg.Ready(); err != nil {", "if err := s.cfg.Ready(); false {", ingress, "TestHealth"},
		{"a load balancer is no allowed source", "bridge/ingress/route.go", "s.echo.Pre(s.answerHealth, s.admit)", "s.echo.Pre(s.admit, s.answerHealth)", ingress, "TestHealth"},
		{"the quarantine is silent", "bridge/journal/journal.go", "\t\tj.quarantineLog.report(fields)\n", "\t\t_ = fields\n", journal, "TestQuarantineIsLoud"},
		{"a flood of quarantined callbacks fills the log", "bridge/journal/quarantine_log.go", "if !limit.Allow() {", "if false {", journal, "TestQuarantineIsLoud"},
		{"a full journal is logged once", "bridge/journal/capacity.go", "now.Sub(r.reminded) >= bridge.ReminderInterval", "false", journal, "TestFullIsLogged"},
		{"a start on a full disk does not say so", "bridge/journal/journal.go", "\tj.capacity.logChange()\n", "", journal, "TestFullIsLoggedAtTheStart"},
	}
}
