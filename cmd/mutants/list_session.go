package main

// sessionMutants are faults of the events of sessions.
func sessionMutants() []mutant {
	const events, state = "bridge/processor/session_events.go", "bridge/processor/session.go"
	return []mutant{
		{"a session ends twice", events, "\tif s.Ended != 0 {", "\tif false {", processor, "TestSessionEnds"},
		{"a late start opens its session", events, "e.Phase == bridge.PhasePublish && !e.Marks.Has(bridge.MarkLate)",
			"e.Phase == bridge.PhasePublish", processor, "TestExplore"},
		{"a reopened end ends a session", events, "bridge.MarkReopened | bridge.MarkReplayed", "bridge.MarkReplayed",
			processor, "TestSessionEnds"},
		{"the time tells of a stale session again", events, "s.Stale, found = true, true", "found = true", processor,
			"TestStaleIsToldOnce"},
		{"a session without an end is forgotten in silence", events, "p.opts.SessionStaleAfter <= 0 || !earliest.unended()",
			"true", processor, "TestSessionsAreBounded"},
		{"a lane remembers all its sessions", events, "if len(l.Sessions) <= SessionsKept {", "if true {", processor,
			"TestSessionsAreBounded"},
		{"derived events are kept for another one", events, "\tp.derived = nil // nothing is derived from a derived event\n",
			"", processor, "TestSessionEventsAreOrdered"},
		{"stale too early", state, "now-s.Started >= after", "now-s.Started >= after-1000", processor, "TestStale"},
		{"sessions are changed in place", state, "out := make([]Session, 0, len(l.Sessions)+1)", "out := l.Sessions[:0]",
			processor, "TestExplore"},
		{"a file ends with the start of its push", state, "if session < at && session > last {",
			"if session <= at && session > last {", processor, "TestCorrelation"},
		{"a file belongs to a push that had ended", state, "at > l.Sessions[i].Ended+clockSlack", "false", processor,
			"TestCorrelation"},
		{"a push that is held has not begun", state, "\t\tbegun(h.Key.Session)\n", "\t\t_ = h\n", processor,
			"TestCorrelation"},
		{"sessions that nobody followed are believed", "bridge/processor/lanes.go", "\tif !ls.sessions {", "\tif false {",
			processor, "TestSwitchedOff"},
		{"sessions are not written", "bridge/store/batch.go", "if err := b.addSessions(l); err != nil {",
			"if err := error(nil); err != nil {", livebridge, "TestSessions"},
		{"sessions of an older lane are read", state, "\tif touched == l.Touched {", "\tif touched > 0 {", store,
			"TestSessionsOfAnOlderLane"},
		{"sessions outlive their lane", "bridge/store/batch.go", ", b.forgetSessions(name)", "", store,
			"TestSessionsOnDisk"},
		{"sessions cost without a use", "bridge/store/view.go", "s.opts.SessionEvents && name.Kind", "name.Kind", store,
			"TestSessionsOfAnOlderLane"},
		{"nobody looks for missing ends", "bridge/journal/writer.go", "j.opts.SessionEvents && j.opts.SessionStaleAfter > 0",
			"false", livebridge, "TestSessions"},
		{"SESSION_EVENTS needs no subject", "cmd/livebridge/options.go", "s.ReconcileEvents || s.SessionEvents",
			"s.ReconcileEvents", livebridge, "TestSessionSubject"},
		{"a limit without events is taken", "cmd/livebridge/content.go", "case s.SessionStaleAfter > 0 && !s.SessionEvents:",
			"case false:", livebridge, "TestSessionStaleAfterNeedsEvents"},
		{"a recording's session is a part of its occurrence", "bridge/checker/event.go",
			"\t\te.Session = 0 // a recording's is found at its arrival, and is no part of the occurrence\n", "",
			"bridge/checker", "TestSessionOfARecording"},
	}
}

// missingCallbackMutants are faults of what is told of callbacks that never came.
func missingCallbackMutants() []mutant {
	const difference = "bridge/processor/session_difference.go"
	return []mutant{
		{"the list's stale session is not noted", difference, "\ts.Stale = true\n\tl.put(s)\n", "\ts.Stale = true\n",
			processor, "TestStaleIsToldOnce"},
		{"the list tells of a stale session again", difference, "s.Ended != 0 || s.Stale", "s.Ended != 0", processor,
			"TestStaleIsToldOnce"},
		{"a session with an end is stale", difference, "s.Ended != 0 || s.Stale", "s.Stale", processor,
			"TestEndedIsNotStale"},
		{"the last session, with an end, is stale", difference,
			"last.Phase == bridge.PhaseDone && last.Session == e.Session", "false", processor,
			"TestDifferenceThatIsNoneAnyMore"},
		{"a push that has come is missed", difference,
			"return last.Phase == bridge.PhasePublish && last.Session <= e.Occurred+clockSlack, nil", "return false, nil",
			processor, "TestDifferenceThatIsNoneAnyMore"},
		{"no push is missed before another one", difference, " && last.Session <= e.Occurred+clockSlack", "", processor,
			"TestDifferenceThatIsNoneAnyMore"},
		{"a lane is forgotten with ends that are missing", "bridge/processor/forget.go",
			"p.opts.SessionStaleAfter > 0 && slices.ContainsFunc(l.Sessions, Session.unended)",
			"slices.ContainsFunc(l.Sessions, func(Session) bool { return false })", processor, "TestForgottenWithoutEnd"},
		{"a lane is kept for ends that are not told", "bridge/processor/forget.go", "p.opts.SessionStaleAfter > 0 && ", "",
			processor, "TestForgottenWithoutEnd"},
	}
}
