package main

// ingressMutants are faults where callbacks come in.
func ingressMutants() []mutant {
	return []mutant{
		{"answered whatever the journal says", "bridge/ingress/callback.go",
			"if err != nil {\n\t\to.refusal = journal",
			"if err != nil && v.Arrival == nil {\n\t\to.refusal = journal", "bridge/ingress", "TestJournalErrors"},
		{"an expired signature is accepted", "bridge/ingress/judge.go",
			"v.Arrival.Reason, v.Refusal = bridge.ReasonExpired, refusalOf(err)", "v.Ignored = false", "bridge/ingress",
			"TestAnswers"},
		{"any signature is good", "bridge/signature/key.go", "subtle.ConstantTimeCompare(w.computed, w.received)", "1",
			"bridge/signature", "TestVerify"},
		{"a full disk is written to", "bridge/journal/capacity.go", "return free < least/2 || free < least",
			"return free < 0*least && free < least", journal, "TestDiskFillsUp"},
		{"the store's logs fill a small volume", "bridge/store/open.go",
			"const usual, least, share = 16 << 20, 1 << 20, 4 * 11", "const usual, least, share = 16 << 20, 16 << 20, 1",
			journal, "TestSmallVolume"},
		{"a volume that is too small is accepted", "bridge/journal/capacity.go", "if r.total <= r.opts.MinFreeBytes {",
			"if false {", journal, "TestVolumeSizes"},
		{"a full journal is not logged", "bridge/journal/capacity.go", "\t\tr.logChange()\n", "", journal,
			"TestFullIsLogged"},
		{"a torn end is not logged", "bridge/store/open.go", "\t\t\tl.s.logTorn(end)\n", "\t\t\t_ = end\n", store,
			"TestTornEndIsLogged"},
		{"a full disk keeps what was published", "bridge/store/reclaim.go", "s.freed < reclaimAt && !full",
			"s.freed < reclaimAt", journal, "TestDiskIsGivenBack/published"},
		{"a full disk keeps the newest files", "bridge/store/reclaim.go", "full && len(tables) > 0",
			"false && len(tables) > 0", journal, "TestDiskIsGivenBack/published"},
		{"a full disk keeps what was purged", "bridge/store/batch.go", "\t\tb.s.freed += uint64(r.Bytes)\n", "", store,
			"TestFreed"},
	}
}

