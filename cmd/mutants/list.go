package main

// mutant is one planted fault: a text that occurs once in a file, its replacement, and the tests that must fail then.
type mutant struct {
	name     string
	file     string
	old, new string
	where    string // the package of the tests
	test     string // or several, separated by bars; a slash selects a subtest
}

const (
	journal    = "bridge/journal"
	outbox     = "bridge/outbox"
	processor  = "bridge/processor"
	store      = "bridge/store"
	sequencer  = "bridge/sequencer"
	dispatch   = "bridge/dispatch"
	nats       = "transports/nats"
	embedded   = "transports/nats/embedded"
	kafka      = "transports/kafka"
	livebridge = "cmd/livebridge"
)

// mutants is every fault that is planted.
func mutants() []mutant {
	var all []mutant
	for _, some := range [][]mutant{
		orderMutants(), durabilityMutants(), eventBatchMutants(), memoryMutants(),
		deliveryMutants(), kafkaMutants(), ingressMutants(), boundaryMutants(), trustMutants(),
		credentialMutants(), limitMutants(), checkerMutants(), wiringMutants(), timingMutants(),
		embeddedMutants(), endingMutants(), countingMutants(), operatorMutants(), sharingMutants(),
		providerMutants(), consumerMutants(), storedMutants(), probeMutants(), doctorMutants(),
		rotationMutants(), reconcileMutants(), hangupMutants(), thresholdMutants(),
		statusMutants(),
	} {
		all = append(all, some...)
	}
	return all
}

// orderMutants are faults of the sequencer's decisions.
func orderMutants() []mutant {
	return []mutant{
		{"late is not marked", "bridge/sequencer/apply.go", "t.emitNow(bridge.MarkLate)", "t.emitNow(0)", sequencer, "TestExploreTwoSessions"},
		{"reopened becomes late", "bridge/sequencer/apply.go", "t.emitNow(bridge.MarkReopened)", "t.emitNow(bridge.MarkLate)", sequencer, "TestExploreTwoSessions"},
		{"a mark is the other one", "bridge/sequencer/transition.go", "marks := bridge.MarkPrevUnended", "marks := bridge.MarkStartUnseen", sequencer, "TestExploreTwoSessions"},
		{"forced is not marked", "bridge/sequencer/transition.go", "marks |= bridge.MarkForced", "marks |= 0", sequencer, "TestExploreThreeSessions"},
		{"a sequence is skipped", "bridge/sequencer/transition.go", "t.State.Last = h.Key\n\tt.State.Sequence++", "t.State.Last = h.Key\n\tt.State.Sequence += 2", sequencer, "TestExploreTwoSessions"},
		{"holds end in any order", "bridge/sequencer/state.go", "s.Held[i].Deadline < s.Held[best].Deadline", "s.Held[i].Deadline > s.Held[best].Deadline", sequencer, "TestExploreTwoSessions"},
		{"all held events are released", "bridge/sequencer/apply.go", "t.releaseTo(i+1, t.State.Held[i].Deadline)", "t.releaseTo(len(t.State.Held), t.State.Held[i].Deadline)", sequencer, "TestExploreThreeSessions"},
		{"nothing follows a hold", "bridge/sequencer/transition.go", "\t\tt.release(at)\n\t}\n\tt.emitReady()", "\t\tt.release(at)\n\t}", sequencer, "TestExploreTwoSessions"},
		{"a state is changed in place", "bridge/sequencer/state.go", "out := make([]Held, 0, len(s.Held)+1)", "out := s.Held[:0]", sequencer, "TestLongHistories"},
		{"a lane holds one too many", "bridge/sequencer/apply.go", "len(t.State.Held) > max(t.limits.PerLane, 0)", "len(t.State.Held) > max(t.limits.PerLane, 0)+1", sequencer, "TestLongHistories"},
		{"an unsequenced event is sequenced", "bridge/sequencer/input.go", "in.Key.Phase != bridge.PhaseNone && bridge.Sequenced(in.Key.Session, in.Wall)", "in.Key.Phase != bridge.PhaseNone", sequencer, "TestLongHistories"},
	}
}

