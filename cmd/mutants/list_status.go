package main

// statusMutants are faults of the status page and of what it shows.
func statusMutants() []mutant {
	const (
		page    = "bridge/status"
		ingress = "bridge/ingress"
		admin   = "bridge/admin"
	)
	return []mutant{
		{"updates end with the time of a response", "bridge/status/watch.go",
			"_ = out.SetWriteDeadline(time.Now().Add(writeTimeout))", "_ = out", page, "TestUpdatesGoOn"},
		{"any number of pages update themselves", "bridge/status/watch.go", "defer func() { <-s.watchers }()", "<-s.watchers", page,
			"TestWatchersAreBounded"},
		{"a page that has left keeps its place", "bridge/status/watch.go", "defer func() { <-s.watchers }()", "", page,
			"TestWatchersAreBounded"},
		{"updates hold up the end", "bridge/status/server.go", "s.closeOnce.Do(func() { close(s.closed) })", "_ = s", page,
			"TestCloseEndsUpdates"},
		{"the admin port does not end updates", "bridge/admin/admin.go", "s.http.RegisterOnShutdown(cfg.Status.Close)", "", admin,
			"TestShutdownClosesStatus"},
		{"every look reads the journal", "bridge/status/gather.go", "now.Sub(g.state.At) >= freshFor", "true", page,
			"TestManyLookAtOnce"},
		{"what takes long is read at once again", "bridge/status/kept.go", "* costFactor", "* 0", page,
			"TestWhatTakesLongIsReadLessOften"},
		{"the page waits for a disk that does not answer", "bridge/status/kept.go", "case <-timer.C:",
			"case <-make(chan time.Time):", page, "TestJournalDoesNotAnswer"},
		{"a degraded service hides one that is down", "bridge/status/health.go", "if h.Level != LevelDown {", "if true {", page,
			"TestHealth"},
		{"the policy allows what is inline", "bridge/status/server.go", "script-src 'self';", "script-src 'self' 'unsafe-inline';",
			page, "TestSecurityHeaders"},
		{"charts keep no hour", "bridge/status/sample.go", "(s.next + 1) % sampleCount", "0", page, "TestSamples"},
		{"the time of an event is that of the first", "bridge/status/published.go", "(r.count-1-i)%rememberedEvents",
			"i%rememberedEvents", page, "TestEvents"},
		{"equal refusals are not counted together", "bridge/ingress/recent.go", "case at >= 0:", "case false:", ingress,
			"TestRecentRefusals"},
		{"recent refusals have no bound", "bridge/ingress/recent.go", "case len(r.all) < recentRefusals:", "case true:", ingress,
			"TestRecentRefusalsAreBounded"},
		{"forged expiries are observed", "bridge/ingress/expiry.go", "v.Arrival == nil || v.Arrival.Event.Scheme == bridge.SchemeNone",
			"false", ingress, "TestExpiries"},
		{"OpenMetrics is not offered", "bridge/admin/admin.go", "EnableOpenMetrics: true", "EnableOpenMetrics: false", admin,
			"TestOpenMetrics"},
	}
}