// boundaryMutants are faults of access control, limits, and operators' commands.
func boundaryMutants() []mutant {
	return []mutant{
		{"one SparkRTC message fills the quarantine", "bridge/signature/rtc.go",
			"bridge.Signature{Sum: w.signatureID(set.scheme, bridge.KindRTCRecord), Key: k.name.id}", "bridge.Signature{}",
			livebridge, "TestVariantsOfOneMessage"},
		{"any source is allowed", "bridge/ingress/source.go", "|| contains(s.allowed, s.of(r).address) {",
			"|| s.of(r).address.IsValid() {", "bridge/ingress", "TestSources"},
		{"a sender can forge its address", "bridge/ingress/source.go", "line != \"\" && contains(s.trusted, last)",
			"line != \"\"", "bridge/ingress", "TestSources"},
		{"an address left of an unreadable entry is trusted", "bridge/ingress/source.go", "return origin{unreadable: entry}",
			"last = addressOf(r.RemoteAddr)", "bridge/ingress", "TestSources"},
		{"the log shows the token", "bridge/ingress/path.go", "segments[i] = maskedSegment", "segments[i] = segment",
			"bridge/ingress", "TestUnknownPathsAreLogged"},
		{"an escaped slash is a slash", "bridge/ingress/path.go", "cleanSlashes(u.RawPath)", "\"\"", "bridge/ingress",
			"TestRoutes"},
		{"a failed handshake leaves no trace", "bridge/ingress/handshake.go", "state != http.StateClosed ||",
			"state != http.StateHijacked ||", "bridge/ingress", "TestFailedHandshakes/plain_http"},
		{"a certificate that a client of OpenSSL rejects goes unnoticed", "bridge/ingress/handshake.go",
			"case isPlainAlert(err):", "case false:", "bridge/ingress", "TestFailedHandshakes"},
		{"a request hides in a chunked one", "bridge/ingress/framing.go", "r.ProtoMajor == 1 && (", "r.ProtoMajor == 9 && (",
			"bridge/ingress", "TestSmuggling"},
		{"requests of HTTP/2 are not counted", "bridge/ingress/route.go", "if r.ProtoMajor < 2 {", "if r.ProtoMajor < 3 {",
			"bridge/ingress", "TestHTTP2RequestsAreCounted"},
		{"one source fills the log", "bridge/ingress/report.go", "sourceLinesAtOnce    = 5", "sourceLinesAtOnce    = 500",
			"bridge/ingress", "TestLogIsBounded"},
		{"a half-written file is loaded", "bridge/filewatch/filewatch.go", "if !stable || now == s.reported {",
			"if !stable && now == s.reported || now == s.reported {", "bridge/filewatch", "TestPollWaitsForTheWriter"},
		{"client certificates are not verified", "bridge/certificate/certificate.go", "tls.RequireAndVerifyClientCert",
			"tls.RequireAnyClientCert", "bridge/certificate", "TestClientCertificates"},
		{"a dead letter again counts as published", "bridge/outbox/settlement.go", "\t\to.rejected.add(b)\n", "", outbox,
			"TestDelivery"},
		{"a waiting event counts as published", "bridge/outbox/delivery.go", "return sequence >= l.head(), nil",
			"return sequence > l.head(), nil", outbox, "TestDelivery"},
		{"a released entry stays", "bridge/processor/review_queue.go",
			"\tp.deleteEntry(in.Queue, e, eff)\n\treturn outcome, nil", "\treturn outcome, nil", processor,
			"TestReleaseAndPurge"},
		{"a released identity is not known", "bridge/processor/review_queue.go", "\t\tp.know(e.ID, now.Millis(), eff)\n", "",
			processor, "TestReleaseAndPurge"},
		{"quarantined entries never expire", "bridge/processor/quarantine_index.go", "entries[0].Received < before",
			"entries[0].Received < 0", journal, "TestQuarantineAge"},
		{"offline commands end holds", "bridge/journal/command.go", "\tr, err := j.execute(c, &cmd)\n",
			"\tif err := j.apply(c, processor.Input{Action: processor.Expire}); err != nil {\n\t\treturn result{}, " +
				"err\n\t}\n\tr, err := j.execute(c, &cmd)\n", journal, "TestOffline"},
		{"everybody opens the control socket", "bridge/admin/control.go", "0o600", "0o666", "bridge/admin",
			"TestControlIsPrivate"},
		{"silent connections keep operators out", "bridge/admin/limiter.go", "refused = l.longestIdle(); refused == nil",
			"refused == nil", "bridge/admin", "TestSilentConnections"},
		{"requests in flight are cut off", "bridge/admin/limiter.go", "\t\tl.open[c] = time.Time{}\n", "", "bridge/admin",
			"TestBusyConnectionsStay"},
		{"consumers lock the bridge out", "transports/nats/embedded/connections.go", "\t\tcloseNewest(s, limit)\n",
			"\t\t_ = closeNewest\n", embedded, "TestConsumersAreBounded"},
		{"callbacks take the journal's files", "cmd/livebridge/descriptors.go", "min(asked, limit-reserved)",
			"min(asked, limit+reserved)", "cmd/livebridge", "TestShare"},
		{"the log waits for its reader", "cmd/livebridge/log_writer.go", "if w.closed || w.bytes+len(line) > logQueueBytes {",
			"if w.closed {", "cmd/livebridge", "TestLogWriterDrops"},
		{"the log's reader takes the program with it", "cmd/livebridge/serve.go", "signal.Ignore(syscall.SIGPIPE)",
			"signal.Ignore(syscall.SIGHUP)", "cmd/livebridge", "TestReaderOfTheLogGoesAway"},
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
		{"an unlisted app is verified with others' keys", rule, "if t.listedDomains[at.domain] {", "if false {", signature,
			"TestRulesChooseKeys"},
		{"any app wins over an exact one", rule, "	if set := t.rules[at]; set != nil {\n\t\treturn set, nil\n\t}\n", "",
			signature, "TestRulesChooseKeys"},
		{"a domain's case matters", rule, "domain = strings.ToLower(domain)", "domain = \"\" + domain", signature,
			"TestRulesChooseKeys"},
		{"unsigned beside rules", rule, "return len(t.all.list) == 0", "return len(t.fallback.list) == 0", signature,
			"TestUnsignedBesideRules"},
		{"a refused callback counts as use", "bridge/signature/verify.go", "err = r.checkExpiry(s.Expires, now); err == nil",
			"err = r.checkExpiry(s.Expires, now); true", signature, "TestUses"},
		{"another app's key signs for SparkRTC", "bridge/signature/rtc.go", "if c.AppID != \"\" {", "if false {", signature,
			"TestRulesForRTC"},
		{"half a file of keys counts", "bridge/filewatch/filewatch.go", "stable := now == s.latest", "stable := true",
			keyring, "TestHalfWrittenFile"},
		{"a bad file removes the keys", ring, "f.active = before\n\t\tk.metrics", "k.metrics", keyring,
			"TestFilesChangeByThemselves"},
		{"new keys do not reach the server", ring, "\tapply(ring)\n", "", livebridge, "TestRotationCostsNothing"},
		{"errors of YAML repeat the file", "bridge/keyring/rules.go", "return errors.New(advice)", "return err", keyring,
			"TestParseRulesNamesMistakes"},
		{"what is private shows deep inside", "bridge/callback/redact.go", "if !isName(from) {", "if true {", callback,
			"TestPolicy"},
		{"what is private shows in another spelling", "bridge/callback/policy.go", "case \"userargs\":",
			"case \"user_args\":", callback, "TestPolicy"},
		{"a panic logs the body", "bridge/ingress/report.go", "what := fmt.Sprintf(\"%T\", value)",
			"what := fmt.Sprint(value)", "bridge/ingress", "TestPanicsHideTheBody"},
		{"quotes around a key are not seen", "bridge/signature/diagnose/key_problem.go", "case opens && closes:",
			"case opens && closes && key == \"\":", livebridge, "TestKeysInQuotes"},
		{"an accessible DATA_DIR is not warned of", "cmd/livebridge/app.go", "const others = 0o077", "const others = 0",
			livebridge, "TestStartWarnings"},
		{"a misspelled setting goes unnoticed", "cmd/livebridge/settings.go", "range unknownSettings(vars) {",
			"range []string{} {", livebridge, "TestMisspelledSetting"},
		{"settings show their secrets", "cmd/livebridge/config_command.go", "return \"(set, not shown)\"", "return text",
			livebridge, "TestSecretsStayInside"},
	}
}