// durabilityMutants are faults of what is committed, and when.
func durabilityMutants() []mutant {
	return []mutant{
		{"no sync", "bridge/store/batch.go", "b.s.db.ApplyNoSyncWait(b.batch, pebble.Sync)", "b.s.db.Apply(b.batch, pebble.NoSync)", journal, "TestPowerLoss|TestPowerCampaigns|TestPowerAtEveryOperation|TestTornLog|TestBatchCampaigns"},
		{"answered before the sync", "bridge/journal/writer.go", "\tw.awaitSync(c)\n\treturn nil\n}\n\n// awaitSyncs", "\tw.j.answer(c)\n\tc.waiting = nil\n\tw.awaitSync(c)\n\treturn nil\n}\n\n// awaitSyncs", livebridge, "TestSimulation/seed_2"},
		{"published before the sync", "bridge/journal/writer.go", "\tc.written = true\n", "\tc.written = true\n\tw.j.outbox.Enqueue(c.batch.Emitted(), c.batch.Number())\n\tc.batch = w.j.store.NewBatch(nil)\n", livebridge, "TestSimulation/seed_2"},
		{"a failed sync is ignored", "bridge/journal/writer.go", "c.batch.Wait(); err != nil {\n\t\t\t\tw.j.store.Fail(err)\n\t\t\t\treturn\n", "c.batch.Wait(); err != nil {\n", journal, "TestFailedSync|TestErrorAtEveryOperation"},
		{"the lane's state is not written", "bridge/store/batch.go", "b.batch.Set(laneKey(key[:0], l.Name), b.value, nil)", "b.batch.Set(laneKey(key[:0], l.Name)[:3], b.value, nil)", journal, "TestPublishAndDone"},
		{"a held event is not written", "bridge/store/batch.go", "b.batch.Set(heldKey(key[:0], e.Lane, e.Session, e.Phase), b.value, nil)", "b.batch.LogData(b.value, nil)", journal, "TestHoldGoesOnAfterRestart"},
		{"holds are not restored", "bridge/processor/processor.go", "\t\t\tp.holds.update(l, 0)\n", "\t\t\t_ = l\n", journal, "TestHoldGoesOnAfterRestart"},
		{"a restored hold starts over", "bridge/processor/moment.go", "min(max(deadline, m.At), m.At+sequencer.Instant(max(whole, 0)))", "m.At + sequencer.Instant(max(whole, 0))", journal, "TestHoldGoesOnAfterRestart"},
		{"holds follow the wall clock", "bridge/journal/clock.go", "time.Since(c.started)", "c.wall().Sub(c.started)", journal, "TestClockJumpChangesNoHold"},
		{"deadlines precede waiting callbacks", "bridge/journal/writer.go", "\tfor _, r := range arrivals {\n", "\tif err := w.j.apply(w.commit, processor.Input{Action: processor.Expire}); err != nil {\n\t\treturn err\n\t}\n\tfor _, r := range arrivals {\n", journal, "TestCallbacksComeBeforeDeadlines"},
		{"the clock advances within a commit", "bridge/journal/writer.go", "\tif err := w.addHousekeeping(c); err != nil {", "\tc.now = w.j.clock.moment()\n\tif err := w.addHousekeeping(c); err != nil {", journal, "TestCallbacksComeBeforeDeadlines"},
		{"the commit marker is not read", "bridge/store/commit_marker.go", "last > s.meta.commit", "last > 1<<62", journal, "TestFlippedBits"},
		{"another format is opened", "bridge/store/open.go", "!= Format", "== \"\"", store, "TestFormats"},
		{"a truncated record is accepted", "bridge/record/reader.go", "if n < 0 || n > len(r.rest) {\n\t\tr.rest, r.err = nil, errShort", "if n < 0 || n > len(r.rest) {\n\t\tr.rest = nil", "bridge/record", "TestEventRoundTrip"},
		{"a duplicate is answered before the original", "bridge/journal/commit.go", "\treturn c.batch.Add(&c.effects)\n", "\tif last := len(c.waiting) - 1; in.Action == processor.Arrive && c.effects.Duplicates > 0 {\n\t\tc.waiting[last].done <- nil\n\t\tc.waiting = c.waiting[:last]\n\t}\n\treturn c.batch.Add(&c.effects)\n", journal, "TestRepeatWaitsForWhatItRepeats"},
		{"a dead letter's lane resumes before the sync", "bridge/journal/commit.go", "\tc.deadLettered = append(c.deadLettered, r)\n", "\tj.outbox.DeadLettered(r)\n", journal, "TestDeadLetterWaitsForItsSync"},
		{"the backlog shows what is not synced", "bridge/store/backlog.go", "commit > p.Committed", "commit > p.Committed+1<<40", journal, "TestBacklogHasNothingUnsynced"},
		{"the commit marker is not updated", "bridge/store/batch.go", "return b.s.updateMarker(b.number)", "return nil", journal, "TestFlippedBitsAfterACrash"},
		{"a failed background flush is retried forever", "bridge/store/open.go", "\ts.Fail(fmt.Errorf(\"the store could not tidy up: %w\", err))\n\truntime.Goexit()\n", "\t_ = err\n", journal, "TestFailedFlush"},
		{"effects that are added twice are written twice", "bridge/store/batch.go", "b.written.emitted = len(eff.Emitted)", "_ = eff", store, "TestAddInPortions"},
		{"a purged dead letter stays on disk", "bridge/store/batch.go", "if err := b.batch.Delete(numberKey(nil, tableDeadLetter, e.Number), nil); err != nil {", "if err := b.batch.LogData(numberKey(nil, tableDeadLetter, e.Number), nil); err != nil {", store, "TestStoreIsTheView"},
		{"a forgotten lane stays on disk", "bridge/store/batch.go", "b.batch.Delete(laneKey(nil, name), nil)", "b.batch.LogData(laneKey(nil, name), nil)", store, "TestForgottenLane"},
		{"a lane that a commit changes is forgotten by it", "bridge/processor/forget.go", "l.changed != unchanged || ", "", processor, "TestLaneThatEmitsIsNotForgotten"},
		{"what a commit has decided is pending for ever", "bridge/processor/processor.go", "\tclear(p.pending.ids)\n", "", processor, "TestIdentityIsForgottenUnderTraffic"},
		{"an input loses its queue", "bridge/processor/input_record.go", "record.AppendText(dst, in.Queue)", "record.AppendText(dst, \"\")", processor, "TestInputRoundTrip"},
		{"a held event stays on disk", "bridge/store/batch.go", "b.batch.Delete(heldKey(key[:0], e.Lane, e.Session, e.Phase), nil)", "b.batch.LogData(heldKey(key[:0], e.Lane, e.Session, e.Phase), nil)", store, "TestStoreIsTheView"},
		{"a restart makes holds longer", "bridge/processor/moment.go", "max(deadline, m.At)", "max(deadline, m.At+sequencer.Instant(whole/2))", processor, "TestExplore"},
		{"the lane whose hold ends last comes first", "bridge/processor/holds.go", "return a.Deadline < b.Deadline", "return a.Deadline > b.Deadline", processor, "TestProcessorIsTheTable"},
	}
}

