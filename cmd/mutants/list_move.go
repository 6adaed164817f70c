package main

// moveMutants are in what takes the memory of a service along when its INTAKE changes.
func moveMutants() []mutant {
	const memory, cluster = "bridge/processor/memory.go", "bridge/cluster"
	return []mutant{
		{"a piece of memory is taken again", memory,
			"if taken, err := p.taken(m, now, eff); taken || err != nil {",
			"if taken, err := p.taken(m, now, eff); taken && false || err != nil {", cluster, "TestHandOverInterrupted"},
		{"identities are not remembered elsewhere", memory,
			"p.know(id, now.Millis(), eff)", "_ = id", cluster, "TestHandOver"},
		{"signatures are not remembered elsewhere", memory,
			"eff.Signatures = append(eff.Signatures, *s)", "delete(p.pending.signatures, s.Name.Sum)", cluster, "TestHandOver"},
		{"a lane begins behind the floor though it is remembered", memory,
			"l.State.Sequence = 0", "_ = l", cluster, "TestHandOver"},
		{"what has come out of a lane elsewhere is not known", memory,
			"m.State.Last.Compare(l.State.Last) > 0 &&", "false &&", cluster, "TestHandOver"},
		{"what another partition has forgotten comes again", memory,
			"p.counters.Floor = max(p.counters.Floor, m.Floor)", "_ = m.Floor", journal, "TestNewLaneBehindEveryFloor"},
		{"entries for review are kept twice", memory,
			"case alreadyKept:\n\t\treturn", "case alreadyKept:", journal, "TestRemember"},
		{"what a lane holds is left behind", "bridge/store/memory.go",
			"len(l.State.Held) > 0", "false", journal, "TestHeldIsNotRemembered"},
		{"identities go into one partition", "bridge/cluster/hand_over.go",
			"for p := range h.each {", "for p := range h.each[:1] {", cluster, "TestHandOver"},
		{"a hand-over does not try again", "bridge/cluster/hand_over.go",
			"case h.ctx.Err() != nil:", "default:", cluster, "TestHandOverOfMany"},
		{"pieces of memory share one row", "bridge/cluster/owner.go",
			"|| o.batch.remembered", "|| false", cluster, "TestHandOverOfMany"},
		{"the floor is lost when a batch is decided once more", "bridge/cluster/batch.go",
			"max(o.processor.Counters().Floor, b.floor)", "o.processor.Counters().Floor", cluster, "TestFirstRejected"},
	}
}

// markMutants are in the mark that says where the memory of a service is.
func markMutants() []mutant {
	const imports = "cmd/livebridge/journal_import.go"
	return []mutant{
		{"a journal is gone on with though replicas have been", "cmd/livebridge/memory_mark.go",
			"if err != nil || m.State == memoryLocal {\n\t\treturn err\n\t}\n\treturn &usageError",
			"if true {\n\t\treturn err\n\t}\n\treturn &usageError", livebridge, "TestIntakeThereAndBack"},
		{"replicas of another topic or group are gone on with", "cmd/livebridge/memory_mark.go",
			"case m.At != at:", "case false:", livebridge, "TestIntakeThereAndBack"},
		{"a replica goes on though the journal may have", "cmd/livebridge/memory_mark.go",
			"case m.State == memoryImported:", "case false:", livebridge, "TestReplicaAfterAnInterruptedImport"},
		{"nothing is handed over to replicas", "cmd/livebridge/engine_memory.go",
			"err = handOverJournal(ctx, r.settings, s, m.Salt, r.log)", "err = nil", livebridge, "TestIntakeThereAndBack"},
		{"what replicas have reviewed is in the journal again", imports,
			"if err := i.purge(); err != nil {", "if err := error(nil); err != nil {", livebridge, "TestIntakeThereAndBack"},
		{"what a service has reviewed is at the replicas again", imports,
			"return i.cluster.PurgeBelow(ctx, i.mark.Below)", "return nil", livebridge, "TestIntakeThereAndBack"},
		{"an interrupted hand-over is not completed", imports,
			"if i.mark.State == memoryHandingOver {", "if false {", livebridge, "TestImportCompletesAHandOver"},
		{"partitions of other replicas are imported", imports,
			"if err := i.cluster.AwaitAll(joining); err != nil {", "if err := error(nil); err != nil {\n\t\t_ = joining",
			livebridge, "TestImportIntoANewJournal"},
		{"an import ends before all is decided", imports,
			"return i.cluster.Settle(settling)", "return settling.Err()", livebridge, "TestImportSettles"},
	}
}
