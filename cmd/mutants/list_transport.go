package main

// consumerMutants are faults of the transports' consumers.
func consumerMutants() []mutant {
	return []mutant{
		{"a consumer waits for a broker that was never there", "transports/kafka/consume.go",
			"case !connected && c.ctx.Err() == nil:", "case false:", kafka, "TestContract/consume_no_broker"},
		{"a consumer of Kafka is called after its error", "transports/kafka/consume.go",
			"\tif c.ctx.Err() != nil {\n\t\treturn false\n\t}\n\tc.logged", "\tc.logged",
			kafka, "TestContract/consume_an_error_ends_it"},
		{"a consumer of new records reads the old ones", "transports/kafka/consume.go",
			"if start == StartNew {", "if start != StartNew {", kafka, "TestContract/consume_new_ones_only"},
		{"a consumer of Kafka reads the quarantine", "transports/kafka/consume.go",
			"pattern.MatchString(t.Name) && t.Name != c.opts.Quarantine", "pattern.MatchString(t.Name)",
			kafka, "TestConsumeNoQuarantine"},
		{"a stream created anew is consumed from its middle", "transports/nats/consume.go",
			"\t\tMaxResetAttempts: 1,\n", "", nats, "TestConsumeRecreatedStream"},
		{"a consumer of new messages reads the old ones", "transports/nats/consume.go",
			"return have.LastSeq + 1", "return max(have.FirstSeq, 1)", nats, "TestContractServer/consume_new_ones_only"},
		{"an error does not end a consumer of NATS", "transports/nats/consume.go",
			"\t\treturn errStop{err}\n", "\t\treturn err\n", nats, "TestContractServer/consume_an_error_ends_it"},
	}
}

// storedMutants are faults of what is logged of an event that is stored.
func storedMutants() []mutant {
	return []mutant{
		{"an event stored by NATS is not logged", "transports/nats/stored_log.go",
			"if err == nil && answer != nil &&", "if false &&", nats, "TestStoredEventsAreLogged"},
		{"an event stored by the embedded server is not logged", "transports/nats/publisher.go",
			"opts.InProcess != nil && !p.opts.debug()", "opts.InProcess != nil", embedded, "TestStoredEventsAreLogged"},
		{"an event stored by Kafka is logged with another's offset", "transports/kafka/producer/stored_log.go",
			"offset += int64(i)", "offset += 0", kafka, "TestStoredEventsAreLogged"},
	}
}

// hangupMutants are files that a SIGHUP does not read.
func hangupMutants() []mutant {
	const file, test = "cmd/livebridge/reload.go", "TestReloadReadsEveryFile"
	return []mutant{
		{"SIGHUP reads no certificate", file, "\t\ta.certificate.Reload()\n", "", livebridge, test},
		{"SIGHUP reads no keys", file, "\ta.keys.Reload(a.ingress.SetRing)\n", "", livebridge, test},
		{"SIGHUP reads no broker credentials", file, "\ta.credentials.Reload()\n", "", livebridge, test},
	}
}