// eventBatchMutants are faults of the outbox's two formats on disk.
func eventBatchMutants() []mutant {
	const file = "bridge/store/event_batch.go"
	return []mutant{
		{"an event batch is removed before its last event", file, "if p.remaining > 0 {", "if p.remaining > 1 {", journal, "TestBatchGoesWithItsLastEvent"},
		{"an event batch is never removed", file, "if p.remaining > 0 {", "if p.remaining >= 0 {", journal, "TestBatchGoesWithItsLastEvent"},
		{"an expanded event batch has removed events", file, "if p.removed[i] {", "if false {", journal, "TestOldBatchesAreExpanded"},
		{"old event batches are not expanded", "bridge/store/event_batch.go", "if time.Duration(now.At-p.born.At) < BatchAge {", "if true {", journal, "TestOldBatchesAreExpanded"},
		{"partial event batches are published again", "bridge/store/store.go", "s.expandPartial(), ", "", journal, "TestBatchesAfterARestart"},
		{"event batches are lost in a restart", "bridge/store/open.go", "s.recoverBatches()", "error(nil)", journal, "TestBatchesAfterARestart"},
		{"event batches are published after later events", "bridge/store/recovery.go", "case sequence < first:", "case sequence < first && false:", journal, "TestBatchBehindItsLane"},
		{"a dead letter leaves a gap in its lane", "bridge/outbox/settlement.go", "o.acknowledged = append(o.acknowledged, o.done(o.lanes[b.Event.Lane]))", "o.removals = append(o.removals, o.done(o.lanes[b.Event.Lane]))", outbox, "TestDeadLetter"},
		{"a dead letter stays in its event batch", "bridge/journal/commit.go", "return c.batch.Expand(r.Batch)", "return nil", journal, "TestDeadLetterOutOfABatch"},
		{"event batches exceed the memory limit", "bridge/outbox/committed.go", "o.memory+o.reserved+events > o.opts.Limit/2", "false", outbox, "TestReserve"},
		{"a range removal includes the next event", "bridge/store/removal.go", "r.lane, r.last+1)", "r.lane, r.last+2)", store, "TestRemoved"},
		{"a lane is read again for every event", "bridge/outbox/reading.go", "len(l.events) > o.share()/4", "false", outbox, "TestLanesAreReadInParts"},
		{"a scan misses concurrent events", "bridge/outbox/committed.go", "if o.loading {", "if false {", outbox, "TestScanFindsWhatComesMeanwhile"},
		{"a scan ends although it missed events", "bridge/outbox/state.go", "rescanning: {rescanning, rescanning, scanning, inMemory}", "rescanning: {rescanning, rescanning, known, inMemory}", outbox, "TestScanFindsWhatComesMeanwhile|TestTransitions"},
		{"an incomplete scan counts as complete", "bridge/outbox/reading.go", "o.state == scanning && before", "before", outbox, "TestScanFindsWhatComesMeanwhile"},
		{"an event batch is known for ever", "bridge/outbox/committed.go", "\t\tdelete(o.intact, number)\n", "\t\t_ = number\n", outbox, "TestBatchIsForgotten"},
		{"a scan has passed its cursor", "bridge/outbox/reading.go", "before(lane, o.scanCursor)", "!before(o.scanCursor, lane)", outbox, "TestScanFindsWhatComesMeanwhile"},
		{"lanes on disk alone fill memory", "bridge/outbox/committed.go", "l == nil && o.atLaneLimit()", "false", outbox, "TestLanesOnDiskTakeNoMemory"},
		{"event batches follow spilled events", "bridge/outbox/committed.go", "o.state.spilled() || o.unreserved > 0 ||", "", outbox, "TestReserve"},
		{"memory drops events of a batch", "bridge/outbox/committed.go", "slices.ContainsFunc(l.events, o.inBatch)", "slices.ContainsFunc(l.events, func(Pending) bool { return false })", outbox, "TestBatchStaysInMemory"},
	}
}

