package main

// orderMutants are faults of the sequencer's decisions.
func orderMutants() []mutant {
	return []mutant{
		{"late is not marked", "bridge/sequencer/apply.go", "t.emitNow(bridge.MarkLate)", "t.emitNow(0)", sequencer,
			"TestExploreTwoSessions"},
		{"reopened becomes late", "bridge/sequencer/apply.go", "t.emitNow(bridge.MarkReopened)", "t.emitNow(bridge.MarkLate)",
			sequencer, "TestExploreTwoSessions"},
		{"a mark is the other one", "bridge/sequencer/transition.go", "marks := bridge.MarkPrevUnended",
			"marks := bridge.MarkStartUnseen", sequencer, "TestExploreTwoSessions"},
		{"forced is not marked", "bridge/sequencer/transition.go", "marks |= bridge.MarkForced", "marks |= 0", sequencer,
			"TestExploreThreeSessions"},
		{"a sequence is skipped", "bridge/sequencer/transition.go", "t.State.Last = h.Key\n\tt.State.Sequence++",
			"t.State.Last = h.Key\n\tt.State.Sequence += 2", sequencer, "TestExploreTwoSessions"},
		{"holds end in any order", "bridge/sequencer/state.go", "s.Held[i].Deadline < s.Held[best].Deadline",
			"s.Held[i].Deadline > s.Held[best].Deadline", sequencer, "TestExploreTwoSessions"},
		{"all held events are released", "bridge/sequencer/apply.go", "t.releaseTo(i+1, t.State.Held[i].Deadline)",
			"t.releaseTo(len(t.State.Held), t.State.Held[i].Deadline)", sequencer, "TestExploreThreeSessions"},
		{"nothing follows a hold", "bridge/sequencer/transition.go", "\t\tt.release(at)\n\t}\n\tt.emitReady()",
			"\t\tt.release(at)\n\t}", sequencer, "TestExploreTwoSessions"},
		{"a state is changed in place", "bridge/sequencer/state.go", "out := make([]Held, 0, len(s.Held)+1)",
			"out := s.Held[:0]", sequencer, "TestLongHistories"},
		{"a lane holds one too many", "bridge/sequencer/apply.go", "len(t.State.Held) > max(t.limits.PerLane, 0)",
			"len(t.State.Held) > max(t.limits.PerLane, 0)+1", sequencer, "TestLongHistories"},
		{"an unsequenced event is sequenced", "bridge/sequencer/input.go",
			"in.Key.Phase != bridge.PhaseNone && bridge.Sequenced(in.Key.Session, in.Wall)", "in.Key.Phase != bridge.PhaseNone",
			sequencer, "TestLongHistories"},
	}
}

