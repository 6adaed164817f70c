package main

// sharingMutants are faults of what the program's parts share: the judging of requests, settings, and the life cycle.
func sharingMutants() []mutant {
	const ingress, simulator = "bridge/ingress", "bridge/simulator"
	return []mutant{
		{"verify judges by rules of its own", "cmd/livebridge/verify.go", "rules := v.settings.ingressConfig().Rules",
			"rules := ingress.Rules{MaxBody: 1 << 16}", livebridge, "TestVerifyJudgesAsTheServer"},
		{"a request is judged whatever its path", "bridge/ingress/judge.go",
			"if refused := r.judgeRoute(req.Kind, req.Token); refused != nil {",
			"if refused := r.judgeRoute(req.Kind, req.Token); refused == errMethod {", ingress, "TestJudge"},
		{"the quarantine keeps nothing expired", "bridge/ingress/judge.go",
			"v.Arrival.Reason, v.Refusal = bridge.ReasonExpired,", "v.Arrival, v.Refusal = nil,",
			ingress, "TestAnswers"},
		{"an error of a key names no setting", "cmd/livebridge/settings_check.go",
			`bridge.NewSettingError(of.setting, err, "")`,
			"signature.WithLocation(prefix+of.setting, err)", livebridge, "TestAllBadKeysAtOnce"},
		{"an error of a setting says nothing of what to do", "bridge/setting.go", `if e.Remedy != "" {`, "if false {",
			"bridge", "TestSettingError"},
		{"draining does not notice what is published", "bridge/dispatch/dispatch.go",
			"\t\td.outbox.Settle(e, d.classify(e, err))\n\t\td.noteProgress()\n",
			"\t\td.outbox.Settle(e, d.classify(e, err))\n", dispatch, "TestDrain"},
		{"draining does not notice a dead letter", "bridge/dispatch/trim.go", "\t\t\ttrimmed()\n", "", dispatch,
			"TestDrainOfADeadLetter"},
		{"a failed journal counts as published", "bridge/dispatch/shutdown.go", "return context.Cause(ctx)", "return nil",
			dispatch,
			"TestDrainEnds"},
		{"callbacks of a script expire at the same time", "bridge/simulator/script.go", "step.Offset = int64(n)", "_ = n",
			simulator, "TestPlay"},
		{"changes without a service are not audited", "cmd/livebridge/operator.go", "return admin.Audited(j, log), j, nil",
			"return j, j, nil", livebridge, "TestAuditWithoutTheService"},
		{"all connections of a simulation send at once", "bridge/simulator/sender.go",
			"time.Duration(float64(n+1)*between), ", "time.Duration(float64(of)*between), ", simulator, "TestRateIsEven"},
		{"a script goes on after an error", "bridge/simulator/script.go", "if t.err != nil {", "if false {", simulator,
			"TestPlayEnds"},
	}
}

// thresholdMutants are faults of limits in what an operator tries.
func thresholdMutants() []mutant {
	const disk, preflight = "cmd/livebridge/preflight_disk.go", "TestSpaceAndClockAreJudged"
	return []mutant{
		{"tail --idle ends while events come", "cmd/livebridge/tail.go", "timer.Reset(idle)", "_ = timer", livebridge,
			"TestUntilIdle"},
		{"simulate --count removes a duration that was given", "cmd/livebridge/simulate.go",
			`cmd.Flags().Changed("count") && !cmd.Flags().Changed("duration")`, `cmd.Flags().Changed("count")`, livebridge,
			"TestCountIsNotCutShort"},
		{"simulate --count is cut short", "cmd/livebridge/simulate.go", `if cmd.Flags().Changed("count") &&`, "if false &&",
			livebridge, "TestCountIsNotCutShort"},
		{"a sync at the limit is slow", disk, "median > slowSync", "median >= slowSync", livebridge,
			"TestCertificateAndSyncAreJudged"},
		{"a sync at the limit is none", disk, "median < impossibleSync", "median <= impossibleSync", livebridge,
			"TestCertificateAndSyncAreJudged"},
		{"the free space that is needed is too little", disk, "free < uint64(s.MinFreeBytes)",
			"free <= uint64(s.MinFreeBytes)",
			livebridge, preflight},
		{"the journal fills a disk without a warning", disk, "case free < wanted:", "case free+1 < wanted:", livebridge,
			preflight},
		{"a clock that nobody keeps is fine", "cmd/livebridge/clock.go", "case !synchronized:", "case !known:", livebridge,
			preflight},
	}
}