// memoryMutants are faults of the dedupe index, the signatures, and the lanes in memory.
func memoryMutants() []mutant {
	return []mutant{
		{"duplicates are not recognized", "bridge/processor/decide.go", "return duplicate, err", "return novel, err", processor, "TestDuplicatesAndTampering"},
		{"duplicates are not recognized after a restart", "bridge/store/existence_filter.go", "return holds16(r.parts[part], name) || holds16((*previous)[part], name)", "return holds16(r.parts[part], name)", journal, "TestDuplicatesAndTampering"},
		{"the oldest bucket is not searched", "bridge/processor/dedupe.go", "i >= 0; i--", "i > 0; i--", journal, "TestDuplicatesAndTampering"},
		{"a bucket is dropped too early", "bridge/processor/dedupe.go", "now-oldest.Last > p.window()", "now-oldest.Last > p.window()/bucketParts", journal, "TestIdentitiesAreForgottenAfterTheWindow"},
		{"tampering is accepted", "bridge/processor/signatures.go", "return u.Signed != s.Signed ||", "return false && u.Signed != s.Signed ||", processor, "TestDuplicatesAndTampering"},
		{"a lane forgets where it was", "bridge/processor/lanes.go", "l.State.Sequence = *ls.floor", "l.State.Sequence = 0", processor, "TestLanesAreForgotten"},
		{"a journal's sequences begin at 1", "bridge/store/open.go", "processor.Counters{Floor: processor.FirstFloor(s.opts.Created)}", "processor.Counters{}", journal, "TestLanesBeginBehindTheCreation"},
		{"a journal's floor is not kept", "bridge/store/open.go", "\t\tbatch.Set([]byte{tableMeta}, first.append(nil), nil),\n", "\t\tfunc() error { s.meta = first; return nil }(),\n", journal, "TestInterruptedCreation"},
		{"an evicted lane loses what it holds", "bridge/processor/lanes.go", "\tif l.mustStay() {\n\t\tls.pinned[name] = l", "\tif false {\n\t\tls.pinned[name] = l", processor, "TestProcessorIsTheTable"},
		{"all lanes together have no limit of holds", "bridge/processor/expire.go", "p.holds.held > p.opts.HeldMax", "p.holds.held > 1_000_000", journal, "TestLimitOnAllHolds"},
		{"a commit does not know its own identities", "bridge/processor/dedupe.go", "if _, found := p.pending.ids[id]; found {", "if _, found := p.pending.ids[id]; found == !found {", processor, "TestDuplicatesAndTampering"},
		{"a commit does not know its own signatures", "bridge/processor/signatures.go", "if u, found := p.pending.signatures[s.Sum]; found {", "if u, found := p.pending.signatures[[16]byte{99}]; found {", processor, "TestDuplicatesAndTampering"},
		{"a signature is forgotten before it expires", "bridge/processor/signatures.go", "ended := periodOf(now)", "ended := periodOf(now) + 1", journal, "TestSignatureIsKnownUntilItExpires"},
		{"the filter of the next bucket is dropped too", "bridge/store/batch.go", "f.drop(part)", "f.drop(part + 1)", journal, "TestBucketsGoOneByOne"},
		{"a lane with events is forgotten", "bridge/store/lanes.go", "err == nil && !outboxed", "err == nil && (!outboxed || err == nil)", store, "TestLanesThatWaitAreNotIdle"},
		{"held events do not count towards the limit", "bridge/processor/counters.go", "c.Held.Bytes + c.Quarantine.Bytes", "c.Quarantine.Bytes", journal, "TestFullOfHeld"},
	}
}

// deliveryMutants are faults on the way to the broker.
func deliveryMutants() []mutant {
	return []mutant{
		{"removed before it is published", "bridge/outbox/outbox.go", "\t\tevents = append(events, l.underWay.Event)\n", "\t\tevents = append(events, l.underWay.Event)\n\t\to.acknowledged = append(o.acknowledged, Removal{Lane: l.lane, Sequence: l.underWay.Event.Sequence, Bytes: l.underWay.Bytes, Batch: l.underWay.Batch, Position: l.underWay.Position})\n", livebridge, "TestSimulation/seed_2"},
		{"removed before the broker has it on disk", "bridge/outbox/settlement.go", "\tif err != nil {\n\t\to.acknowledged = append(events, o.acknowledged...)\n\t\treturn err\n\t}", "\t_ = err", outbox, "TestTrimIsRefused"},
		{"a retry is overtaken", "bridge/outbox/settlement.go", "l.events = append([]Pending{l.underWay}, l.events...)", "l.events = append(l.events, l.underWay)", outbox, "TestRetryComesInItsTime"},
		{"a lane has two events in flight", "bridge/outbox/lane_queue.go", "len(l.events) > 0 && l.underWay.Event == nil && !l.delayed()", "len(l.events) > 0 && !l.delayed()", outbox, "TestOneUnderWayPerLane"},
		{"an unavailable broker rejects", "bridge/dispatch/dispatch.go", "case bridge.IsRejected(err):", "case err != nil:", dispatch, "TestOrderPerLaneUnderRandomFailures|TestStuckLaneStarvesNoOther"},
		{"events that the broker cannot accept now are dropped", "bridge/dispatch/dispatch.go", "case bridge.IsRejected(err):", "case err != nil:", livebridge, "TestStreamFull|TestStreamDeleted"},
		{"a dead letter is dropped", "bridge/dispatch/dispatch.go", "return bridge.DeadLetterOf(err)", "return bridge.Settlement{}", dispatch, "TestDeadLetters"},
		{"any answer acknowledges the whole batch", "transports/nats/batch.go", "allStored := stored && bs.calibrated && sequenceOffset == bs.sequenceOffset", "allStored := m != nil || stored && sequenceOffset == 0", nats, "TestAckCoversStoredMessagesOnly"},
		{"missing messages of a batch are not noticed", "transports/nats/batch.go", "allStored := stored && bs.calibrated && sequenceOffset == bs.sequenceOffset", "allStored := stored && bs.calibrated && int64(sequenceOffset) <= int64(bs.sequenceOffset)", nats, "TestAMessageThatIsNotStoredIsSentAgain"},
		{"a duplicate acknowledges the whole batch", "transports/nats/batch.go", "|| answer.Duplicate {", "{", nats, "TestDuplicateDoesNotCalibrate"},
		{"counting goes on after a lost connection", "transports/nats/batch.go", " && time.Now().After(bs.uncertainUntil)", "", nats, "TestNoCountingRightAfterALostConnection"},
		{"dead letters have no limit", "bridge/processor/dead_letter.go", "p.counters.DeadLetters.Entries >= uint64(p.opts.DeadLettersMax)", "p.counters.DeadLetters.Entries > 1_000_000", processor, "TestDeadLetters"},
		{"removed with what came before it", "bridge/outbox/settlement.go", "\t\to.removals = append(o.removals, events...)\n", "\t\to.removals = append(append(o.removals, events...), o.acknowledged...)\n\t\to.acknowledged = nil\n", outbox, "TestTrimLeavesWhatComesMeanwhile"},
		{"a late answer acknowledges another event", "transports/nats/acks.go", "\t\t\tp.generation++\n", "", nats, "TestLateAnswerIsIgnored"},
		{"a lost connection is not noticed", "transports/nats/connection.go", "p.acks.abandon(0, lost)", "p.acks.abandon(1<<30, lost)", nats, "TestLostConnectionAnswers"},
		{"a server's error is an acknowledgement", "transports/nats/acks.go", "\t\treturn answer.Error\n", "\t\treturn nil\n", nats, "TestOutcome"},
		{"a message names no stream", "transports/nats/message.go", "d.set(headerExpected, s.opts.streamOf(e))", "d.set(headerExpected, \"\")", nats, "TestOtherStreamTakesTheSubjects"},
		{"any stream's acknowledgement counts", "transports/nats/acks.go", "case answer.Stream != name:", "case false:", nats, "TestOutcome"},
		{"memory storage is accepted", "transports/nats/stream_config.go", "have.Storage == jetstream.MemoryStorage && single:", "false:", nats, "TestUnusableStreamAtStart"},
		{"a small max_msgs is accepted", "transports/nats/stream_config.go", "discards && below(have.MaxMsgs, minMessages, 0)", "false", nats, "TestStreamBecomesUnusable"},
		{"a stream is checked once", "transports/nats/streams.go", "\tcase <-timer.C:\n\tcase <-ctx.Done():\n\t}\n\treturn ctx.Err() == nil", "\tcase <-ctx.Done():\n\t}\n\treturn ctx.Err() == nil", nats, "TestStreamBecomesUnusable/one_message"},
		{"another stream of the same name goes unnoticed", "transports/nats/stream.go", "!s.created.Equal(info.Created)", "false", nats, "TestStreamRecreated"},
		{"a denied message waits for its time-out", "transports/nats/permissions.go", "p.acks.rejectSubject(d.subject, bridge", "p.acks.rejectSubject(\"\", bridge", nats, "TestMissingRight/live.events.>"},
		{"a connection given up is not replaced", "transports/nats/connection.go", "{ go p.reopen() }", "{}", nats, "TestCurrentServerLimit"},
		{"the limit announced at connecting is final", "transports/nats/size_limit.go", "s.limit, s.at = p.querySizeLimit(server, known), time.Now()", "s.limit, s.at = known, time.Now()", nats, "TestCurrentServerLimit"},
		{"a file that cannot be opened is fatal", "transports/nats/embedded/store.go", "case errors.As(err, &lost):", "case err != nil || errors.As(err, &lost):", embedded, "TestNothingIsLostBeforeASync"},
		{"failing notices count as an outage", "bridge/dispatch/dispatch.go", "\tif e.Quarantined() {\n\t\treturn &d.notices\n\t}\n", "", dispatch, "TestQuarantineFailing|TestEventsFailing"},
		{"a message has no identity", "transports/nats/message.go", "d.set(headerMsgID, e.DedupeID())", "d.set(headerMsgID, \"\")", nats, "TestPublishedUnchanged"},
		{"two lanes share a subject", "transports/nats/message.go", "bridge.EscapeDot", "bridge.KeepDot", nats, "FuzzSubject"},
		{"unpublished events are not requeued", "bridge/dispatch/dispatch.go", "d.requeue(events[i:])", "d.requeue(events[i+1:])", dispatch, "TestShutdownWaitsForInFlight"},
	}
}

