package main

// natsReplicaStreamMutants are faults of how replicas find their streams and partitions on NATS.
func natsReplicaStreamMutants() []mutant {
	fitness, check, join := nats+"/replica_fitness.go", nats+"/replica_check.go", nats+"/replica_join.go"
	bucket, behind := nats+"/replica_bucket.go", nats+"/replica_behind.go"
	return []mutant{
		{"a stream of events that is another's is taken", fitness, "case !sameSource(have, s.want):", "case false:", nats,
			"TestUnfitReplicaStreams/foreign"},
		{"a state is read from replicas that lag", fitness, "have.AllowDirect || have.MirrorDirect", "have.MirrorDirect",
			nats, "TestUnfitReplicaStreams/direct"},
		{"an intake may forget callbacks when it is full", fitness, "have.Discard != jetstream.DiscardNew",
			"have.Discard < 0", nats, "TestUnfitReplicaStreams/discards"},
		{"events may come twice from their source", fitness, "have.MaxAge <= live", "have.MaxAge < 0", nats,
			"TestUnfitReplicaStreams/sourced_twice"},
		{"another NATS_PARTITIONS than the intake's is taken", fitness, "s.opts.Partitions != n:", "n < 1:", nats,
			"TestUnfitReplicaStreams/another_number"},
		{"a server without batches is taken", fitness, "minor < wantMinor", "minor < 0", nats, "TestServerVersion"},
		{"a state that was lost begins anew", check, "have.CachedInfo().State.LastSeq > 0", "have == nil", nats,
			"TestReplicaStreamsLost"},
		{"who has no lease fences the owner", join, "l == nil || l.Holds(partition)", "l == nil || true", nats,
			"TestFencedByNobody"},
		{"a stream of events ends them as its source does", fitness, "case have.AllowMsgTTL:", "case false:", nats,
			"TestUnfitReplicaStreams/expires_as_its_source_does"},
		{"the bucket of leases is not checked", check, "err = r.checkBucket(ctx, js)", "", nats, "TestUnfitBucket/history"},
		{"the probe does not look at the bucket of leases", nats + "/replica_probe.go",
			"append(opts.replicaStreams(), bucket)", "opts.replicaStreams()", nats, "TestUnfitBucket/history"},
		{"a bucket may forget leases", bucket, "have.MaxAge < s.want.MaxAge/2", "have.MaxAge < 0", nats,
			"TestUnfitBucket/forgets"},
		{"callbacks that are decided fill the intake", nats + "/replica_trim.go",
			"errors.Join(err, r.trimIntake(ctx))", "err", nats, "TestFullIntake"},
		{"an owner of a full intake that decides nothing removes nothing", natsPartitions + "/partitions.go",
			"p.opts.Committed(number, Committed{Next: messageAt(owned.cursor.next)})", "", nats, "TestFullIntake"},
		{"callbacks that are not decided are removed", nats + "/replica_trim_intake.go",
			"jetstream.WithPurgeSequence(next)", "jetstream.WithPurgeSequence(next+1000)", nats, "TestFullIntake"},
		{"an intake that has room forgets what is decided", nats + "/replica_trim_intake.go",
			"err != nil || !halfFull(intake.CachedInfo())", "err != nil", nats, "TestIntakeKeepsWhatIsDecided"},
		{"a stream that takes nothing is not behind", behind, "age = now.Sub(b.marks[0].at)", "age = 0", nats,
			"TestOutputs"},
		{"a stream of consumers is behind for ever", nats + "/replica_trim.go", "s.behind.sourced(sequence)", "", nats,
			"TestOutputs"},
		{"how much of a state was read is not told on NATS", natsPartitions + "/restore.go", "r.progress.read(&m)", "",
			natsPartitions, "TestRestored"},
		{"an owner that was fenced on NATS is never asked again", nats + "/replicas.go", "\tr.lost()\n", "", nats,
			"TestFencedByNobody"},
		{"replicas run on the embedded server", nats + "/replicas.go", "o.URL == \"\"", "o.URL == \"-\"", livebridge,
			"TestIntakeSettings"},
	}
}
