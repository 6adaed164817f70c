package main

// historyMutants are faults of what is kept of published events, and of how it goes.
func historyMutants() []mutant {
	const (
		segments = "bridge/store/history_segment.go"
		kept     = "bridge/store/history.go"
		share    = "bridge/outbox/published.go"
		yielding = "bridge/journal/history.go"
		room     = "bridge/journal/capacity.go"
	)
	return []mutant{
		{"published events are not kept", kept, "if p == nil {", "if true {", journal, "TestFates"},
		{"a history that is off is written", yielding, "if j.opts.Keep == 0 {", "if false {", journal, "TestHistoryIsOff"},
		{"dead letters are kept as published", "bridge/outbox/settlement.go",
			"o.acknowledged = append(o.acknowledged, o.done(o.lanes[b.Event.Lane]))",
			"l := o.lanes[b.Event.Lane]\n\tpublished := o.published(l)\n\tr := o.done(l)\n\tr.Published = published\n" +
				"\to.acknowledged = append(o.acknowledged, r)", journal, "TestFates"},
		{"what is old is kept", segments, "*time.Millisecond <= h.keep:", "*time.Millisecond < 1<<62:", store,
			"TestHistoryLimits"},
		{"what is too much is kept", kept, "for h.usage.Bytes > h.maxBytes && err == nil {",
			"for false && err == nil {", store, "TestHistoryLimits"},
		{"a clock that was ahead keeps the history", segments, "case seg.usage.Entries == 0 || seg.until > now:",
			"case seg.usage.Entries == 0:", store, "TestHistoryOfAWrongClock"},
		{"a history that is turned off stays", segments, "if h.keep == 0 && h.usage.Entries > 0 {", "if false {", store,
			"TestHistoryIsTurnedOff"},
		{"a dropped segment leaves its ids", kept, "tableSegment, tableHistoryLane, tableHistoryID} {",
			"tableSegment, tableHistoryLane} {", store, "TestHistory"},
		{"a drop takes the next segment's first entry", kept, "numberKey(nil, table, end), nil)",
			"numberKey(nil, table, end+1), nil)", store, "TestHistory"},
		{"segments are forgotten in a restart", segments, "h.usage = h.usage.Plus(seg.usage)", "h.usage = seg.usage", store,
			"TestHistory"},
		{"a paused history is written", kept, "if b.s.history.paused {", "if false {", store, "TestHistoryIsPaused"},
		{"a full disk keeps the history", yielding, "if wanted > 0 && kept.Entries > 0 &&",
			"if false && kept.Entries > 0 &&", journal, "TestHistoryGivesWay|TestHistoryIsNoReasonToRefuse"},
		{"the disk does not get the history's room back", room, "r.diskFull() || r.yields.Load() && r.wanted() > 0",
			"r.diskFull()", journal, "TestHistoryGivesWay"},
		{"callbacks are refused for the history's sake", room, "free < least && !r.yields.Load()", "free < least", journal,
			"TestHistoryIsNoReasonToRefuse"},
		{"the disk's reserve is given up for ever", yielding, "r.giving--", "r.giving += 0", journal,
			"TestHistoryIsNoReasonToRefuse"},
		{"all that was published is kept at once", share, "bytes > keptAtOnce && i > 0", "false", outbox, "TestKeptShares"},
		{"an event has the position of the one before", share, "\tdelete(o.stored, l.lane)\n", "", outbox,
			"TestPublishedEvents"},
		{"replays of the history fill the journal", room, "taken > r.opts.MaxBytes/2 || r.wanted() > 0", "false", journal,
			"TestReplayHistory"},
		{"a turn of the clock is dropped early", segments, "age >= 0 && age < h.keep/segmentShare",
			"age < h.keep/segmentShare", store, "TestHistoryOfAWrongClock"},
	}
}

// historyPageMutants are faults of reading the history, and of what is shown of it.
func historyPageMutants() []mutant {
	const (
		pages  = "bridge/store/history_page.go"
		others = "bridge/store/unpublished_page.go"
		show   = "cmd/livebridge/journal_show.go"
		page   = "bridge/status"
	)
	return []mutant{
		{"the newest page repeats an entry", pages, "\t\tnumber++\n", "\t\tnumber += 2\n", store, "TestHistory"},
		{"a page has no bound", pages, "r.looks >= historyLooks ||", "", store, "TestHistoryPageIsBounded"},
		{"until includes its moment", pages, "(f.Until == 0 || at < f.Until)", "(f.Until == 0 || at <= f.Until)", store,
			"TestHistory"},
		{"replays are replayed again", pages, "p.Event.Marks.Has(bridge.MarkReplayed) || r.seen[of]", "r.seen[of]", journal,
			"TestReplayHistory"},
		{"what the broker has is shown as waiting", others, "e.Sequence < r.s.pendingFrom[e.Lane]", "false", store,
			"TestLeftOverBatches"},
		{"an acknowledged event waits", "bridge/journal/history.go", "all[i], left = published, left+1",
			"all[i], left = unsettled, left+1", journal, "TestFates"},
		{"a dead letter is published", "bridge/journal/history.go", "all[i] = deadLetter", "_ = i", journal,
			"TestRefusedEventIsNotPublished"},
		{"show forgets the quarantine", show, "func() error { return eachReviewed(d, bridge.QuarantineQueue, id, add) },", "",
			livebridge, "TestHistoryCommands"},
		{"a dry run publishes", "cmd/livebridge/journal_replay.go", "\tif r.dryRun {", "\tif false {", livebridge,
			"TestHistoryCommands"},
		{"positions are not asked for", "cmd/livebridge/engine_local.go", "can && a.settings.JournalKeep > 0", "can && false",
			livebridge, "TestHistoryCommands"},
		{"NATS reports the sequence of a batch's last event", "transports/nats/batch.go", "last-uint64(len(b.events)-1-i)",
			"last", embedded, "TestPositionsAreReported"},
		{"Kafka reports no positions", "transports/kafka/publisher.go", "p.producer.ReportPositions(stored)", "_ = p", kafka,
			"TestPositionsAreReported"},
		{"NATS reports no positions", "transports/nats/stored_log.go", "p.stored == nil && !p.opts.debug()",
			"!p.opts.debug()", nats, "TestPositionsAreReported"},
		{"a replay that failed says that there was nothing", "cmd/livebridge/journal_replay.go",
			"case total.replayed == 0 && !total.failed:", "case total.replayed == 0:", livebridge, "TestErrorBetweenPages"},
		{"a replay of the history asks for one of the history", "cmd/livebridge/journal_replay.go", "if t.history {",
			"if false {", livebridge, "TestHistoryCommands"},
		{"an export says that nothing waits", "cmd/livebridge/journal_export.go", "text += \": \" + whyNonePublished(d)",
			"text += \": none waits, and \" + whyNonePublished(d)", livebridge, "TestHistoryCommands"},
		{"the page hides that nothing is kept", "bridge/status/history.go",
			"stats.History != nil && stats.History.Keep != \"\"", "stats.Commit == 0", page, "TestLaneHistory"},
	}
}
