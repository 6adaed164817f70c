package main

// replicaModeMutants are in what many replicas publish and tell beside events.
func replicaModeMutants() []mutant {
	return []mutant{
		{"partitions number their notices in one lane", "bridge/cluster/options.go",
			"p.Partition = strconv.Itoa(partition)", "p.Partition = \"\"", cluster, "TestNotices"},
		{"notices stand among the events", "transports/kafka/partitions/output.go",
			"if e.Quarantined() && opts.Notices != nil {", "if false {", kafka, "TestNoticesOfReplicas"},
		{"a commit names the wrong notice", "transports/kafka/partitions/commit.go",
			"p.rejected(to.Topic, o.index[begin],", "p.rejected(to.Topic, begin,", kafka, "TestRejectedNotice"},
		{"a missing topic of notices refuses callbacks", "transports/kafka/replica_notices.go",
			"\tr.notices.topics.of(r.opts.Quarantine)\n", "\tr.intake.topics.of(r.opts.Quarantine)\n", kafka, "TestNoticesWait"},
		{"sessions are not in the state", "bridge/store/cache_lane.go",
			"if len(l.Sessions) == 0 {", "if true {", cluster, "TestExploreSessions"},
		{"missing ends are looked for a while after a takeover", "bridge/cluster/takeover.go",
			"o.clock.running() - housekeepingInterval //", "o.clock.running() //", cluster, "TestExploreSessions"},
		{"no owner looks for missing ends", "bridge/cluster/owner.go",
			"o.limits.SessionEvents && o.limits.SessionStaleAfter > 0", "false", cluster, "TestExploreSessions"},
		{"a cache does not give sessions back", "bridge/store/cache.go",
			"SessionEvents: c.opts.SessionEvents, Log", "Log", cluster, "TestExploreSessions"},
		{"a session that has ended stays open", "bridge/store/review_session.go",
			"if l.State.Last.Phase != bridge.PhasePublish {\n\t\tdelete(v.open, string(row.Key))",
			"if l.State.Last.Phase != bridge.PhasePublish {", cluster, "TestOpenSessions"},
		{"sessions of one partition alone are listed", "bridge/cluster/sessions.go",
			"open = append(open, some...)", "open = some", cluster, "TestOpenSessions"},
		{"each replica asks the provider", "bridge/reconcile/reconciler.go",
			"if r.opts.Active != nil && !r.opts.Active() {", "if false {", "bridge/reconcile", "TestOneReplicaAtATime"},
		{"a replica that compares no more tells of differences", "bridge/reconcile/reconciler.go",
			"\tr.metrics.set(nil)\n", "", "bridge/reconcile", "TestOneReplicaAtATime"},
		{"every replica leads", "cmd/livebridge/engine_replica_operator.go",
			"return err == nil && c.Owns(0)", "return err != nil || c.Owns(0)", livebridge, "TestIntake"},
	}
}
