// Package checker judges a run of livebridge from outside: what a client sent and was answered, against what a consumer
// found on the topic. It knows the service's promises and nothing of its code, so it imports the vocabulary alone.
//
// A fault is a broken promise; the report tells each, with the lane and the event, and what could not be judged. What a
// promise allows is counted and is no fault: an event published twice the same, a callback without an answer that came
// out, or did not.
//
//	c := checker.New(checker.Config{HoldDone: 10 * time.Second, HoldNext: 3 * time.Second})
//	for _, s := range sent { c.Sent(s) }
//	for _, e := range topic { c.Published(e) } // in topic order
//	c.Report().WriteTo(os.Stdout)
//
// # Faults and their tests
//
// What the tests do to the program, and the test that does it. The checker judges those of cmd/livebridge.
//
//	a lane's decisions against the table, all orders      bridge/sequencer.TestExploreTwoSessions
//	three sessions, all orders                            bridge/sequencer.TestExploreThreeSessions
//	long histories, limits, clocks that leap              bridge/sequencer.TestLongHistories
//	all orders in the journal, timers, restarts, power    bridge/journal.TestExploreJournal
//	many lanes, repeats, captured signatures, all limits  bridge/journal.TestJournalIsTheTable
//	disorder, repeats, restarts for virtual hours         cmd/livebridge.TestSimulation
//	holds too long or too short                           cmd/livebridge.TestSimulatedHolds
//	the same seed gives the same topic                    cmd/livebridge.TestSimulationIsRepeatable
//	the clock jumps                                       bridge/journal.TestClockJumpChangesNoHold
//	the same for virtual hours, among all else            cmd/livebridge.TestSimulation
//	a deadline that passes while callbacks wait           bridge/journal.TestCallbacksComeBeforeDeadlines
//	power loss with writers at work                       bridge/journal.TestPowerLoss
//	power loss before each operation, writes missing      bridge/journal.TestPowerAtEveryOperation
//	power loss, thousands of campaigns                    bridge/journal.TestPowerCampaigns
//	a write that is torn, behind each byte                bridge/journal.TestTornLog
//	flipped bits                                          bridge/journal.TestFlippedBits
//	flipped bits after a crash                            bridge/journal.TestFlippedBitsAfterACrash
//	told to the outside before the sync: a repeat         bridge/journal.TestRepeatWaitsForWhatItRepeats
//	told to the outside before the sync: the backlog      bridge/journal.TestBacklogHasNothingUnsynced
//	told to the outside before the sync: dead letters     bridge/journal.TestDeadLetterWaitsForItsSync
//	a crash behind a part of what one commit has emitted  bridge/journal.TestParcelsAfterARestart
//	a crash when lanes have gone on beyond their parcels  bridge/journal.TestParcelBehindItsLane
//	parcels, dead letters, repeats, power loss, at random bridge/journal.TestParcelCampaigns
//	a dead letter between what is not durable yet         bridge/journal.TestDeadLetterBehindWhatIsNotDurable
//	a damaged parcel                                      bridge/journal.TestDamagedParcelIsAnError
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
//	the broker away for a virtual hour                    cmd/livebridge.TestSimulation
//	the broker slow, refusing, late, an answer lost       cmd/livebridge.TestSimulation
//	one stream refused for hours: the others go on        cmd/livebridge.TestSimulatedHolds
//	partial failure: one lane refused, others go on       bridge/dispatch.TestStuckLaneStarvesNoOther
//	the broker away, with the real one                    cmd/livebridge.TestBrokerAway
//	the broker killed under load                          cmd/livebridge.TestBrokerStopped
//	a cluster of three loses its leader                   cmd/livebridge.TestClusterLosesItsLeader
//	a stream deleted under our feet                       cmd/livebridge.TestStreamDeleted
//	a stream that is full                                 cmd/livebridge.TestStreamFull
//	a stream at its limits                                cmd/livebridge.TestStreamAtItsLimits
//	an answer that comes after it was given up            transports/nats.TestLateAnswerIsIgnored
//	a connection lost with events under way               transports/nats.TestLostConnectionAnswers
//	one answer for many messages, some not stored         transports/nats.TestAckCoversStoredMessagesOnly
//	the same, with a connection that is lost              transports/nats.TestNoCountingRightAfterALostConnection
//	a Kafka broker refuses, or is not sure                transports/kafka.TestAnswersOfABroker
//	the way to Kafka is lost, before or after it has read transports/kafka.TestLostAnswers
//	Kafka takes a part of a batch                         transports/kafka.TestPartialBatchErrors
//	the leaders of Kafka's partitions move                transports/kafka.TestLeaderMoves
//	stopped without a broker                              cmd/livebridge.TestStopsWithoutABroker
//	an event that the broker will never take              bridge/dispatch.TestDeadLetters
//	wrong histories                                       bridge/checker.TestFaults
//	bodies of any kind: stream status                     bridge/callback.FuzzStream
//	bodies of any kind: recording                         bridge/callback.FuzzRecord
//	bodies of any kind: snapshot                          bridge/callback.FuzzSnapshot
//	bodies of any kind: SparkRTC                          bridge/callback.FuzzRTCRecord
//	fields of any kind in a signed string                 bridge/signature.FuzzCanonical
//	names of any kind in a subject                        transports/nats.FuzzSubject
//	names of any kind in a topic                          transports/kafka.FuzzTopic
//	bytes of any kind in a record: an event               bridge/journal.FuzzReadEvent
//	bytes of any kind in a record: one that waits         bridge/journal.FuzzReadPending
//	bytes of any kind in a record: a parcel               bridge/journal.FuzzReadParcel
//	bytes of any kind in a record: the quarantine         bridge/journal.FuzzReadQuarantined
//	bytes of any kind in a record: a lane                 bridge/journal.FuzzReadLane
//	names of any kind in a key                            bridge/journal.FuzzLaneKey
//
// make prove runs the long forms of these. Tests that need strace or the right to mount a tmpfs say NOT RUN without it, and
// fail with TEST_ALL set, as in CI. What fuzzing (make fuzz) has found is kept in testdata/fuzz of each package. Faults planted
// on purpose, and the test that finds each: cmd/mutants.
package checker
