package main

// probeMutants are faults of the signed probe, which proves the way of callbacks and becomes no event.
func probeMutants() []mutant {
	const claim, body, send = "bridge/signature/probe.go", "bridge/probe/body.go", "bridge/probe/send.go"
	const signature, probe, ingress = "bridge/signature", "bridge/probe", "bridge/ingress"
	const hook = "bridge/ingress/signed_probe.go"
	return []mutant{
		{"probes are signed with the key itself", claim, "sum(key, label))", "[]byte(key))", signature, "TestProbe"},
		{"a probe's members have no boundaries", claim, "int64(len(part))", "0", signature, "TestProbeCoversEverything"},
		{"a probe of the future is good", claim, "age > ProbeMaxAge || age < -ProbeMaxAge", "age > ProbeMaxAge", signature,
			"TestProbeRefusals"},
		{"a probe of any domain is good", claim, "err = r.checkDomain(c.Domain)", "err = nil", signature,
			"TestProbeRefusals"},
		{"a body like a probe is one", body, "known && bytes.Equal(Encode(c), text)", "known", probe, "TestNoBody"},
		{"any certificate is trusted", send, "return &certificateError{err}", "return nil", probe, "TestCertificates"},
		{"an answer need not prove the key", send, "a.Proof != p.Proof", "false", probe, "TestAnswers"},
		{"probes follow redirects", send, "return http.ErrUseLastResponse", "return nil", probe, "TestAnswers"},
		{"a failed probe shows its path", send, "err = of.Err", "_ = of.Err", probe, "TestNoAnswer"},
		{"a SparkRTC callback is a probe", hook, ` || req.Header.Get(headerRTC) != ""`, "", ingress,
			"TestCallbacksAreNoProbes"},
		{"a probe is good on any route", hook, "claim.Kind != req.Kind", "false", ingress, "TestSignedProbeRefused"},
		{"a probe counts as a callback", "bridge/ingress/respond.go", "s.answerProbe(w, k, o.probe)\n\t\treturn",
			"s.answerProbe(w, k, o.probe)",
			ingress, "TestSignedProbe"},
		{"the last callback is not known", "bridge/ingress/last_callback.go", "float64(now.UnixMilli()) / 1000", "0", ingress,
			"TestLastCallback"},
	}
}

// doctorMutants are faults of callbacks doctor.
func doctorMutants() []mutant {
	const doctor, trust, way = "bridge/doctor", "bridge/doctor/trust.go", "bridge/doctor/way.go"
	return []mutant{
		{"warnings are not wrong", "bridge/doctor/finding.go", "f.Level != Info", "f.Level == Error", doctor, "TestTrust"},
		{"any registered key is good", trust, "!slices.Contains(expected.Keys, signature.KeyID(c.Key.Reveal()))", "false",
			doctor, "TestTrust"},
		{"RECORD_START is not missed", trust, "!slices.Contains(c.Events, start)", "false", doctor, "TestTrust"},
		{"any sign type is good", trust, "c.SignType != wanted", "false", doctor, "TestTrust"},
		{"a probe does not prove the path", way, "if answered(s, c.Place) {", "if false {", doctor, "TestWay"},
		{"certificates are good to the last day", way, "left < expirySoon", "left < 0", doctor, "TestWay"},
		{"several callbacks are one", "bridge/doctor/coverage.go", "len(several) > 1", "len(several) > 9", doctor,
			"TestCoverage"},
	}
}

