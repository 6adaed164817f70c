package main

import (
	"time"

	"livebridge/bridge/callback"
	"livebridge/bridge/keyring"
	"livebridge/bridge/tracing"
)

//go:generate go test . -run "TestSettingsReference|TestChartKnowsTheSettings|TestMetricsReference" -update

// settings is every setting with its default: LIVEBRIDGE_ and the name in the tag. A setting that is a secret has a
// twin with _FILE behind its name, the path of a file that holds it. The comments are the reference of settings in the
// operator's handbook, under the headings that begin with #; go generate writes it there.
type settings struct {
	// # Receiving callbacks

	// Address of the port for callbacks. Its routes are `/live/stream`, `/live/record`, `/live/snapshot/<token>` and
	// `/rtc/record`, and `/healthz`. Not used when systemd passes a socket, see
	// [Restarts](#stopping-crashes-and-lost-disks).
	Listen string `env:"LISTEN" envDefault:":8080"`
	// Path in front of the routes, such as `/tenant`.
	PathPrefix string `env:"PATH_PREFIX"`
	// Maximum size of a request body; a larger one is answered 413. Callbacks are a few KiB.
	MaxBody size `env:"MAX_BODY" envDefault:"64KiB"`
	// Maximum number of connections, idle ones included, and with HTTP/2 of requests in flight; above it callbacks are
	// answered 503. Lowered with a warning to fit the [limit on open files](#open-files).
	MaxConnections int `env:"MAX_CONNECTIONS" envDefault:"4096"`
	// Certificate chain in PEM, to receive callbacks over HTTPS (TLS 1.2 and 1.3, HTTP/2 included); empty: plain HTTP.
	// A new pair of files is in use within a second; a pair that does not match leaves the previous one in use.
	TLSCertFile string `env:"TLS_CERT_FILE"`
	// Private key of `TLS_CERT_FILE`. Set both or neither.
	TLSKeyFile string `env:"TLS_KEY_FILE"`
	// Authorities of client certificates: only clients with a certificate issued by them are accepted, such as a
	// gateway in front. Watched like `TLS_CERT_FILE`.
	TLSClientCAFile string `env:"TLS_CLIENT_CA_FILE"`
	// Addresses and CIDR ranges whose `X-Forwarded-For` is trusted. `Forwarded` and `X-Real-IP` are not read. The
	// source of a callback is the last address in it, with or without a port, that is none of these.
	TrustedProxies []network `env:"TRUSTED_PROXIES"`
	// Addresses and CIDR ranges that may send callbacks; empty: all. Others get 403 before
	// anything is read, except on `/healthz`.
	AllowSources []network `env:"ALLOW_SOURCES"`
	// Last path segment of snapshot callbacks: `/live/snapshot/<token>`; empty: no such route. The token is what
	// authenticates them, because the provider does not document how their signature is made.
	SnapshotToken string `env:"SNAPSHOT_TOKEN" secret:"true"`

	// # Verifying callbacks

	// Key of stream status callbacks, as configured at the provider. Several keys are separated by commas, in a file
	// by lines, and all are valid at once, for rotation. Without any key livebridge does not start, unless
	// `UNSIGNED=accept`.
	StreamKey string `env:"STREAM_KEY" secret:"true"`
	// Key of recording callbacks; written like `STREAM_KEY`.
	RecordKey string `env:"RECORD_KEY" secret:"true"`
	// Key of SparkRTC callbacks; written like `STREAM_KEY`.
	RTCKey string `env:"RTC_KEY" secret:"true"`
	// YAML file of keys by domain and app. Recommended: it restricts the apps, too, see [Keys](#keys).
	KeysFile string `env:"KEYS_FILE"`
	// Signature scheme of recordings: `HMACSHA256`, `HMACSHA256-LEGACY` or `MD5`. Set what the provider is configured
	// for; it is never derived from the message. The last two sign only the expiry and are warned of.
	RecordSignType string `env:"RECORD_SIGN_TYPE" envDefault:"HMACSHA256"`
	// What happens to callbacks of a kind without a key: `refuse` (401) or `accept`.
	Unsigned string `env:"UNSIGNED" envDefault:"refuse"`
	// Ingest domains, separated by commas, whose callbacks are accepted; empty: all. Set it.
	Domains []string `env:"DOMAINS"`
	// How long after its expiry a signature of Live is still accepted.
	AuthSkew time.Duration `env:"AUTH_SKEW" envDefault:"300s"`
	// How far in the future the expiry of a signature may be.
	AuthMaxAhead time.Duration `env:"AUTH_MAX_AHEAD" envDefault:"3600s"`
	// How old the timestamp of a SparkRTC signature may be.
	RTCMaxAge time.Duration `env:"RTC_MAX_AGE" envDefault:"24h"`
	// What happens to a stream status callback that repeats a signature with other unsigned members:
	// `quarantine`, or `accept`, since two pushes of one stream within a second can share a signature.
	SignatureReuse string `env:"SIGNATURE_REUSE" envDefault:"quarantine"`

	// # Content of events

	// RE2 expression; callbacks of streams that match are answered 200, counted and not published. Transcoded streams
	// are named `<stream>_<template id>`.
	IgnoreStreams string `env:"IGNORE_STREAMS"`
	// Types of the events to publish, separated by commas, with `*`, `?` and `[…]` as wildcards, such as
	// `*.live.stream.*,*.file_complete`; empty: all. Events of other types are counted and left out, see
	// [Filters](#filters).
	PublishTypes []string `env:"PUBLISH_TYPES"`
	// Whether to publish an event of the kind `session` when a push has ended, and to name the session in events of
	// recorded files: `true` or `false`. See [Sessions](#sessions).
	SessionEvents bool `env:"SESSION_EVENTS" envDefault:"false"`
	// How long after the start of a push a missing end is published as an event of the kind `session`; `0`: never. It
	// needs `SESSION_EVENTS`. Set it above the length of the longest push, and to 720h at most.
	SessionStaleAfter time.Duration `env:"SESSION_STALE_AFTER" envDefault:"0s"`
	// `redact`, `keep` or `drop` the parameters of the push, which contain its credentials.
	UserArgs callback.Redaction `env:"USER_ARGS" envDefault:"redact"`
	// `keep`, `redact` or `drop` the address of the pushing client.
	ClientIP callback.Redaction `env:"CLIENT_IP" envDefault:"keep"`

	// # Journal

	// Directory of the journal and of the embedded NATS server, created with mode 0700. It must be on storage that
	// honours fsync, and is used by one process.
	DataDir string `env:"DATA_DIR" envDefault:"./data"`
	// Maximum size of outbox, holds, quarantine and dead letters together; above this limit callbacks get 503 until
	// publishing or purging frees space.
	JournalMaxBytes size `env:"JOURNAL_MAX_BYTES" envDefault:"8GiB"`
	// Space that stays free on the volume; below it callbacks get 503 likewise. See [Small volumes](#small-volumes).
	MinFreeBytes size `env:"MIN_FREE_BYTES" envDefault:"512MiB"`
	// Maximum number of entries in quarantine. When it is full, the oldest entry of the most frequent reason is
	// evicted.
	QuarantineMax int `env:"QUARANTINE_MAX" envDefault:"10000"`
	// Maximum number of dead letters. A further event that the broker rejects stays at the head of its lane and is
	// retried.
	DeadLettersMax int `env:"DEAD_LETTERS_MAX" envDefault:"10000"`
	// How long an entry stays in quarantine; `0`: until `QUARANTINE_MAX` evicts it.
	QuarantineMaxAge time.Duration `env:"QUARANTINE_MAX_AGE" envDefault:"720h"`

	// How long published events are kept, to tell what has become of a callback and to publish it again; `0`: not at
	// all. Use `24h` to `168h`, see [History](#history).
	JournalKeep time.Duration `env:"JOURNAL_KEEP" envDefault:"0s"`
	// Maximum size of the events kept for `JOURNAL_KEEP`, beside `JOURNAL_MAX_BYTES`; the oldest are dropped first. On a
	// disk that is nearly full they are dropped before a callback is refused.
	JournalKeepBytes size `env:"JOURNAL_KEEP_BYTES" envDefault:"1GiB"`

	// # Order and duplicates

	// How long the end of a push waits for its start, when it arrives first. Longer holds leave fewer anomalies and
	// delay what is held; everything else is published at once.
	HoldDone time.Duration `env:"HOLD_DONE" envDefault:"10s"`
	// How long the start of a push waits for the end of the one before. `0` for both: publish in order of arrival.
	HoldNext time.Duration `env:"HOLD_NEXT" envDefault:"3s"`
	// Maximum number of events held in one lane; above it the first ones are published early, marked `forced`.
	HeldPerLane int `env:"HELD_PER_LANE" envDefault:"16"`
	// Maximum number of events held in all lanes together.
	HeldMax int `env:"HELD_MAX" envDefault:"10000"`
	// How long ids are remembered to recognize duplicates; at least `RTC_MAX_AGE`, and `AUTH_SKEW` plus
	// `AUTH_MAX_AHEAD`, since a callback could be replayed otherwise.
	DedupeWindow time.Duration `env:"DEDUPE_WINDOW" envDefault:"24h"`
	// Maximum number of ids remembered; above it the oldest are evicted early, which a metric counts.
	DedupeMax int `env:"DEDUPE_MAX" envDefault:"20000000"`
	// Maximum number of lanes in memory; all are on disk. It affects speed and memory only: set it above the number of
	// streams that are live at the same time.
	LanesCached int `env:"LANES_CACHED" envDefault:"200000"`

	// # Publishing

	// `nats` or `kafka`.
	Transport string `env:"TRANSPORT" envDefault:"nats"`
	// CloudEvents mode: `structured` (the event is the message) or `binary` (attributes are headers).
	EventMode string `env:"EVENT_MODE" envDefault:"structured"`
	// Kafka topic, or NATS subject prefix, of quarantine notices; set to the empty string: not published.
	QuarantineTopic string `env:"QUARANTINE_TOPIC" envDefault:"live.quarantine"`
	// NATS servers, separated by commas; empty: the embedded server.
	NATSURL string `env:"NATS_URL"`
	// Address where consumers reach the embedded server. Off loopback it needs `NATS_EMBEDDED_TOKEN`.
	NATSListen string `env:"NATS_EMBEDDED_LISTEN" envDefault:"127.0.0.1:4222"`
	// Token that consumers of the embedded server present; its file is watched.
	NATSEmbedToken string `env:"NATS_EMBEDDED_TOKEN" secret:"true"`
	// Stream that stores the events, created if it does not exist.
	NATSStream string `env:"NATS_STREAM" envDefault:"LIVE_EVENTS"`
	// What the subjects of events begin with.
	NATSPrefix string `env:"NATS_SUBJECT_PREFIX" envDefault:"live.events"`
	// Number of partitions that can be consumed in parallel and in order; `0`: none. The partition of a stream stands
	// behind the prefix, `live.events.<partition>.…`, see [scaling out](../schemas/README.md#scaling-out). Change it
	// only when consumers have read everything. With `INTAKE=broker` it is also the number of the intake's partitions,
	// 12 with `0`, which stays what it was at first.
	NATSPartitions int `env:"NATS_PARTITIONS" envDefault:"0"`
	// Replicas of streams that livebridge creates. Use 3 on a cluster; more than 1 needs `NATS_URL`.
	NATSReplicas int `env:"NATS_REPLICAS" envDefault:"1"`
	// Maximum age of messages in the stream of events that livebridge creates.
	NATSMaxAge time.Duration `env:"NATS_MAX_AGE" envDefault:"168h"`
	// Maximum size of the stream of events that livebridge creates; the oldest messages are removed first. The server
	// reserves it.
	NATSMaxBytes size `env:"NATS_MAX_BYTES" envDefault:"8GiB"`
	// Maximum size of the stream of quarantine notices that livebridge creates at NATS.
	QuarantineBytes size `env:"QUARANTINE_MAX_BYTES" envDefault:"256MiB"`
	// Subject prefix of replies, for users whose permissions have one of their own; empty: `_INBOX`. Not used with the
	// embedded server.
	NATSInbox string `env:"NATS_INBOX_PREFIX"`
	// Credentials file (JWT and seed) for the NATS servers. This and the other files of credentials are watched, see
	// [Rotating credentials](#rotating-credentials).
	NATSCredsFile string `env:"NATS_CREDS_FILE"`
	// NKey seed for the NATS servers.
	NATSNKeyFile string `env:"NATS_NKEY_FILE"`
	// User at the NATS servers.
	NATSUser string `env:"NATS_USER"`
	// Password of `NATS_USER`.
	NATSPassword string `env:"NATS_PASSWORD" secret:"true"`
	// Token for the NATS servers.
	NATSToken string `env:"NATS_TOKEN" secret:"true"`
	// Authority of the NATS servers, where the system does not trust it.
	NATSCAFile string `env:"NATS_TLS_CA_FILE"`
	// What to verify of the certificates of the NATS servers: `full`, `ca` (the authority, not the name) or `none`. The
	// last two are warned of.
	NATSTLSVerify string `env:"NATS_TLS_VERIFY" envDefault:"full"`
	// Name to expect in the certificates of the NATS servers, where it is not the host in `NATS_URL`.
	NATSServerName string `env:"NATS_TLS_SERVER_NAME"`
	// Client certificate for the NATS servers.
	NATSCertFile string `env:"NATS_TLS_CERT_FILE"`
	// Private key of `NATS_TLS_CERT_FILE`.
	NATSKeyFile string `env:"NATS_TLS_KEY_FILE"`
	// Kafka brokers to connect to first, separated by commas.
	KafkaBrokers string `env:"KAFKA_BROKERS" envDefault:"127.0.0.1:9092"`
	// Topic of the events; `{domain}`, `{app}` and `{kind}` in it are replaced for each event, where each needs a
	// topic of its own.
	KafkaTopic string `env:"KAFKA_TOPIC" envDefault:"live.events"`
	// Whether to create topics that do not exist.
	KafkaCreate bool `env:"KAFKA_CREATE_TOPIC" envDefault:"true"`
	// Partitions of topics that livebridge creates, and so the maximum number of consumers in a group. Start with
	// enough: partitions added later are used after a restart, and order across it is not guaranteed.
	KafkaPartitions int `env:"KAFKA_PARTITIONS" envDefault:"12"`
	// Replicas of topics that livebridge creates; `-1`: the broker's default. Use 3, with `min.insync.replicas=2` at
	// the broker.
	KafkaReplication int `env:"KAFKA_REPLICATION" envDefault:"-1"`
	// `none`, `gzip`, `snappy`, `lz4` or `zstd`.
	KafkaCompression string `env:"KAFKA_COMPRESSION" envDefault:"lz4"`
	// `none`, `plain`, `scram-sha-256` or `scram-sha-512`.
	KafkaSASL string `env:"KAFKA_SASL" envDefault:"none"`
	// User for SASL.
	KafkaUser string `env:"KAFKA_USER"`
	// Password of `KAFKA_USER`; its file is watched.
	KafkaPassword string `env:"KAFKA_PASSWORD" secret:"true"`
	// Whether to connect with TLS.
	KafkaTLS bool `env:"KAFKA_TLS" envDefault:"false"`
	// Authority of the brokers, where the system does not trust it. This file, the client certificate and its key
	// are watched.
	KafkaCAFile string `env:"KAFKA_TLS_CA_FILE"`
	// What to verify of the brokers' certificates: `full`, `ca` (the authority, not the name) or `none`. The last two are
	// warned of. Huawei Cloud DMS needs `ca`, see [Huawei Cloud DMS](#huawei-cloud-dms-for-kafka).
	KafkaTLSVerify string `env:"KAFKA_TLS_VERIFY" envDefault:"full"`
	// Name to expect in the certificates of all brokers, where it is not the host in their addresses.
	KafkaServerName string `env:"KAFKA_TLS_SERVER_NAME"`
	// Client certificate for the brokers.
	KafkaCertFile string `env:"KAFKA_TLS_CERT_FILE"`
	// Private key of `KAFKA_TLS_CERT_FILE`.
	KafkaKeyFile string `env:"KAFKA_TLS_KEY_FILE"`

	// # Many replicas

	// Where a callback is committed before it is acknowledged: `local` or `broker`. `local`: in the journal of
	// `DATA_DIR`, which is used by one process. `broker`: in a topic or stream that any number of replicas share, see
	// [Replicas](#replicas); it needs `TRANSPORT=kafka`, or NATS servers in `NATS_URL`.
	Intake string `env:"INTAKE" envDefault:"local"`
	// What happens with `INTAKE=broker` to callbacks that the broker does not acknowledge. `journal`: they are committed
	// to `DATA_DIR`, answered 200, and forwarded later. `refuse`: they are answered 503.
	IntakeFallback string `env:"INTAKE_FALLBACK" envDefault:"journal"`
	// How long the broker has, with `INTAKE=broker`, to acknowledge a callback.
	IntakeBudget time.Duration `env:"INTAKE_BUDGET" envDefault:"800ms"`
	// Name of the replicas that share the work. Kafka: their consumer group, and what their transactional ids begin with.
	// NATS: it ends the name of the bucket of their leases.
	IntakeGroup string `env:"INTAKE_GROUP" envDefault:"livebridge"`

	// # The provider's list of online streams

	// How often the sessions that are open are compared with the streams that are online at the provider; `0`: never.
	// It needs `DOMAINS`, `PROVIDER_REGION` and credentials, see
	// [callbacks that never came](#callbacks-that-never-came). Use `1m`.
	ReconcileInterval time.Duration `env:"RECONCILE_INTERVAL" envDefault:"0s"`
	// How long a stream must be seen online without an open session, or a session open without its stream, to be
	// reported: longer than the provider's list is late.
	ReconcileGrace time.Duration `env:"RECONCILE_GRACE" envDefault:"5m"`
	// Whether to publish each stream that is reported as an event of the kind `session`: `true` or `false`. See
	// [sessions](../schemas/README.md#sessions).
	ReconcileEvents bool `env:"RECONCILE_EVENTS" envDefault:"false"`
	// Region of the provider's API, such as `cn-north-4`; the default of `--region` of `livebridge callbacks`.
	ProviderRegion string `env:"PROVIDER_REGION"`
	// Id of the project; empty: `HUAWEICLOUD_SDK_PROJECT_ID`, or the only one of the credentials.
	ProviderProject string `env:"PROVIDER_PROJECT"`
	// URL of the API in place of the region's.
	ProviderEndpoint string `env:"PROVIDER_ENDPOINT"`

	// # Operation

	// Address of the admin port: `/livez`, `/readyz`, `/metrics`, `/schemas/` and the [status page](#status-page). It
	// shows no secret and asks for no password: keep it on loopback or behind a network policy.
	AdminListen string `env:"ADMIN_LISTEN" envDefault:"127.0.0.1:9090"`
	// `debug`, `info`, `warn` or `error`.
	LogLevel string `env:"LOG_LEVEL" envDefault:"info"`
	// `json`, `console`, or `auto`: `console` on a terminal, `json` elsewhere.
	LogFormat string `env:"LOG_FORMAT" envDefault:"auto"`
	// On SIGTERM `/readyz` is 503, and callbacks are still accepted for this time, until load balancers have noticed.
	// In Kubernetes use 5s.
	ShutdownDelay time.Duration `env:"SHUTDOWN_DELAY" envDefault:"0s"`
	// Maximum time, after `SHUTDOWN_DELAY`, to publish what is in the outbox on SIGTERM, while callbacks are still
	// accepted, and then to answer requests in flight. A broker that is unavailable is not waited for. Nothing is lost
	// if it is too short: what remains is published after the next start.
	ShutdownGrace time.Duration `env:"SHUTDOWN_GRACE" envDefault:"20s"`

	given       map[string]string // the variables that they were read from
	keyFiles    []keyring.File    // KEYS_FILE and the _FILE variables of keys
	invalid     map[string]bool   // settings whose text is no valid value, which have their defaults
	secretFiles map[string]string // paths from the _FILE variables of the other secrets, by the secret's name
	tracing     *tracing.Config   // of the variables of OpenTelemetry; nil: off
}