// kafkaMutants are faults on the way to Kafka.
func kafkaMutants() []mutant {
	return []mutant{
		{"a batch of unknown outcome is failed", "transports/kafka/producer/recovery.go", "\t\t\tb.maybeWritten = true\n", "\t\t\ts.answerBatch(p, b, Unavailable(p.topic.Name, err))\n\t\t\treturn\n", kafka, "TestAnswersOfABroker"},
		{"a lost answer counts as not written", "transports/kafka/producer/errors.go", "\tcase !errors.As(err, &code):\n\t\treturn unknown\n", "\tcase !errors.As(err, &code):\n\t\treturn notWritten\n", kafka, "TestLostAnswers"},
		{"acks=1", "transports/kafka/producer/request.go", "kafka.RequireAll", "kafka.RequireOne", kafka, "TestRequests"},
		{"a batch has no producer id", "transports/kafka/producer/batch.go", "\tbinary.BigEndian.PutUint64(set[offsetProducer:], uint64(producer.id))\n", "", kafka, "TestRequests"},
		{"the sequence does not advance", "transports/kafka/producer/partition.go", "int64(p.nextSequence) + int64(n)", "int64(p.nextSequence) + 0*int64(n)", kafka, "TestRequests"},
		{"the sequence advances twice", "transports/kafka/producer/partition.go", "int64(p.nextSequence) + int64(n)", "int64(p.nextSequence) + 2*int64(n)", kafka, "TestRequests"},
		{"a partition has two batches in flight", "transports/kafka/producer/broker_queue.go", "\t\tp.busy = true\n", "", kafka, "TestOneBatchAtATime"},
		{"a slow answer holds up other partitions", "transports/kafka/producer/broker_queue.go", "\t\tl.delayed = true\n", "\t\tl.delayed = true\n\t\treturn\n", kafka, "TestSlowAnswerHoldsUpNoOtherPartition"},
		{"few records make a request beside another", "transports/kafka/producer/broker_queue.go", "l.waiting >= secondRequestMin", "l.waiting > 0", kafka + "/producer", "TestSecondRequest"},
		{"partitions are not the Java client's", "transports/kafka/layout.go", "kafka.Murmur2Balancer{Consistent: true}", "kafka.CRC32Balancer{Consistent: true}", kafka, "TestPartitions"},
		{"a record has no key", "transports/kafka/producer/record.go", "Key: protocol.NewBytes(next.Key)", "Key: nil", kafka, "TestContract"},
		{"record errors are ignored", "transports/kafka/producer/request.go", "\t\tr.indexes[int(e.BatchIndex)] = true\n\t}\n\treturn r\n", "\t\tr.indexes[int(e.BatchIndex)] = true\n\t}\n\treturn nil\n", kafka, "TestPartialBatchErrors"},
		{"one bad record rejects its batch", "transports/kafka/producer/outcome.go", "if named.indexes[i] {", "if named != nil {", kafka, "TestPartialBatchErrors"},
		{"the topic's limit is ignored", "transports/kafka/producer/partition.go", "min(batchWeight, limit*9/10)", "batchWeight", kafka, "TestBatchesFitTheTopic"},
		{"a batch that is too large is retried forever", "transports/kafka/producer/errors.go", "case kafka.MessageSizeTooLarge, kafka.RecordListTooLarge, kafka.InvalidRecord:", "case kafka.RecordListTooLarge, kafka.InvalidRecord:", kafka, "TestTooLargeForTheBroker"},
		{"the outcome of a recovered record is lost", "transports/kafka/producer/recovery.go", "\tp.outcomes[at] = err\n", "\t_ = at\n", kafka, "TestOutcomeIsRemembered"},
		{"a stuck partition holds up what waits", "transports/kafka/producer/recovery.go", "if time.Now().After(patience) {", "if false && time.Now().After(patience) {", kafka, "TestPartitionInRecovery"},
		{"a compacted topic is published to", "transports/kafka/findings.go", `if policy == "compact" {`, `if policy == "never" {`, kafka, "TestUnusableTopic"},
		{"an unusable topic gets events", "transports/kafka/topics.go", "\tknown.fault.Store(&err)\n", "", kafka, "TestUnusableTopic"},
		{"an alarm is logged once", "transports/kafka/finding_log.go", "(!f.alarm || time.Since(last) < remind)", "(!f.alarm || last.IsZero() || remind > 0)", kafka, "TestUnusableTopic"},
		{"a warning that returns is not logged", "transports/kafka/finding_log.go", "return !current[key]", "return !current[key] && false", kafka, "TestWarningsAreRepeated"},
		{"offsets that go back are not noticed", "transports/kafka/producer/offsets.go", "if lost = b.offset < p.endOffset; lost {", "if lost = b.offset < 0; lost {", kafka, "TestTopicIsRecreated"},
		{"a partition at rest is not compared", "transports/kafka/producer/offsets.go", "known && end < ends[int(p.number)]", "known && end < 0", kafka, "TestTopicIsRecreated"},
		{"deleted partitions are kept", "transports/kafka/layout.go", "len(found) < len(before.partitions) {", "len(found) < 0 {", kafka, "TestFewerPartitions"},
		{"a partition without a leader is led by broker 0", "transports/kafka/findings.go", `if p.Leader.Host == "" {`, `if p.Leader.Host == "nobody" {`, kafka, "TestPartitionWithoutLeader"},
		{"a denied producer id is never requested again", "transports/kafka/producer/producer_id.go", "!i.denied.IsZero() && time.Since(i.denied) >= i.retryInterval", "!i.denied.IsZero() && i.retryInterval < 0", kafka, "TestProducerIDPermittedAgain"},
		{"a batch of unknown outcome gets too old", "transports/kafka/producer/recovery.go", "\t\ts.encoder.updateTimestamps(b.bytes, time.Now())\n", "", kafka, "TestRetriedBatchGetsNewTimestamp"},
		{"an unavailable topic holds up others", "transports/kafka/publisher.go", "layout != nil && t.fault.Load() == nil {", "layout != nil {", kafka, "TestTopicStaysDeleted"},
	}
}