// rotationMutants are faults of callbacks rotate.
func rotationMutants() []mutant {
	const rotation, usage = "bridge/rotation", "bridge/rotation/rotation.go"
	return []mutant{
		{"a key is replaced before the switch", usage, "lastOther < last", "lastOther < 1<<63-1", rotation, "TestUsage"},
		{"a restart ends the use of a key", usage, "case !i.Started.IsZero():", "case false:", rotation, "TestUsage"},
		{"one idle instance is enough", usage, "u.Idle = min(u.Idle,", "u.Idle = max(0,", rotation, "TestUsage"},
		{"the last key is removed", "bridge/keyring/edit.go", "ParseList([]byte(kept.String())); err != nil",
			"ParseList([]byte(kept.String())); err != nil && false",
			"bridge/keyring", "TestRemoveKey"},
		{"keys are reported before they are in force", "bridge/keyring/keyring.go", "apply(ring)\n\tk.ring.Store(ring)",
			"k.ring.Store(ring)\n\tapply(ring)",
			"bridge/keyring", "TestReload"},
		{"the switch does not prove the key", "cmd/livebridge/callbacks_rotate_switch.go", "if !noProbe {", "if false {",
			livebridge, "TestRotateChecksFirst"},
		{"the switch does not ask the instances", "cmd/livebridge/callbacks_rotate_switch.go",
			"r.awaitKey(c, id); err != nil {", "r.awaitKey(c, id); false {",
			livebridge, "TestRotateChecksFirst"},
		{"the old key ends before the switch", "cmd/livebridge/callbacks_rotate_end.go", "!u.Replaced && !r.allowUnused",
			"false", livebridge, "TestRotate"},
	}
}

// reconcileMutants are faults of the comparison with the provider's list.
func reconcileMutants() []mutant {
	const reconcile, tracker, rounds = "bridge/reconcile", "bridge/reconcile/tracker.go", "bridge/reconcile/reconciler.go"
	return []mutant{
		{"a domain that was not listed has no differences", tracker, "!listed[d.stream.Domain]", "false", reconcile,
			"TestDomainsThatAreNotListed"},
		{"a stream is not online before it is seen", tracker, "Difference{Missed, stream, at, at}",
			"Difference{Missed, stream, at, time.Time{}}", reconcile, "TestMissed"},
		{"an old push counts at once", tracker, "s.Now.Sub(first) >= grace", "s.Now.Sub(d.Since) >= grace", reconcile,
			"TestEndBetweenLists"},
		{"a domain that was compared once does not differ", "cmd/livebridge/callbacks_reconcile.go",
			"\t\tif failed != nil {\n", "\t\tif err = nil; failed != nil {\n", livebridge, "TestReconcileOfHalf"},
		{"a push whose session is forgotten is missed", tracker, " && s.Now.Sub(at) > bridge.OpenSessionKept",
			" && s.Now.Sub(at) < 0", reconcile, "TestForgottenPush"},
		{"a difference begins again each time", tracker, "\t\tif !known {\n\t\t\tfirst = s.Now\n",
			"\t\tif true || known {\n\t\t\tfirst = s.Now\n", reconcile, "TestStale"},
		{"a new push goes on with the old difference", tracker, "d.Stream, d.Begun.UnixMilli()}", "d.Stream, 0}", reconcile,
			"TestStale"},
		{"a difference is reported in every round", rounds, "if !known {", "if !known || true {", reconcile, "TestRounds"},
		{"a session event that failed is not retried", rounds, "published || r.publish(ctx, d)",
			"published || known || r.publish(ctx, d) || true", reconcile, "TestFullJournal"},
		{"a push found again is another event", "bridge/session/event.go", "\tif p.Begun == 0 {",
			"\tif true {", reconcile, "TestIdentity"},
		{"session events shift the sequence of streams", "bridge/session/event.go", "Kind: bridge.KindSession,",
			"Kind: bridge.KindStream,", livebridge, "TestSessionEvents"},
		{"session events need no subject", "transports/nats/subjects.go", "if o.SessionEvents {", "if false {", nats,
			"TestSessionSubjects"},
		{"back-off has no end", rounds, "d = min(2*d, longest)", "d = min(2*d, 99*longest)", reconcile, "TestBackoffEnds"},
		{"a throttled round goes on", rounds, " || of.Temporary", "", reconcile, "TestFailure"},
		{"requests have no limit", "bridge/provider/call.go", "return c.config.Limit.Wait(ctx)", "return nil", providerAPI,
			"TestLimit"},
		{"a held event opens a session", "bridge/store/sessions.go", "l.State.Last.Phase != bridge.PhasePublish", "false",
			journal, "TestOpenSessions"},
	}
}