// durabilityMutants are faults of what is committed, and when.
func durabilityMutants() []mutant {
	return []mutant{
		{"no sync", "bridge/store/batch.go", "b.s.db.ApplyNoSyncWait(b.batch, pebble.Sync)",
			"b.s.db.Apply(b.batch, pebble.NoSync)", journal,
			"TestPowerLoss|TestPowerCampaigns|TestPowerAtEveryOperation|TestTornLog|TestBatchCampaigns"},
		{"answered before the sync", "bridge/journal/writer.go", "\tw.awaitSync(c)\n\treturn nil\n}\n\n// awaitSyncs",
			"\tw.j.answer(c)\n\tc.waiting = nil\n\tw.awaitSync(c)\n\treturn nil\n}\n\n// awaitSyncs", journal,
			"TestNothingBeforeTheSync"},
		{"published before the sync", "bridge/journal/writer.go", "\tc.written = true\n",
			"\tc.written = true\n\tw.j.outbox.Enqueue(c.batch.Emitted(), c.batch.Number())\n\tc.batch = " +
				"w.j.store.NewBatch(nil)\n", journal, "TestNothingBeforeTheSync"},
		{"a failed sync is ignored", "bridge/journal/writer.go",
			"c.batch.Wait(); err != nil {\n\t\t\t\tw.j.store.Fail(err)\n\t\t\t\treturn\n", "c.batch.Wait(); err != nil {\n",
			journal, "TestFailedSync|TestErrorAtEveryOperation"},
		{"the lane's state is not written", "bridge/store/batch.go", "b.batch.Set(laneKey(key[:0], l.Name), b.value, nil)",
			"b.batch.Set(laneKey(key[:0], l.Name)[:3], b.value, nil)", journal, "TestPublishAndDone"},
		{"a held event is not written", "bridge/store/batch.go",
			"b.batch.Set(heldKey(key[:0], e.Lane, e.Session, e.Phase), b.value, nil)", "b.batch.LogData(b.value, nil)", journal,
			"TestHoldGoesOnAfterRestart"},
		{"holds are not restored", "bridge/processor/processor.go", "\t\t\tp.holds.update(l, 0)\n", "\t\t\t_ = l\n", journal,
			"TestHoldGoesOnAfterRestart"},
		{"a restored hold starts over", "bridge/processor/moment.go",
			"min(max(deadline, m.At), m.At+sequencer.Instant(max(whole, 0)))", "m.At + sequencer.Instant(max(whole, 0))",
			journal, "TestHoldGoesOnAfterRestart"},
		{"holds follow the wall clock", "bridge/journal/clock.go", "time.Since(c.started)", "c.wall().Sub(c.started)",
			journal, "TestClockJumpChangesNoHold"},
		{"deadlines precede waiting callbacks", "bridge/journal/writer.go", "\tfor _, r := range arrivals {\n",
			"\tif err := w.j.apply(w.commit, processor.Input{Action: processor.Expire}); err != nil {\n\t\treturn " +
				"err\n\t}\n\tfor _, r := range arrivals {\n", journal, "TestCallbacksComeBeforeDeadlines"},
		{"the clock advances within a commit", "bridge/journal/writer.go", "\tif err := w.addHousekeeping(c); err != nil {",
			"\tc.now = w.j.clock.moment()\n\tif err := w.addHousekeeping(c); err != nil {", journal,
			"TestCallbacksComeBeforeDeadlines"},
		{"the commit marker is not read", "bridge/store/commit_marker.go", "last > s.meta.commit", "last > 1<<62", journal,
			"TestFlippedBits"},
		{"another format is opened", "bridge/store/open.go", "!= Format", "== \"\"", store, "TestFormats"},
		{"a truncated record is accepted", "bridge/record/reader.go",
			"if n < 0 || n > len(r.rest) {\n\t\tr.rest, r.err = nil, errShort",
			"if n < 0 || n > len(r.rest) {\n\t\tr.rest = nil", "bridge/record", "TestEventRoundTrip"},
		{"a duplicate is answered before the original", "bridge/journal/commit.go", "\treturn c.batch.Add(&c.effects)\n",
			"\tif last := len(c.waiting) - 1; in.Action == processor.Arrive && c.effects.Duplicates > 0 " +
				"{\n\t\tc.waiting[last].done <- nil\n\t\tc.waiting = c.waiting[:last]\n\t}\n" +
				"\treturn c.batch.Add(&c.effects)\n", journal, "TestRepeatWaitsForWhatItRepeats"},
		{"a dead letter's lane resumes before the sync", "bridge/journal/commit.go",
			"\tc.deadLettered = append(c.deadLettered, r)\n", "\tj.outbox.DeadLettered(r)\n", journal,
			"TestDeadLetterWaitsForItsSync"},
		{"the backlog shows what is not synced", "bridge/store/backlog.go", "commit > p.Committed",
			"commit > p.Committed+1<<40", journal, "TestBacklogHasNothingUnsynced"},
		{"the commit marker is not updated", "bridge/store/batch.go", "return b.s.updateMarker(b.number)", "return nil",
			journal, "TestFlippedBitsAfterACrash"},
		{"a failed background flush is retried forever", "bridge/store/open.go",
			"\ts.Fail(fmt.Errorf(\"the store could not tidy up: %w\", err))\n\truntime.Goexit()\n", "\t_ = err\n", journal,
			"TestFailedFlush"},
	}
}

// effectMutants are faults of how effects are written and read again.
func effectMutants() []mutant {
	return []mutant{
		{"effects that are added twice are written twice", "bridge/store/batch.go", "b.written.emitted = len(eff.Emitted)",
			"_ = eff", store, "TestAddInPortions"},
		{"a purged dead letter stays on disk", "bridge/store/batch.go",
			"if err := b.batch.Delete(numberKey(nil, tableDeadLetter, e.Number), nil); err != nil {",
			"if err := b.batch.LogData(numberKey(nil, tableDeadLetter, e.Number), nil); err != nil {", store,
			"TestStoreIsTheView"},
		{"a forgotten lane stays on disk", "bridge/store/batch.go", "b.batch.Delete(laneKey(nil, name), nil)",
			"b.batch.LogData(laneKey(nil, name), nil)", store, "TestForgottenLane"},
		{"a lane that a commit changes is forgotten by it", "bridge/processor/forget.go", "l.changed != unchanged || ", "",
			processor, "TestLaneThatEmitsIsNotForgotten"},
		{"what a commit has decided is pending for ever", "bridge/processor/processor.go", "\tclear(p.pending.ids)\n", "",
			processor, "TestIdentityIsForgottenUnderTraffic"},
		{"an input loses its queue", "bridge/processor/input_record.go", "record.AppendText(dst, in.Queue)",
			"record.AppendText(dst, \"\")", processor, "TestInputRoundTrip"},
		{"a held event stays on disk", "bridge/store/batch.go",
			"b.batch.Delete(heldKey(key[:0], e.Lane, e.Session, e.Phase), nil)",
			"b.batch.LogData(heldKey(key[:0], e.Lane, e.Session, e.Phase), nil)", store, "TestStoreIsTheView"},
		{"a restart makes holds longer", "bridge/processor/moment.go", "max(deadline, m.At)",
			"max(deadline, m.At+sequencer.Instant(whole/2))", processor, "TestExplore"},
		{"the lane whose hold ends last comes first", "bridge/processor/holds.go", "return a.Deadline < b.Deadline",
			"return a.Deadline > b.Deadline", processor, "TestProcessorIsTheTable"},
	}
}
