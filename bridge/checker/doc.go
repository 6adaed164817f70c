// Package checker verifies a run of livebridge from outside: it compares what a client sent and the responses with
// what a consumer received from the topic. It knows the service's promises and nothing of its code, so it imports only
// the vocabulary.
//
// A fault is a broken promise; the report shows each with its lane and event, and what could not be checked. What a
// promise allows is counted and is not a fault: an event published twice with the same bytes, a callback without a
// response that was published, or was not.
//
//	c := checker.New(checker.Config{HoldDone: 10 * time.Second, HoldNext: 3 * time.Second})
//	for _, s := range sent { c.Sent(s) }
//	for _, e := range topic { c.Published(e) } // in topic order
//	c.Report().WriteTo(os.Stdout)
//
// # Faults and their tests
//
// What the tests do to the program, and which test does it. The checker verifies those of cmd/livebridge.
//
//	a lane's decisions against the table, all orders      bridge/sequencer.TestExploreTwoSessions
//	three sessions, all orders                            bridge/sequencer.TestExploreThreeSessions
//	long histories, limits, clocks that jump              bridge/sequencer.TestLongHistories
//	all orders in the processor, timers, restarts         bridge/processor.TestExplore
//	many lanes, duplicates, captured signatures, limits   bridge/processor.TestProcessorIsTheTable
//	disorder, duplicates, restarts for virtual hours      cmd/livebridge.TestSimulation
//	holds too long or too short                           cmd/livebridge.TestSimulatedHolds
//	the same seed gives the same topic                    cmd/livebridge.TestSimulationIsRepeatable
//	the clock jumps                                       bridge/journal.TestClockJumpChangesNoHold
//	the same for virtual hours, among all else            cmd/livebridge.TestSimulation
//	a deadline that passes while callbacks wait           bridge/journal.TestCallbacksComeBeforeDeadlines
//	power loss with writers at work                       bridge/journal.TestPowerLoss
//	power loss before each operation, writes missing      bridge/journal.TestPowerAtEveryOperation
//	power loss, thousands of campaigns                    bridge/journal.TestPowerCampaigns
//	a write that is torn, after each byte                 bridge/journal.TestTornLog
//	flipped bits                                          bridge/journal.TestFlippedBits
//	flipped bits after a crash                            bridge/journal.TestFlippedBitsAfterACrash
//	visible outside before the sync: a duplicate          bridge/journal.TestRepeatWaitsForWhatItRepeats
//	visible outside before the sync: the backlog          bridge/journal.TestBacklogHasNothingUnsynced
//	visible outside before the sync: dead letters         bridge/journal.TestDeadLetterWaitsForItsSync
//	a crash after a part of what one commit has emitted   bridge/journal.TestBatchesAfterARestart
//	a crash when lanes went on beyond their event batches bridge/journal.TestBatchBehindItsLane
//	batches, dead letters, duplicates, power loss, random bridge/journal.TestBatchCampaigns
//	a dead letter between what is not durable yet         bridge/journal.TestDeadLetterBehindWhatIsNotDurable
//	a damaged event batch                                 bridge/journal.TestDamagedBatchIsAnError
//	kill -9 of the program, at random                     cmd/livebridge.TestKill
//	kill -9 in a chosen system call                       cmd/livebridge.TestDiskFailsUnderTheProgram
//	kill -9 and errors while starting                     cmd/livebridge.TestKilledWhileStarting
//	a disk that fills up, a small tmpfs                   cmd/livebridge.TestDiskFillsUp
//	less than MIN_FREE_BYTES, in memory                   bridge/journal.TestDiskFillsUp
//	no space left in spite of it                          cmd/livebridge.TestNoSpaceLeft
//	no space left, in memory                              bridge/journal.TestNoSpaceLeft
//	each write and sync of the log fails, stored or not   bridge/journal.TestErrorAtEveryOperation
//	a write or sync fails under load                      bridge/journal.TestFailedSync
//	a table cannot be written                             bridge/journal.TestFailedFlush
//	a slow disk, with the real program                    cmd/livebridge.TestDiskFailsUnderTheProgram
//	a slow disk, with crashes                             cmd/livebridge.TestSimulation
//	a read-only directory                                 cmd/livebridge.TestReadOnlyDisk
//	a read-only directory, in memory                      bridge/journal.TestReadOnlyDisk
//	the broker unavailable for a virtual hour             cmd/livebridge.TestSimulation
//	the broker slow, failing, late, an answer lost        cmd/livebridge.TestSimulation
//	one stream failing for hours: the others go on        cmd/livebridge.TestSimulatedHolds
//	partial failure: one lane fails, others go on         bridge/dispatch.TestStuckLaneStarvesNoOther
//	the broker unavailable, with the real one             cmd/livebridge.TestBrokerAway
//	the broker killed under load                          cmd/livebridge.TestBrokerStopped
//	a cluster of three loses its leader                   cmd/livebridge.TestClusterLosesItsLeader
//	a stream deleted while in use                         cmd/livebridge.TestStreamDeleted
//	a stream that is full                                 cmd/livebridge.TestStreamFull
//	a stream at its limits                                cmd/livebridge.TestStreamAtItsLimits
//	an answer after its timeout                           transports/nats.TestLateAnswerIsIgnored
//	a connection lost with events in flight               transports/nats.TestLostConnectionAnswers
//	one answer for many messages, some not stored         transports/nats.TestAckCoversStoredMessagesOnly
//	the same, with a connection that is lost              transports/nats.TestNoCountingRightAfterALostConnection
//	a Kafka broker rejects, or is not sure                transports/kafka.TestAnswersOfABroker
//	the connection to Kafka lost, before or after a write transports/kafka.TestLostAnswers
//	Kafka accepts a part of a batch                       transports/kafka.TestPartialBatchErrors
//	the leaders of Kafka's partitions move                transports/kafka.TestLeaderMoves
//	stopped without a broker                              cmd/livebridge.TestStopsWithoutABroker
//	an event that the broker rejects                      bridge/dispatch.TestDeadLetters
//	wrong histories                                       bridge/checker.TestFaults
//	bodies of any kind: stream status                     bridge/callback.FuzzStream
//	bodies of any kind: recording                         bridge/callback.FuzzRecord
//	bodies of any kind: snapshot                          bridge/callback.FuzzSnapshot
//	bodies of any kind: SparkRTC                          bridge/callback.FuzzRTCRecord
//	fields of any kind in a signed string                 bridge/signature.FuzzCanonical
//	names of any kind in a subject                        transports/nats.FuzzSubject
//	names of any kind in a topic                          transports/kafka.FuzzTopic
//	bytes of any kind in a record: an event               bridge/record.FuzzReadEvent
//	bytes of any kind in a record: one that waits         bridge/store.FuzzReadPending
//	bytes of any kind in a record: an event batch         bridge/store.FuzzReadEventBatch
//	bytes of any kind in a record: the quarantine         bridge/store.FuzzReadQuarantineRecord
//	bytes of any kind in a record: a lane                 bridge/processor.FuzzReadLane
//	names of any kind in a key                            bridge/store.FuzzLaneKey
//
// make test runs short forms of the random and exhaustive ones (go test -short), with TEST_ALL set, as in CI, what
// go test runs without it, and make prove the long forms. Tests that need strace or permission to mount a tmpfs print
// NOT RUN without it, and fail with TEST_ALL set. What fuzzing (make fuzz) has found is in testdata/fuzz of each
// package. cmd/mutants lists faults planted on purpose, and the test that finds each.
package checker