// ingressMutants are faults where callbacks come in.
func ingressMutants() []mutant {
	return []mutant{
		{"answered whatever the journal says", "bridge/ingress/callback.go", "s.journal.Append(s.ctx, v.Arrival); err != nil {", "s.journal.Append(s.ctx, v.Arrival); err != nil && v.Arrival == nil {", "bridge/ingress", "TestJournalErrors"},
		{"an expired signature is accepted", "bridge/ingress/judge.go", "v.Arrival.Reason, v.Refusal = bridge.ReasonExpired, refusalOf(err)", "v.Ignored = false", "bridge/ingress", "TestAnswers"},
		{"any signature is good", "bridge/signature/key.go", "subtle.ConstantTimeCompare(w.computed, w.received)", "1", "bridge/signature", "TestVerify"},
		{"a full disk is written to", "bridge/journal/capacity.go", "r.free.Load() < r.opts.MinFreeBytes", "r.free.Load() < 0*r.opts.MinFreeBytes", journal, "TestDiskFillsUp"},
		{"the store's logs fill a small volume", "bridge/store/open.go", "const usual, least, share = 16 << 20, 1 << 20, 4 * 11", "const usual, least, share = 16 << 20, 16 << 20, 1", journal, "TestSmallVolume"},
		{"a volume that is too small is accepted", "bridge/journal/capacity.go", "if r.total <= r.opts.MinFreeBytes {", "if false {", journal, "TestVolumeSizes"},
		{"a full journal is not logged", "bridge/journal/capacity.go", "\t\tr.logChange()\n", "", journal, "TestFullIsLogged"},
		{"a torn end is not logged", "bridge/store/open.go", "\t\t\tl.s.logTorn(end)\n", "\t\t\t_ = end\n", store, "TestTornEndIsLogged"},
		{"a full disk keeps what was published", "bridge/store/reclaim.go", "s.freed < reclaimAt && !full", "s.freed < reclaimAt", journal, "TestDiskIsGivenBack/published"},
		{"a full disk keeps the newest files", "bridge/store/reclaim.go", "full && len(tables) > 0", "false && len(tables) > 0", journal, "TestDiskIsGivenBack/published"},
		{"a full disk keeps what was purged", "bridge/store/batch.go", "\t\tb.s.freed += uint64(r.Bytes)\n", "", store, "TestFreed"},
	}
}

