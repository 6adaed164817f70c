package main

// filterMutants are faults of PUBLISH_TYPES.
func filterMutants() []mutant {
	return []mutant{
		{"what is filtered takes a sequence", "bridge/processor/decide.go", "\t\t*filtered++\n", "", processor,
			"TestFilteredEvents|TestProcessorIsTheTable"},
		{"a lane forgets what was filtered", "bridge/processor/decide.go", "\tl.State.Sequence -= filtered\n", "", processor,
			"TestFilteredEvents|TestProcessorIsTheTable"},
		{"a filtered event is emitted", "bridge/processor/decide.go",
			"\t\teff.Filtered = append(eff.Filtered, e)\n\t\treturn\n", "\t\teff.Filtered = append(eff.Filtered, e)\n",
			processor, "TestFilteredEvents|TestProcessorIsTheTable"},
		{"a filtered entry leaves its queue", "bridge/processor/review_queue.go",
			"\tif !p.opts.Types.Has(e.Type) {\n\t\treturn nil, errType\n\t}\n", "", processor, "TestFilterAndOperators"},
		{"a replay is not filtered", "bridge/processor/review_queue.go",
			"\t\tif !p.opts.Types.Has(e.Type) {\n\t\t\teff.Filtered", "\t\tif false {\n\t\t\teff.Filtered", processor,
			"TestFilterAndOperators"},
		{"notices are filtered", "bridge/event_types.go", "TypeSet{TypeQuarantined: true}", "TypeSet{}", "bridge",
			"TestSelectTypes"},
		{"a glob that matches nothing is taken", "bridge/event_types.go",
			"\treturn fmt.Errorf(\"%q matches no event type\", glob)",
			"return nil", "bridge",
			"TestWrongGlobs"},
		{"a filtered callback counts as emitted", "bridge/processor/decide.go", "verdict = VerdictFiltered",
			"verdict = VerdictEmitted", processor, "TestVerdictOfAFiltered"},
		{"what is filtered is not counted", "bridge/tally/tally.go",
			"t.filtered.WithLabelValues(e.Type).Inc()", "_ = e", livebridge, "TestPublishTypes"},
		{"PUBLISH_TYPES is not passed on", "cmd/livebridge/options.go", "\to.Types, _ = bridge.SelectTypes(s.PublishTypes)",
			"\t_, _ = bridge.SelectTypes(s.PublishTypes)", livebridge, "TestEverySettingArrives"},
	}
}
