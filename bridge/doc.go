// Package bridge is the vocabulary of livebridge: what a callback becomes (Event), what order is promised within (Lane),
// what it says about its place there (Marks), and what takes it away (Publisher). It imports the standard library only.
//
// The way of a callback, one direction, no way back:
//
//	POST /live/stream ─► ingress ─► signature ─► callback ─► journal ───────────────► dispatch ─► transport ─► topic
//	                     bounded     raw body     body to     one writer: sequencer     one event    Kafka or
//	                     read        and headers  Event       decides, ONE synced       in flight    NATS
//	                                                          commit, then the 200      per lane
//
// The 200 is the journal's to give, and nothing behind the journal can delay it.
//
// Who may import whom (imports_test.go enforces it):
//
//	bridge                  the standard library
//	bridge/callback         bridge
//	bridge/signature        bridge
//	bridge/filewatch        nothing of ours
//	bridge/keyring          bridge, signature, filewatch       the only importer of yaml
//	bridge/ingress          bridge, signature, callback        the only importer of Echo
//	bridge/certificate      filewatch
//	bridge/sequencer        bridge                             pure: no clock, no disk, no goroutine
//	bridge/sequencer/sequencertest bridge, sequencer           the table once more, for tests
//	bridge/journal          bridge, sequencer                  the only importer of Pebble
//	bridge/dispatch         bridge
//	bridge/admin            bridge, schemas
//	bridge/simulator        bridge, signature
//	bridge/checker          bridge
//	transports/nats         bridge                             the only importer of nats.go and nats-server
//	transports/kafka        bridge                             the only importer of kafka-go
//	transports/kafka/kafkatest the standard library            Apache Kafka in processes of its own, for tests
//	transports/transporttest bridge
//	schemas                 the standard library
//	cmd/livebridge          everything; nothing imports it
//	cmd/mutants             the standard library: plants faults that the tests must find
//
// The seams, each an interface of 1 to 3 methods: Publisher and Checkpointer here, since several packages implement
// them, and Archive and Books, which the journal and the client of its control socket are; ingress.Journal beside ingress;
// dispatch.Outbox beside dispatch.
package bridge
