package main

// mutant is one planted fault: a text that occurs once in a file, its replacement, and the tests that must fail then.
type mutant struct {
	name     string
	file     string
	old, new string
	where    string // the package of the tests
	test     string // or several, separated by bars; a slash selects a subtest
}

const (
	journal    = "bridge/journal"
	outbox     = "bridge/outbox"
	processor  = "bridge/processor"
	store      = "bridge/store"
	sequencer  = "bridge/sequencer"
	dispatch   = "bridge/dispatch"
	nats       = "transports/nats"
	embedded   = "transports/nats/embedded"
	kafka      = "transports/kafka"
	livebridge = "cmd/livebridge"
)

// mutants is every fault that is planted.
func mutants() []mutant {
	var all []mutant
	for _, some := range [][]mutant{
		orderMutants(), durabilityMutants(), effectMutants(), eventBatchMutants(), memoryMutants(),
		deliveryMutants(), answerMutants(), kafkaMutants(), topicMutants(), ingressMutants(),
		boundaryMutants(), trustMutants(), credentialMutants(), limitMutants(), pageMutants(),
		checkerMutants(), wiringMutants(), timingMutants(), embeddedMutants(), endingMutants(),
		countingMutants(), operatorMutants(), sharingMutants(), providerMutants(),
		registrationMutants(), consumerMutants(), storedMutants(), probeMutants(), doctorMutants(),
		rotationMutants(), reconcileMutants(), reviewMutants(), hangupMutants(), thresholdMutants(),
		statusMutants(), fallbackMutants(), tracingMutants(), historyMutants(),
		historyPageMutants(), ownerMutants(), turnMutants(), stateMutants(), kafkaReplicaMutants(),
		leaseMutants(), kafkaPartitionMutants(), filterMutants(), sessionMutants(), missingCallbackMutants(),
		replicaModeMutants(), seenMutants(), moveMutants(), markMutants(), natsReplicaMutants(),
		natsReplicaStreamMutants(), natsIntakeMutants(),
	} {
		all = append(all, some...)
	}
	return all
}
