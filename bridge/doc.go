// Package bridge is the vocabulary of livebridge: Event is what a callback becomes, Lane is what order is promised
// within, Marks say what was out of the ordinary, and Publisher is how events reach the broker. It imports the standard
// library only.
//
// # The way of a callback
//
//	decoded          ingress reads a bounded body, callback decodes it, signature verifies it against the keys that
//	                 keyring has loaded
//	    │
//	decided          journal has processor classify it (novel, duplicate, tampered); sequencer decides what its lane
//	    │            emits now and what is held; what changes is a plain value, the effects
//	made durable     store writes the effects of all that wait as one synced commit; then ingress answers 200
//	    │
//	waits            held events and callbacks that are not trusted wait in store; emitted ones in outbox for the
//	    │            broker, in memory or, beyond its limit, read from store again
//	leaves           dispatch publishes one event per lane at a time through a transport (Kafka or NATS JetStream), and
//	                 trims the outbox once the broker has the event on disk; store removes it with a later commit
//
// Only the journal decides whether a callback gets its 200, and nothing behind the journal delays it.
//
// # Glossary
//
//	lane         the callbacks of one kind for one stream; order is promised within a lane only
//	session      one push of a stream, identified by its publish_timestamp
//	phase        start (PUBLISH) or end (PUBLISH_DONE) of a session
//	mark         a word on an event that says how it deviates from the expected order, such as late or forced
//	hold         the bounded wait of an event for the event before it
//	outbox       the events that are emitted and not yet durable at the broker
//	quarantine   callbacks with a valid signature that are not trusted: expired, tampered, malformed, unknown event
//	dead letter  an event that the broker rejected for good; it waits for an operator
//	settlement   the outcome of an event taken from the outbox: complete, retry or dead-letter
//	checkpoint   the moment from which everything acknowledged so far is on the broker's disk
//	trim         the removal from the outbox of what is durable at the broker
//	history      published events that the journal keeps for a while, if JOURNAL_KEEP says so
//	fate         what has become of a callback: published where, waiting, held, in quarantine or dead letters
//	ring         the keys and limits that verify callbacks; a keyring replaces it when key files change
//	kind         stream, record, snapshot or rtc-record; session for events about sessions
//	scheme       how a callback is signed, such as hmac-sha256
//	occurrence   what happened at the provider (CloudEvents); redeliveries describe the same one and share its id
//
// # Packages
//
// Which package may import which (imports_test.go enforces it):
//
//	bridge                    the standard library
//	bridge/callback           bridge                          decodes bodies, makes events and their ids
//	bridge/signature          bridge, signature/diagnose      signs, and verifies signatures
//	bridge/signature/diagnose bridge                          finds out how a wrong signature was made
//	bridge/filewatch          none of ours                    polls files for changes
//	bridge/keyring            bridge, signature, its diagnose, filewatch
//	                                                          key files
//	bridge/certificate        bridge, filewatch               TLS files of the callback port
//	bridge/certificate/certificatetest
//	                          none of ours                    the certificates of tests
//	bridge/probe              bridge, signature               the signed probe: its body, its answer, sending it
//	bridge/ingress            bridge, signature, callback, probe
//	                                                          HTTP server for callbacks; the only importer of Echo
//	bridge/sequencer          bridge                          order of a lane: no clock, no disk, no goroutine
//	bridge/sequencer/sequencertest
//	                          bridge, sequencer               its rules written a second time, for tests
//	bridge/record             bridge                          the byte form of events
//	bridge/session            bridge                          makes the events of the kind session
//	bridge/processor          bridge, sequencer, record, session
//	                                                          decides a partition: no clock, no disk, no goroutine
//	bridge/processor/processortest
//	                          bridge, processor               a partition in memory, for tests
//	bridge/outbox             bridge                          events on their way out, lane by lane
//	bridge/store              bridge, processor, outbox, record
//	                                                          durable state; the only importer of Pebble
//	bridge/store/storetest    none of ours                    damages what a store has written, for tests
//	bridge/journal            bridge, processor, outbox, store, tally
//	                                                          the writer: one commit after the other
//	bridge/fallback           bridge, processor, store        callbacks on disk while the intake of many replicas is away
//	bridge/cluster            bridge, processor, record, store
//	                                                          many replicas: the owner of intake partitions
//	bridge/cluster/clustertest
//	                          bridge                          the broker's transactions in memory, for tests
//	bridge/dispatch           bridge                          outbox to publisher: retries, outages, trimming
//	bridge/admin              bridge, schemas                 admin port, control socket, and what an instance reports
//	bridge/status             bridge                          status page and its JSON
//	bridge/reconcile          bridge, provider, session       open sessions against the streams that are online
//	bridge/rotation           bridge, admin                   how far the rotation of a key has come
//	bridge/doctor             bridge, admin, probe, provider, signature
//	                                                          what is wrong with the registered callbacks
//	bridge/tally              bridge, processor               metrics of what was decided
//	bridge/tracing            bridge                          spans of callbacks and events; the only importer of
//	                                                          OpenTelemetry
//	bridge/tracing/tracingtest
//	                          none of ours                    a collector of spans in memory, for tests
//	bridge/simulator          bridge, signature               plays the provider
//	bridge/checker            bridge                          verifies a run from outside
//	bridge/provider           bridge, signature               callbacks registered at the provider, and the file of
//	                                                          wanted ones; the only importer of the provider's SDK
//	bridge/provider/providertest
//	                          bridge, provider, simulator     plays the provider's API and its streams
//	transports/nats           bridge, lease, partitions, transporttls
//	                                                          publishes to NATS, and opens its replicas; with those
//	                                                          below it the only importer of nats.go
//	transports/nats/embedded  bridge, nats                    the NATS server in this process, its repair and its
//	                                                          checkpoints; the only importer of nats-server
//	transports/nats/lease     shares                          shares partitions out by leases in a key-value bucket
//	transports/nats/natstest  bridge, transporttest           a NATS server for tests
//	transports/nats/partitions
//	                          bridge                          an owner's partition: state, intake and commits
//	transports/kafka          bridge, producer, committed, membership, partitions, transporttls
//	                                                          publishes to Kafka, and opens its replicas; it and those
//	                                                          below are the only importers of kafka-go
//	transports/kafka/committed
//	                          none of ours                    reads the committed records of partitions
//	transports/kafka/membership
//	                          shares                          shares partitions out by a consumer group
//	transports/kafka/partitions
//	                          bridge, committed, producer, transaction
//	                                                          takes, reads and commits partitions of an intake
//	transports/kafka/producer bridge                          the idempotent producer that kafka-go lacks
//	transports/kafka/transaction
//	                          bridge, producer                the transactional producer that kafka-go lacks
//	transports/kafka/kafkatest
//	                          transporttest                   Apache Kafka in processes of its own, for tests
//	transports/shares         none of ours                    says which member gets which partitions
//	transports/transporttest  bridge                          what every transport's publisher and consumer must pass
//	transports/transporttls   none of ours                    what the transports share as TLS clients
//	schemas                   the standard library            JSON Schemas, AsyncAPI document, golden pairs
//	schemas/schemastest       schemas                         compiles the schemas, for tests
//	cmd/livebridge            everything                      nothing imports it
//	cmd/mutants               the standard library            plants faults that the tests must find
//
// The interfaces between them have 1 to 3 methods. Publisher and Checkpointer are here, since several packages
// implement them, and so are IntakeLog, Membership, Partitions and Partition, which transports implement for cluster,
// and ReviewQueues, JournalAdmin and Historian, which the journal and the client of its control socket implement, and
// Tracer, which ingress and dispatch use; ingress.Journal is in ingress, dispatch.Outbox in dispatch, processor.View in
// processor, outbox.Backlog in outbox.
package bridge
