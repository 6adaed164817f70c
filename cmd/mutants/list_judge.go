package main

// judgeMutants are faults of the judge: a run that is wrong passes for right, or the other way round.
func judgeMutants() []mutant {
	const (
		checker = "bridge/checker"
		file    = "bridge/checker/checker.go"
	)
	return []mutant{
		{"an answer 503 is a refusal", "bridge/checker/sent.go", "s.Status >= 400 && s.Status < 500", "s.Status >= 400", checker, "TestContract"},
		{"one sequence for two ids", "bridge/checker/lane.go", "case e <= before:", "case e < before:", checker, "TestContract"},
		{"one id in two lanes", file, "case home != lane:", "case home == \"\":", checker, "TestContract"},
		{"a refused callback's notice stands for one that was accepted", file, "\t\ta.expired = true\n", "\t\ta.quarantined = true\n", checker, "TestContract"},
		{"an ignored stream may come out", file, "(came > 0 || a.quarantined) && c.ignored(h)", "false && c.ignored(h)", checker, "TestContract"},
		{"any notice without a name was sent", "bridge/checker/happening.go", "return h == Happening{Kind: h.Kind}", "return h.Name == \"\"", checker, "TestContract"},
	}
}
