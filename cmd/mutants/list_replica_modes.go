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
	}
}
