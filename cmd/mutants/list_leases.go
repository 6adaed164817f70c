package main

const lease = "transports/nats/lease"

// leaseMutants are faults of the leases by which replicas share partitions out on NATS.
func leaseMutants() []mutant {
	return []mutant{
		{"a lease counts from when its answer comes", lease + "/membership.go", "= at.Add(l.opts.Time)",
			"= at.Add(2 * l.opts.Time)", lease, "TestAway"},
		{"what nobody could renew is taken", lease + "/renew.go", "\t\tl.view.forgive(begun)\n", "\t\t_ = begun\n", lease,
			"TestLongOutage"},
		{"a watch that tells nothing is believed", lease + "/renew.go", "l.told < l.own &&", "l.told < 0*l.own &&", lease,
			"TestBlind"},
		{"another bucket is taken for the same one", lease + "/leases.go", "if l.made.Equal(made) {",
			"if !l.made.IsZero() {", lease, "TestBucketLost"},
		{"a bucket that was made anew is claimed at once", lease + "/leases.go",
			"\t\tl.settled = now.Add(l.opts.settling())\n", "", lease, "TestBucketLost"},
		{"who has more than its share keeps it", lease + "/leases.go", "case !mine && s.holder", "case false && s.holder",
			lease, "TestShare"},
		{"who leaves is still counted", lease + "/membership.go",
			`l.writeReplica(ctx, "")`, "l.writeReplica(ctx, l.opts.ID)", lease, "TestShare"},
		{"who leaves keeps its leases", lease + "/membership.go", "puts = append(puts, claim(n, holder))", "_ = n", lease,
			"TestShare"},
		{"who leaves during a renewal keeps a lease", lease + "/membership.go", "for range 2 {", "for range 1 {", lease,
			"TestLeaveDuringARenewal"},
		{"the end of a lease is not waited for", lease + "/leases.go", "l.view.nextEnd(); !end",
			"l.view.nextEnd(); false && !end",
			lease, "TestKilled"},
		{"the dead keep their share with who has just come", lease + "/view.go", "now.Add(-min(e.Age, v.opts.trusted()))",
			"now", lease, "TestKilled"},
		{"an owner that was fenced hears nothing", lease + "/renew.go", "l.recovered(l.confirming)", "l.recovered(false)",
			lease, "TestLost"},
		{"Next says nothing of an outage", lease + "/leases.go", "l.alarm = l.alarm || l.failure == nil", "", lease,
			"TestElection"},
		{"a share is uneven", "transports/shares/shares.go", "if s.free[n] && s.room(i) {", "if s.free[n] {", lease,
			"TestMachine"},
	}
}