// boundaryMutants are faults of access control, limits, and operators' commands.
func boundaryMutants() []mutant {
	return []mutant{
		{"one SparkRTC message fills the quarantine", "bridge/signature/rtc.go", "bridge.Signature{Sum: w.signatureID(set.scheme, bridge.KindRTCRecord), Key: k.name.id}", "bridge.Signature{}", livebridge, "TestVariantsOfOneMessage"},
		{"any source is allowed", "bridge/ingress/source.go", "|| contains(s.allowed, s.of(r).address) {", "|| s.of(r).address.IsValid() {", "bridge/ingress", "TestSources"},
		{"a sender can forge its address", "bridge/ingress/source.go", "line != \"\" && contains(s.trusted, last)", "line != \"\"", "bridge/ingress", "TestSources"},
		{"an address left of an unreadable entry is trusted", "bridge/ingress/source.go", "return origin{unreadable: entry}", "last = addressOf(r.RemoteAddr)", "bridge/ingress", "TestSources"},
		{"the log shows the token", "bridge/ingress/path.go", "segments[i] = maskedSegment", "segments[i] = segment", "bridge/ingress", "TestUnknownPathsAreLogged"},
		{"an escaped slash is a slash", "bridge/ingress/path.go", "cleanSlashes(u.RawPath)", "\"\"", "bridge/ingress", "TestRoutes"},
		{"a failed handshake leaves no trace", "bridge/ingress/handshake.go", "state != http.StateClosed ||", "state != http.StateHijacked ||", "bridge/ingress", "TestFailedHandshakes/plain_http"},
		{"a certificate that a client of OpenSSL rejects goes unnoticed", "bridge/ingress/handshake.go", "case isPlainAlert(err):", "case false:", "bridge/ingress", "TestFailedHandshakes"},
		{"a request hides in a chunked one", "bridge/ingress/framing.go", "r.ProtoMajor == 1 && (", "r.ProtoMajor == 9 && (", "bridge/ingress", "TestSmuggling"},
		{"requests of HTTP/2 are not counted", "bridge/ingress/route.go", "if r.ProtoMajor < 2 {", "if r.ProtoMajor < 3 {", "bridge/ingress", "TestHTTP2RequestsAreCounted"},
		{"one source fills the log", "bridge/ingress/report.go", "sourceLinesAtOnce    = 5", "sourceLinesAtOnce    = 500", "bridge/ingress", "TestLogIsBounded"},
		{"a half-written file is loaded", "bridge/filewatch/filewatch.go", "if !stable || now == s.reported {", "if !stable && now == s.reported || now == s.reported {", "bridge/filewatch", "TestPollWaitsForTheWriter"},
		{"client certificates are not verified", "bridge/certificate/certificate.go", "tls.RequireAndVerifyClientCert", "tls.RequireAnyClientCert", "bridge/certificate", "TestClientCertificates"},
		{"a dead letter again counts as published", "bridge/outbox/settlement.go", "\t\to.rejected.add(b)\n", "", outbox, "TestDelivery"},
		{"a waiting event counts as published", "bridge/outbox/delivery.go", "return sequence >= l.head(), nil", "return sequence > l.head(), nil", outbox, "TestDelivery"},
		{"a released entry stays", "bridge/processor/review_queue.go", "\tp.deleteEntry(in.Queue, e, eff)\n\treturn outcome, nil", "\treturn outcome, nil", processor, "TestReleaseAndPurge"},
		{"a released identity is not known", "bridge/processor/review_queue.go", "\t\tp.know(e.ID, now.Millis(), eff)\n", "", processor, "TestReleaseAndPurge"},
		{"quarantined entries never expire", "bridge/processor/quarantine_index.go", "entries[0].Received < before", "entries[0].Received < 0", journal, "TestQuarantineAge"},
		{"offline commands end holds", "bridge/journal/command.go", "\tr, err := j.execute(c, &cmd)\n", "\tif err := j.apply(c, processor.Input{Action: processor.Expire}); err != nil {\n\t\treturn result{}, err\n\t}\n\tr, err := j.execute(c, &cmd)\n", journal, "TestOffline"},
		{"everybody opens the control socket", "bridge/admin/control.go", "0o600", "0o666", "bridge/admin", "TestControlIsPrivate"},
		{"silent connections keep operators out", "bridge/admin/limiter.go", "refused = l.longestIdle(); refused == nil", "refused == nil", "bridge/admin", "TestSilentConnections"},
		{"requests in flight are cut off", "bridge/admin/limiter.go", "\t\tl.open[c] = time.Time{}\n", "", "bridge/admin", "TestBusyConnectionsStay"},
		{"consumers lock the bridge out", "transports/nats/embedded/connections.go", "\t\tcloseNewest(s, limit)\n", "\t\t_ = closeNewest\n", embedded, "TestConsumersAreBounded"},
		{"callbacks take the journal's files", "cmd/livebridge/descriptors.go", "min(asked, limit-reserved)", "min(asked, limit+reserved)", "cmd/livebridge", "TestFloodOfConnections"},
		{"the log waits for its reader", "cmd/livebridge/log_writer.go", "if w.closed || w.bytes+len(line) > logQueueBytes {", "if w.closed {", "cmd/livebridge", "TestLogWriterDrops"},
		{"the log's reader takes the program with it", "cmd/livebridge/serve.go", "signal.Ignore(syscall.SIGPIPE)", "signal.Ignore(syscall.SIGHUP)", "cmd/livebridge", "TestReaderOfTheLogGoesAway"},
	}
}

