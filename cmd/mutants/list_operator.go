package main

// operatorMutants are faults of what an operator sees and does.
func operatorMutants() []mutant {
	return []mutant{
		{"the environment does not take precedence over --env-file", "cmd/livebridge/env_file.go",
			"if _, set := os.LookupEnv(name); set {", "if false {", livebridge, "TestEnvFile"},
		{"config --check leaves a file behind", "cmd/livebridge/preflight_disk.go", ", os.Remove(file.Name())", "",
			livebridge, "TestConfigCheck"},
		{"the check of Kafka ignores the right to write", "transports/kafka/probe.go", "errors.Is(err, kafka.InvalidMessage)",
			"true", kafka, "TestProbeOfRights"},
		{"the check of NATS stores a message", "transports/nats/probe.go", `s.want.Name+"-none"`, "s.want.Name", nats,
			"TestProbeOfRights"},
		{"the check of NATS ignores the right to publish", "transports/nats/probe.go",
			"return warnings, s.probeRight(ctx, js)", "return warnings, nil", nats, "TestProbeOfRights"},
		{"purge --all does not ask", "cmd/livebridge/review_release.go", "len(numbers) > 0 && !f.yes",
			"len(numbers) > 0 && false", livebridge, "TestPurgeAll"},
		{"a lane of another kind is selected", "cmd/livebridge/lane.go", `(f.kind == "" || f.kind == kind)`, "true",
			livebridge, "TestLaneSpellings|TestTail"},
		{"an audit line has no caller", "bridge/admin/control.go", "\tc.http.ConnContext = withCaller\n", "", "bridge/admin",
			"TestAuditLines"},
		{"a missing entry is audited as processed", "bridge/admin/audit.go", `if o.Problem == "" {`, "if true {",
			"bridge/admin", "TestAuditLines"},
		{"a signal to reload waits for the next poll", "bridge/keyring/keyring.go", "(*filewatch.Source[snapshot]).PollNow",
			"(*filewatch.Source[snapshot]).Poll", "bridge/keyring", "TestReload"},
		{"twins are not whole", "bridge/simulator/plan.go", "if p.twin {", "if p.draw(p.c.Twins) {", "bridge/simulator",
			"TestWholeTwins"},
		{"an entry is verified as of now", "cmd/livebridge/verify_input.go", "if !instantGiven {", "if false {", livebridge,
			"TestVerifyReadsAnEntry"},
		{"systemd is not told that the service is ready", "cmd/livebridge/app.go",
			"\ta.notifySystemd(ctx, daemon.SdNotifyReady)\n", "", livebridge, "TestSystemdWithoutWatchdog"},
		{"the watchdog is fed by a service that says nothing", "cmd/livebridge/systemd.go", "case err == nil:", "default:",
			livebridge, "TestWatchdogIsFedOnlyByTheLiving"},
		{"a message waits until systemd reads", "cmd/livebridge/systemd.go", "_ = conn.SetWriteDeadline(time.Now())", "",
			livebridge, "TestSystemdThatDoesNotRead"},
	}
}
