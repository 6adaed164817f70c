package main

// natsIntakeMutants are faults of the intake of replicas on NATS, whose messages may have many inputs.
func natsIntakeMutants() []mutant {
	bundler, bundle, read := nats+"/intake_bundler.go", natsPartitions+"/bundle.go", natsPartitions+"/intake.go"
	return []mutant{
		{"callbacks that share a message are answered 200 without it", bundler, "w.answered <- err", "w.answered <- nil",
			nats, "TestBundleTogether"},
		{"callbacks that are too large together are refused", bundler, "n > 0 && isTooLarge(err)", "n > 0 && false", nats,
			"TestBundleTooLarge"},
		{"callbacks are sent in a message that the servers refuse", bundler, "bytes+size > b.room()", "false", nats,
			"TestBundleIsBounded"},
		{"one callback that is given up costs the others", bundler, "w.in.left--; w.in.left == 0", "w.in.left >= 0", nats,
			"TestBundleGoesOnWithoutOne"},
		{"callbacks that nobody waits for any more are sent", bundler, "if !w.gone {", "if true {", nats,
			"TestBundleGoesOnWithoutOne"},
		{"a lost answer holds up the callbacks behind it", bundler, "\t\tcase <-patience.C:\n", "", nats,
			"TestBundleWithoutAnswer"},
		{"inputs of a message are decided twice", read, "r.Position >= i.next", "r.Position > 0", natsPartitions,
			"TestIntakeOfBundles"},
		{"the rest of a message is left out", bundle, "if number == of-1 {", "if number >= 0 {", natsPartitions,
			"TestIntakeOfBundles"},
		{"a cursor of an older version is read as one of today", natsPartitions + "/cursor.go", "c.next <<= inputBits", "",
			natsPartitions, "TestCursorOfMessages"},
		{"an intake that was made anew is not read", read, "needs(i.next) > have.LastSeq", "false", natsPartitions,
			"TestIntakeMadeAnew"},
		{"inputs of a message are not behind", read, "m.left + uint64(len(inputs)-1-n)", "m.left", natsPartitions,
			"TestBundleBehind"},
	}
}