// trustMutants are faults of keys, signatures, and redaction.
func trustMutants() []mutant {
	const (
		signature = "bridge/signature"
		keyring   = "bridge/keyring"
		callback  = "bridge/callback"
		rule      = "bridge/signature/rule.go"
		ring      = "bridge/keyring/keyring.go"
	)
	return []mutant{
		{"an unlisted app is verified with others' keys", rule, "if t.listedDomains[at.domain] {", "if false {", signature, "TestRulesChooseKeys"},
		{"any app wins over an exact one", rule, "	if set := t.rules[at]; set != nil {\n\t\treturn set, nil\n\t}\n", "", signature, "TestRulesChooseKeys"},
		{"a domain's case matters", rule, "domain = strings.ToLower(domain)", "domain = \"\" + domain", signature, "TestRulesChooseKeys"},
		{"unsigned beside rules", rule, "return len(t.all.list) == 0", "return len(t.fallback.list) == 0", signature, "TestUnsignedBesideRules"},
		{"a refused callback counts as use", "bridge/signature/verify.go", "err = r.checkExpiry(s.Expires, now); err == nil", "err = r.checkExpiry(s.Expires, now); true", signature, "TestUses"},
		{"another app's key signs for SparkRTC", "bridge/signature/rtc.go", "if c.AppID != \"\" {", "if false {", signature, "TestRulesForRTC"},
		{"half a file of keys counts", "bridge/filewatch/filewatch.go", "stable := now == s.latest", "stable := true", keyring, "TestHalfWrittenFile"},
		{"a bad file removes the keys", ring, "f.active = before\n\t\tk.metrics", "k.metrics", keyring, "TestFilesChangeByThemselves"},
		{"new keys do not reach the server", ring, "\tapply(ring)\n", "", livebridge, "TestRotationCostsNothing"},
		{"errors of YAML repeat the file", "bridge/keyring/rules.go", "return errors.New(advice)", "return err", keyring, "TestParseRulesNamesMistakes"},
		{"what is private shows deep inside", "bridge/callback/redact.go", "if !isName(from) {", "if true {", callback, "TestPolicy"},
		{"what is private shows in another spelling", "bridge/callback/policy.go", "case \"userargs\":", "case \"user_args\":", callback, "TestPolicy"},
		{"a panic logs the body", "bridge/ingress/report.go", "what := fmt.Sprintf(\"%T\", value)", "what := fmt.Sprint(value)", "bridge/ingress", "TestPanicsHideTheBody"},
		{"quotes around a key are not seen", "bridge/signature/diagnose/key_problem.go", "case opens && closes:", "case opens && closes && key == \"\":", livebridge, "TestKeysInQuotes"},
		{"an accessible DATA_DIR is not warned of", "cmd/livebridge/app.go", "const others = 0o077", "const others = 0", livebridge, "TestStartWarnings"},
		{"settings show their secrets", "cmd/livebridge/config_command.go", "return \"(set, not shown)\"", "return text", livebridge, "TestSecretsStayInside"},
	}
}

// credentialMutants are faults of the credentials at the broker, and of the logging of their rejection.
func credentialMutants() []mutant {
	const (
		connector = "transports/nats/connector.go"
		reminders = "bridge/reminders.go"
	)
	return []mutant{
		{"a connection is made with yesterday's credentials", connector, "\tl.refresh()\n\tif", "\tif", nats, "TestRefusalsAreLoggedOnce"},
		{"an nkey stays what it was", connector, "o.Token, o.Nkey = s.token, s.public", "o.Token = s.token", nats, "TestReload"},
		{"a new file makes no new connection", connector, "_ = conn.ForceReconnect()", "_ = conn", nats, "TestReload"},
		{"every refusal is logged", reminders, "if now.Sub(k.last) < ReminderInterval {", "if false {", nats, "TestRefusalsAreSummarizedHourly"},
		{"a refusal that lasts is logged no more", reminders, "if now.Sub(k.last) < ReminderInterval {", "if !k.last.IsZero() && r.logged {", "bridge", "TestReminders"},
		{"consumers show the old token", "transports/nats/embedded/access.go", "\tg.token.Store(&token)\n", "\tg.token.CompareAndSwap(nil, &token)\n", embedded, "TestEmbeddedTokenChanges"},
		{"a negative length is trusted", "transports/kafka/framed_conn.go", "length < 0 || length > maxAnswer", "length > maxAnswer", kafka, "TestNoKafkaAnswers"},
		{"Kafka gets yesterday's credentials", "transports/kafka/credentials.go", "\t_ = c.load() //", "\t//", kafka, "TestRefusalsAreLoggedOnce"},
		{"an empty file removes the password", "transports/transporttls/files.go", "strings.TrimSpace(string(content)) == \"\"", "strings.TrimSpace(string(content)) == \"-\"", kafka, "TestRotation"},
		{"the broker's files are not watched", "cmd/livebridge/credentials.go", "if !changed && c.lastError == \"\" {", "if !changed || c.lastError == \"\" {", livebridge, "TestRotatedToken"},
	}
}