// credentialMutants are faults of the credentials at the broker, and of the logging of their rejection.
func credentialMutants() []mutant {
	const (
		connector = "transports/nats/connector.go"
		reminders = "bridge/reminders.go"
	)
	return []mutant{
		{"a connection is made with yesterday's credentials", connector, "\tl.refresh()\n\tif", "\tif", nats,
			"TestRefusalsAreLoggedOnce"},
		{"an nkey stays what it was", connector, "o.Token, o.Nkey = s.token, s.public", "o.Token = s.token", nats,
			"TestReload"},
		{"a new file makes no new connection", connector, "_ = conn.ForceReconnect()", "_ = conn", nats, "TestReload"},
		{"every refusal is logged", reminders, "if now.Sub(k.last) < ReminderInterval {", "if false {", nats,
			"TestRefusalsAreSummarizedHourly"},
		{"a refusal that lasts is logged no more", reminders, "if now.Sub(k.last) < ReminderInterval {",
			"if !k.last.IsZero() && r.logged {", "bridge", "TestReminders"},
		{"consumers show the old token", "transports/nats/embedded/access.go", "\tg.token.Store(&token)\n",
			"\tg.token.CompareAndSwap(nil, &token)\n", embedded, "TestEmbeddedTokenChanges"},
		{"a negative length is trusted", "transports/kafka/framed_conn.go", "length < 0 || length > maxAnswer",
			"length > maxAnswer", kafka, "TestNoKafkaAnswers"},
		{"Kafka gets yesterday's credentials", "transports/kafka/credentials.go", "\t_ = c.load() //", "\t//", kafka,
			"TestRefusalsAreLoggedOnce"},
		{"an empty file removes the password", "transports/transporttls/files.go",
			"strings.TrimSpace(string(content)) == \"\"", "strings.TrimSpace(string(content)) == \"-\"", kafka, "TestRotation"},
		{"the broker's files are not watched", "cmd/livebridge/credentials.go", "if !changed && c.lastError == \"\" {",
			"if !changed || c.lastError == \"\" {", livebridge, "TestRotatedToken"},
	}
}
