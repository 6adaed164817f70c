// Package checker judges a run of livebridge from outside: what a client sent and was answered, against what a consumer
// found on the topic. It knows the service's promises and nothing of its code, so it imports the vocabulary alone.
//
// A fault is a broken promise; the report tells each, with the lane and the event, and what could not be judged. What a
// promise allows is counted and is no fault: an event published twice the same, a callback without an answer that came
// out, or did not.
//
//	c := checker.New(checker.Config{HoldDone: 10 * time.Second, HoldNext: 3 * time.Second})
//	for _, s := range sent { c.Sent(s) }
//	for _, e := range topic { c.Out(e) } // in topic order
//	c.Report().WriteTo(os.Stdout)
//
// # Faults and their tests
//
// What the tests do to the program, and the test that does it. The checker judges those of cmd/livebridge.
//
//	a lane's decisions against the table, all orders  bridge/sequencer.TestExploreTwoSessions
//	three sessions, all orders                        bridge/sequencer.TestExploreThreeSessions
//	a lane's decisions, long histories                bridge/sequencer.TestLongHistories
//	disorder, repeats, restarts for virtual hours     cmd/livebridge.TestSimulation
//	the same seed gives the same topic                cmd/livebridge.TestSimulationIsRepeatable
//	the clock jumps                                   bridge/journal.TestClockJumpChangesNoHold
//	power loss with writers at work                   bridge/journal.TestPowerLoss
//	power loss before each operation on the disk      bridge/journal.TestPowerAtEveryOperation
//	power loss, thousands of campaigns, torn writes   bridge/journal.TestPowerCampaigns
//	flipped bits                                      bridge/journal.TestFlippedBits
//	kill -9 of the program                            cmd/livebridge.TestKill
//	kill -9 and a failing disk at chosen syncs        cmd/livebridge.TestDiskFailsUnderTheProgram
//	the disk fills up                                 bridge/journal.TestDiskFillsUp
//	no space left in spite of it                      bridge/journal.TestNoSpaceLeft
//	a write or sync fails                             bridge/journal.TestFailedSync
//	a slow disk                                       cmd/livebridge.TestSimulation
//	a read-only directory                             bridge/journal.TestReadOnlyDisk
//	the broker away for a virtual hour                cmd/livebridge.TestSimulation
//	the broker slow, refusing, late, an answer lost   cmd/livebridge.TestSimulation
//	partial failure: one lane refused, others go on   bridge/dispatch.TestStuckLaneStarvesNoOther
//	the broker away, with the real one                cmd/livebridge.TestBrokerAway
//	a stream that is full                             cmd/livebridge.TestStreamFull
//	stopped without a broker                          cmd/livebridge.TestStopsWithoutABroker
//	an event that the broker will never take          bridge/dispatch.TestDeadLetters
//	wrong histories                                   bridge/checker.TestFaults
package checker
