package main

import (
	"time"

	"livebridge/bridge/callback"
	"livebridge/bridge/keyring"
)

// settings is every setting with its default. Its variable is LIVEBRIDGE_ and the name in the tag. A secret can also be
// set by a second variable with the suffix _FILE, the path of a file that contains it.
type settings struct {
	// receiving callbacks
	Listen          string    `env:"LISTEN" envDefault:":8080"`
	PathPrefix      string    `env:"PATH_PREFIX"`
	MaxBody         size      `env:"MAX_BODY" envDefault:"64KiB"`
	MaxConnections  int       `env:"MAX_CONNECTIONS" envDefault:"4096"`
	TLSCertFile     string    `env:"TLS_CERT_FILE"`
	TLSKeyFile      string    `env:"TLS_KEY_FILE"`
	TLSClientCAFile string    `env:"TLS_CLIENT_CA_FILE"`
	TrustedProxies  []network `env:"TRUSTED_PROXIES"`
	AllowSources    []network `env:"ALLOW_SOURCES"`
	SnapshotToken   string    `env:"SNAPSHOT_TOKEN" secret:"true"`

	// verifying signatures
	StreamKey      string        `env:"STREAM_KEY" secret:"true"`
	RecordKey      string        `env:"RECORD_KEY" secret:"true"`
	RTCKey         string        `env:"RTC_KEY" secret:"true"`
	KeysFile       string        `env:"KEYS_FILE"`
	RecordSignType string        `env:"RECORD_SIGN_TYPE" envDefault:"HMACSHA256"`
	Unsigned       string        `env:"UNSIGNED" envDefault:"refuse"`
	Domains        []string      `env:"DOMAINS"`
	AuthSkew       time.Duration `env:"AUTH_SKEW" envDefault:"300s"`
	AuthMaxAhead   time.Duration `env:"AUTH_MAX_AHEAD" envDefault:"3600s"`
	RTCMaxAge      time.Duration `env:"RTC_MAX_AGE" envDefault:"24h"`
	SignatureReuse string        `env:"SIGNATURE_REUSE" envDefault:"quarantine"`

	// filtering and redaction
	IgnoreStreams string             `env:"IGNORE_STREAMS"`
	UserArgs      callback.Redaction `env:"USER_ARGS" envDefault:"redact"`
	ClientIP      callback.Redaction `env:"CLIENT_IP" envDefault:"keep"`

	// journal
	DataDir          string        `env:"DATA_DIR" envDefault:"./data"`
	JournalMaxBytes  size          `env:"JOURNAL_MAX_BYTES" envDefault:"8GiB"`
	MinFreeBytes     size          `env:"MIN_FREE_BYTES" envDefault:"512MiB"`
	QuarantineMax    int           `env:"QUARANTINE_MAX" envDefault:"10000"`
	DeadLettersMax   int           `env:"DEAD_LETTERS_MAX" envDefault:"10000"`
	QuarantineMaxAge time.Duration `env:"QUARANTINE_MAX_AGE" envDefault:"720h"`

	// ordering and deduplication
	HoldDone     time.Duration `env:"HOLD_DONE" envDefault:"10s"`
	HoldNext     time.Duration `env:"HOLD_NEXT" envDefault:"3s"`
	HeldPerLane  int           `env:"HELD_PER_LANE" envDefault:"16"`
	HeldMax      int           `env:"HELD_MAX" envDefault:"10000"`
	DedupeWindow time.Duration `env:"DEDUPE_WINDOW" envDefault:"24h"`
	DedupeMax    int           `env:"DEDUPE_MAX" envDefault:"20000000"`
	LanesCached  int           `env:"LANES_CACHED" envDefault:"200000"`

	// publishing
	Transport       string        `env:"TRANSPORT" envDefault:"nats"`
	EventMode       string        `env:"EVENT_MODE" envDefault:"structured"`
	QuarantineTopic string        `env:"QUARANTINE_TOPIC" envDefault:"live.quarantine"`
	NATSURL         string        `env:"NATS_URL"`
	NATSListen      string        `env:"NATS_EMBEDDED_LISTEN" envDefault:"127.0.0.1:4222"`
	NATSEmbedToken  string        `env:"NATS_EMBEDDED_TOKEN" secret:"true"`
	NATSStream      string        `env:"NATS_STREAM" envDefault:"LIVE_EVENTS"`
	NATSPrefix      string        `env:"NATS_SUBJECT_PREFIX" envDefault:"live.events"`
	NATSReplicas    int           `env:"NATS_REPLICAS" envDefault:"1"`
	NATSMaxAge      time.Duration `env:"NATS_MAX_AGE" envDefault:"168h"`
	NATSMaxBytes    size          `env:"NATS_MAX_BYTES" envDefault:"8GiB"`
	QuarantineBytes size          `env:"QUARANTINE_MAX_BYTES" envDefault:"256MiB"`
	NATSInbox       string        `env:"NATS_INBOX_PREFIX"`
	NATSCredsFile   string        `env:"NATS_CREDS_FILE"`
	NATSNKeyFile    string        `env:"NATS_NKEY_FILE"`
	NATSUser        string        `env:"NATS_USER"`
	NATSPassword    string        `env:"NATS_PASSWORD" secret:"true"`
	NATSToken       string        `env:"NATS_TOKEN" secret:"true"`
	NATSCAFile      string        `env:"NATS_TLS_CA_FILE"`
	NATSCertFile    string        `env:"NATS_TLS_CERT_FILE"`
	NATSKeyFile     string        `env:"NATS_TLS_KEY_FILE"`

	KafkaBrokers     string `env:"KAFKA_BROKERS" envDefault:"127.0.0.1:9092"`
	KafkaTopic       string `env:"KAFKA_TOPIC" envDefault:"live.events"`
	KafkaCreate      bool   `env:"KAFKA_CREATE_TOPIC" envDefault:"true"`
	KafkaPartitions  int    `env:"KAFKA_PARTITIONS" envDefault:"12"`
	KafkaReplication int    `env:"KAFKA_REPLICATION" envDefault:"-1"`
	KafkaCompression string `env:"KAFKA_COMPRESSION" envDefault:"lz4"`
	KafkaSASL        string `env:"KAFKA_SASL" envDefault:"none"`
	KafkaUser        string `env:"KAFKA_USER"`
	KafkaPassword    string `env:"KAFKA_PASSWORD" secret:"true"`
	KafkaTLS         bool   `env:"KAFKA_TLS" envDefault:"false"`
	KafkaCAFile      string `env:"KAFKA_TLS_CA_FILE"`
	KafkaCertFile    string `env:"KAFKA_TLS_CERT_FILE"`
	KafkaKeyFile     string `env:"KAFKA_TLS_KEY_FILE"`

	// operation
	AdminListen   string        `env:"ADMIN_LISTEN" envDefault:"127.0.0.1:9090"`
	LogLevel      string        `env:"LOG_LEVEL" envDefault:"info"`
	LogFormat     string        `env:"LOG_FORMAT" envDefault:"auto"`
	ShutdownDelay time.Duration `env:"SHUTDOWN_DELAY" envDefault:"0s"`
	ShutdownGrace time.Duration `env:"SHUTDOWN_GRACE" envDefault:"20s"`

	keyFiles    []keyring.File    // KEYS_FILE and the _FILE variables of keys
	secretFiles map[string]string // paths from the _FILE variables of the other secrets, by the secret's name
}
