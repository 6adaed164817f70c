package main

// limitMutants are faults of limits and evictions, and of the edges of pages, buckets and periods.
func limitMutants() []mutant {
	return []mutant{
		{"a full quarantine evicts the newest entry", "bridge/journal/quarantine_index.go", "e := q.reasons[most][0]", "e := q.reasons[most][len(q.reasons[most])-1]", journal, "TestQuarantineDropsTheOldest"},
		{"the reason of an eviction is arbitrary", "bridge/journal/quarantine_index.go", "reason < most", "reason > most", journal, "TestQuarantineDropsTheOldest"},
		{"a signature's share is reset by a restart", "bridge/journal/quarantine_index.go", "\t\tq.put(e)\n", "\t\tq.put(e)\n\t\tdelete(q.signed, e.sum)\n", journal, "TestShareOfASignature"},
		{"a signature's share is given back as a whole", "bridge/journal/quarantine_index.go", "q.signed[e.sum]--; q.signed[e.sum] <= 0", "q.signed[e.sum]--; true", journal, "TestShareOfASignatureIsGivenBack"},
		{"an eviction is not counted", "bridge/journal/quarantine.go", "\t\tc.j.metrics.quarantineDropped.Inc()\n\t\terr = c.drop(old)\n", "\t\terr = c.drop(old)\n", journal, "TestQuarantineDropsTheOldest"},
		{"an expired entry is not counted", "bridge/journal/quarantine.go", "\t\tc.j.metrics.quarantineDropped.Inc()\n\t\tif err := c.drop(old)", "\t\tif err := c.drop(old)", journal, "TestAgeOfTheQuarantine"},
		{"a smaller quarantine is over its limit", "bridge/journal/quarantine.go", "err == nil; old, out = c.j.quarantine.evict()", "err == nil; out = false", journal, "TestQuarantineMadeSmaller"},
		{"dead letters do not count towards the limit", "bridge/journal/meta.go", "m.quarantine.bytes + m.dead.bytes", "m.quarantine.bytes", journal, "TestEverythingTakesRoom"},
		{"a full journal is empty at the start", "bridge/journal/store.go", "\tj.capacity.setUsed(j.bytes())\n", "", journal, "TestEverythingTakesRoom"},
		{"a failed disk query means unlimited space", "bridge/journal/capacity.go", "usage.AvailBytes = 0", "usage.AvailBytes = math.MaxUint64", journal, "TestDiskIsFullAtTheStart"},
		{"one hold ends, however many are too many", "bridge/journal/expire.go", "for c.j.holds.held > c.j.opts.HeldMax {", "if c.j.holds.held > c.j.opts.HeldMax {", journal, "TestFewerAreHeldAfterARestart"},
		{"of holds that end together the greatest key is released", "bridge/journal/holds.go", "a.Key.Compare(b.Key) < 0", "a.Key.Compare(b.Key) > 0", journal, "TestAllLanesHoldSoMany"},
		{"the holds of a lane end with the last of them", "bridge/journal/holds.go", "if other.Deadline < first.Deadline {", "if other.Deadline > first.Deadline {", journal, "TestNearestDeadlineOfALane"},
		{"the sweep covers only its first page", "bridge/journal/sweep.go", "\tif ok {\n\t\tc.j.sweep.cursor", "\tif false {\n\t\tc.j.sweep.cursor", journal, "TestIdleLanesBehindOthersAreForgotten"},
		{"dropped identities stay on disk", "bridge/journal/dedupe.go", "numberKey(nil, tableIdentity, oldest.number+1)", "numberKey(nil, tableIdentity, oldest.number)", journal, "TestForgottenLeavesTheDisk"},
		{"an identity expires with the first of its bucket", "bridge/journal/dedupe.go", "\tb.last = max(b.last, now)\n", "", journal, "TestIdentityIsKnownForTheWholeWindow"},
		{"all identities are in one bucket", "bridge/journal/dedupe.go", "now-b.first < s.window()/bucketParts", "now-b.first < s.window()", journal, "TestIdentityIsForgottenUnderTraffic"},
		{"identities evicted early are not counted", "bridge/journal/dedupe.go", "\t\t\tearly += oldest.count\n", "\t\t\tearly++\n", journal, "TestOldestIdentitiesGoFirst"},
		{"the sweep stays on its last page", "bridge/journal/sweep.go", "\tc.j.sweep.cursor = nil\n", "", journal, "TestAllIdleLanesAreForgotten"},
		{"the floor decreases", "bridge/journal/sweep.go", "max(c.j.meta.floor, stored.state.Sequence)", "stored.state.Sequence", journal, "TestFloorOnlyRises"},
		{"everything lies behind the last number", "bridge/journal/review.go", "q.After == math.MaxUint64", "q.After == math.MaxUint64 && false", journal, "TestListPages"},
		{"a replay ends after a page", "bridge/journal/replay.go", "\t\t\tr.Cursor = bytes.Clone(key)\n", "", journal, "TestReplayPages"},
		{"a replay skips an event at the edge of a page", "bridge/journal/replay.go", "\t\tfirst = cursor\n", "\t\tfirst = append(bytes.Clone(cursor), 0)\n", journal, "TestReplayPages"},
		{"list skips an entry at the edge of a page", "cmd/livebridge/review_list.go", "q.After = entries[i].Number", "q.After = entries[i].Number + uint64(i/(bridge.PageMax-1))", livebridge, "TestListAndPurgeAllPages"},
		{"purge --all ends after a page", "cmd/livebridge/review_release.go", "slices.Chunk(numbers, bridge.PageMax)", "slices.Chunk(numbers[:min(len(numbers), bridge.PageMax)], bridge.PageMax)", livebridge, "TestListAndPurgeAllPages"},
		{"the journal does not wait for a file descriptor", "bridge/journal/waiting_fs.go", "for outOfFiles(err) && f.pause(err) {", "for false {", journal, "TestWaitsForFileDescriptors"},
		{"replay --all ends after a page", "cmd/livebridge/journal.go", "err == nil && q.Cursor != nil {", "err == nil && q.Cursor != nil && replayed == 0 {", livebridge, "TestReplayAllPages"},
		{"data is not listed as it is published", "bridge/admin/control.go", "e.SetEscapeHTML(false)", "e.SetEscapeHTML(true)", "bridge/admin", "TestRoundTrip"},
		{"a record loses the time of its occurrence", "bridge/journal/record.go", "int64(e.Occurred)", "0*int64(e.Occurred)", journal, "TestEveryRecordSurvives"},
		{"a notice has no scheme", "bridge/journal/quarantine_index.go", "Recorded: e.Recorded, Scheme: e.Scheme,", "Recorded: e.Recorded,", journal, "TestWholeNotice"},
	}
}
