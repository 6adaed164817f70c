// Package nats publishes events to NATS JetStream, and consumes them. It is the only importer of nats.go, together with
// package embedded, which is a publisher with a server of its own.
package nats

import (
	"cmp"
	"os"
	"strings"
	"time"

	"livebridge/transports/transporttls"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

// Options configure a Publisher. Start from DefaultOptions.
type Options struct {
	URL string // one or more servers of one cluster, comma-separated; not used with an embedded server

	// streams
	Stream        string        // of events
	SubjectPrefix string        // of events: <prefix>.<domain>.<app>.<stream>.<kind>
	Partitions    int           // above 0: a partition's number stands behind the prefix
	SessionEvents bool          // events of the kind session are published too
	Quarantine    string        // subject prefix of quarantine notices, in stream LIVE_QUARANTINE; empty: not published
	Replicas      int           // of streams that are created
	MaxAge        time.Duration // limit of streams that are created
	MaxBytes      int64         // limit of the events' stream if it is created
	Dedupe        time.Duration // DEDUPE_WINDOW: a stream that retains events for less gets a warning

	QuarantineMaxBytes int64 // limit of the quarantine's stream if it is created

	Binary bool // CloudEvents binary mode instead of structured mode

	// credentials
	CredsFile, NKeyFile, User, Password, Token string
	PasswordFile, TokenFile                    string // instead of Password and Token
	CAFile, CertFile, KeyFile                  string
	TLSVerify                                  string                            // full, ca or none; empty: full
	TLSServerName                              string                            // to verify instead of the address
	ReadFile                                   func(path string) ([]byte, error) // reads the files, at every connection

	InboxPrefix string        // of reply subjects; empty: the client's own
	AckTimeout  time.Duration // an event without an acknowledgement for so long is unavailable
	Log         *zap.Logger

	CheckInterval time.Duration // between two checks of the streams; 0: two seconds
	leaseTime     time.Duration // of partitions; 0: lease.Time
	trimInterval  time.Duration // of the state's stream; 0: five seconds

	// InProcess is the server in this process. Only package embedded sets it: nobody else writes to that server's
	// streams, and their configuration is ours.
	InProcess nats.InProcessConnProvider
	// FirstSequence is of streams that are created on that server, by their names; absent: 1.
	FirstSequence map[string]uint64
}

// QuarantineStream is the name of the stream that quarantine notices go to.
const QuarantineStream = "LIVE_QUARANTINE"

// inbox returns the prefix of our reply subjects.
func (o *Options) inbox() string {
	return cmp.Or(o.InboxPrefix, strings.TrimSuffix(nats.InboxPrefix, "."))
}

// DefaultOptions returns the product's defaults.
func DefaultOptions() Options {
	return Options{
		Stream: "LIVE_EVENTS", SubjectPrefix: "live.events", Quarantine: "live.quarantine", Replicas: 1,
		MaxAge: 168 * time.Hour, MaxBytes: 8 << 30, QuarantineMaxBytes: 256 << 20, AckTimeout: 5 * time.Second,
		TLSVerify: transporttls.VerifyFull, Log: zap.NewNop(), ReadFile: os.ReadFile,
	}
}

// tlsClient returns what the settings say about TLS.
func (o *Options) tlsClient() *transporttls.Client {
	return &transporttls.Client{
		Prefix: "NATS_", CAFile: o.CAFile, CertFile: o.CertFile, KeyFile: o.KeyFile,
		Verify: o.TLSVerify, ServerName: o.TLSServerName, ReadFile: o.ReadFile, SettingError: settingError,
	}
}

// connectOptions returns the client's options: it buffers and retries nothing by itself, and reconnects for ever.
func (o *Options) connectOptions() []nats.Option {
	opts := []nats.Option{
		nats.Name("livebridge"), nats.MaxReconnects(-1), nats.ReconnectBufSize(-1), nats.RetryOnFailedConnect(true),
		nats.IgnoreAuthErrorAbort(), nats.PingInterval(10 * time.Second), nats.FlusherTimeout(5 * time.Second),
	}
	if o.InProcess != nil {
		opts = append(opts, nats.InProcessServer(o.InProcess))
	}
	return opts
}
