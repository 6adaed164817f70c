package main

// checkerMutants are faults of the checker: a run with faults passes, or a correct one fails.
func checkerMutants() []mutant {
	const (
		checker = "bridge/checker"
		file    = "bridge/checker/checker.go"
	)
	return []mutant{
		{"a run of nothing is a good one", "cmd/livebridge/check.go", "if report.Empty() {", "if false {", livebridge,
			"TestCheckOfNothing"},
		{"what had no response was verified", "bridge/checker/report.go", "r.Accepted == 0 && r.Published == 0",
			"r.Sent == 0 && r.Published == 0", "bridge/checker", "TestReportStandsByItself"},
		{"a 503 counts as a rejection", "bridge/checker/sent.go", "s.Status >= 400 && s.Status < 500", "s.Status >= 400",
			checker, "TestContract"},
		{"one sequence for two ids", "bridge/checker/lane.go", "case e <= before:", "case e < before:", checker,
			"TestContract"},
		{"one id in two lanes", file, "case first != lane:", "case first == \"\":", checker, "TestContract"},
		{"a rejected callback's notice counts for an accepted one", file, "\t\ta.expired = true\n",
			"\t\ta.quarantined = true\n", checker, "TestContract"},
		{"an ignored stream may come out", file, "(observed > 0 || a.quarantined) && c.ignored(o)", "false && c.ignored(o)",
			checker, "TestContract"},
		{"any notice without a name was sent", "bridge/checker/occurrence.go", "return o == Occurrence{Kind: o.Kind}",
			"return o.Name == \"\"", checker, "TestContract"},
	}
}

// wiringMutants are settings that do not reach their option.
func wiringMutants() []mutant {
	const (
		settings = "cmd/livebridge/settings_check.go"
		options  = "cmd/livebridge/options.go"
	)
	return []mutant{
		{"a limit is another's", options, "= s.HeldMax, s.DedupeWindow, uint64(s.DedupeMax), s.LanesCached",
			"= s.LanesCached, s.DedupeWindow, uint64(s.DedupeMax), s.HeldMax", livebridge, "TestEverySettingArrives"},
		{"one broker's password is the other's", options, "= s.KafkaSASL, s.KafkaUser, s.KafkaPassword",
			"= s.KafkaSASL, s.KafkaUser, s.NATSPassword", livebridge, "TestEverySettingArrives"},
		{"consumers of the embedded server show no token", "cmd/livebridge/transport_embedded.go",
			"o.Token, o.TokenFile = at, t.s.NATSEmbedToken,", "o.Token, o.TokenFile = at, o.Token,", livebridge,
			"TestTokenOfConsumers"},
		{"a term of a check is left out", settings, "if s.DedupeWindow < s.AuthSkew+s.AuthMaxAhead {",
			"if s.DedupeWindow < s.AuthMaxAhead {", livebridge, "TestSettingsTogether"},
		{"one file of a secret is not warned of", "cmd/livebridge/secrets.go", "\"NATS_NKEY_FILE\", \"NATS_TLS_KEY_FILE\", ",
			"\"NATS_TLS_KEY_FILE\", ", livebridge, "TestEveryWorldReadableFile"},
	}
}

// timingMutants are faults that tests once found only by a timeout, or by chance.
func timingMutants() []mutant {
	return []mutant{
		{"a slot is released twice", "bridge/dispatch/dispatch.go", "\t\t<-d.slots\n\t\td.inFlight.Done()\n",
			"\t\t<-d.slots\n\t\t<-d.slots\n\t\td.inFlight.Done()\n", dispatch, "TestEverySlotIsReleasedOnce"},
		{"a slot is not released", "bridge/dispatch/dispatch.go", "\t\t<-d.slots\n\t\td.inFlight.Done()\n",
			"\t\td.inFlight.Done()\n", dispatch, "TestEverySlotIsReleasedOnce"},
		{"failures of an outage are counted without a lock", "bridge/dispatch/outage.go",
			"func (o *outage) recordFailure(err error) {\n\to.mu.Lock()\n\tdefer o.mu.Unlock()\n",
			"func (o *outage) recordFailure(err error) {\n", dispatch, "TestOutageIsLocked"},
		{"an outage is logged at its begin only", "bridge/dispatch/outage.go",
			"time.Since(o.logged) < bridge.ReminderInterval", "true", dispatch, "TestOutageLog"},
		{"a dead broker has no such topic", "transports/kafka/producer/request.go", "\terr = s.routingCause(ctx, err)\n", "",
			kafka, "TestCauseOfADeadBroker"},
		{"any authority's certificate is accepted", "transports/transporttls/transporttls.go", "to.VerifyConnection = func",
			"_ = func", kafka, "TestVerify"},
		{"a healthy start fails events", "transports/nats/publisher.go", "!to.hold.add(func() { p.Publish(e, done) })",
			"true", nats, "TestFirstEventsWait"},
		{"settings of the other transport are ignored", "cmd/livebridge/transport.go", "f.value != defaults[i].value",
			"f.value != defaults[i].value && false", livebridge, "TestSettingsTogether"},
		{"an outage has no backoff", "bridge/dispatch/outage.go", "if ended == nil {", "if ended == nil || true {", dispatch,
			"TestOutageIsLoggedOnceAndSlowsTriesDown"},
	}
}
