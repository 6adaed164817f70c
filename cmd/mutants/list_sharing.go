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
		{"an error of a key names no setting", "cmd/livebridge/settings.go", `bridge.NewSettingError(of.setting, err, "")`,
			"signature.WithLocation(prefix+of.setting, err)", livebridge, "TestAllBadKeysAtOnce"},
		{"an error of a setting says nothing of what to do", "bridge/setting.go", `if e.Remedy != "" {`, "if false {",
			"bridge", "TestSettingError"},
		{"draining does not notice what is published", "bridge/dispatch/dispatch.go",
			"\t\td.outbox.Settle(e, d.classify(e, err))\n\t\td.noteProgress()\n",
			"\t\td.outbox.Settle(e, d.classify(e, err))\n", dispatch, "TestDrain"},
		{"draining does not notice a dead letter", "bridge/dispatch/trim.go", "\t\t\ttrimmed()\n", "", dispatch,
			"TestDrainOfADeadLetter"},
		{"a failed journal counts as published", "bridge/dispatch/shutdown.go", "return context.Cause(ctx)", "return nil", dispatch,
			"TestDrainEnds"},
		{"callbacks of a script expire at the same time", "bridge/simulator/script.go", "step.Offset = int64(n)", "_ = n",
			simulator, "TestPlay"},
		{"a script goes on after an error", "bridge/simulator/script.go", "if t.err != nil {", "if false {", simulator,
			"TestPlayEnds"},
	}
}
