// Package nats publishes events to NATS JetStream: on a given cluster, or on a server in this process whose store lies
// beside the journal. It is the only importer of nats.go and of nats-server.
package nats

import (
	"cmp"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

// Options say where events go. Start from DefaultOptions.
type Options struct {
	// where
	URL string // one or more servers of one cluster, comma-separated; not used with an embedded server

	// the streams
	Stream        string        // of events
	SubjectPrefix string        // of events: <prefix>.<domain>.<app>.<stream>.<kind>
	Quarantine    string        // subject prefix of quarantine notices, whose stream is LIVE_QUARANTINE; empty: not published
	Replicas      int           // of streams that are created
	MaxAge        time.Duration // limit of streams that are created
	MaxBytes      int64         // limit of the events' stream if it is created
	Dedupe        time.Duration // how long repeats are known; a stream that keeps events for less is warned of

	QuarantineMaxBytes int64 // limit of the quarantine's stream if it is created

	// how events are written
	Binary bool // CloudEvents binary mode instead of structured mode

	// who we are
	CredsFile, NKeyFile, User, Password, Token string
	PasswordFile, TokenFile                    string // instead of Password and Token
	CAFile, CertFile, KeyFile                  string
	ReadFile                                   func(path string) ([]byte, error) // of these files, at every connection

	InboxPrefix string        // of the subjects of replies; empty: the client's own; not used with an embedded server
	AckTimeout  time.Duration // without an answer for so long an event counts as not taken
	Log         *zap.Logger

	inProcess nats.InProcessConnProvider // set for an embedded server
	recheck   time.Duration              // how often streams are checked; 0: every recheckInterval
}

// QuarantineStream is the name of the stream that quarantine notices go to.
const QuarantineStream = "LIVE_QUARANTINE"

// ownInbox begins the subjects that our own server answers us on. It is not the clients' _INBOX: what its consumers can
// have delivered to an inbox cannot reach us.
const ownInbox = "_LIVEBRIDGE"

// inbox begins the subjects that we are answered on.
func (o *Options) inbox() string {
	if o.inProcess != nil {
		return ownInbox
	}
	return cmp.Or(o.InboxPrefix, strings.TrimSuffix(nats.InboxPrefix, "."))
}

// DefaultOptions returns the product's defaults.
func DefaultOptions() Options {
	return Options{
		Stream: "LIVE_EVENTS", SubjectPrefix: "live.events", Quarantine: "live.quarantine", Replicas: 1,
		MaxAge: 168 * time.Hour, MaxBytes: 8 << 30, QuarantineMaxBytes: 256 << 20, AckTimeout: 5 * time.Second,
		Log: zap.NewNop(), ReadFile: os.ReadFile,
	}
}

// connectOptions turns the options into the client's: no buffer and no retries of its own, a connection for ever.
func (o *Options) connectOptions() []nats.Option {
	opts := []nats.Option{
		nats.Name("livebridge"), nats.MaxReconnects(-1), nats.ReconnectBufSize(-1), nats.RetryOnFailedConnect(true),
		nats.IgnoreAuthErrorAbort(), nats.PingInterval(10 * time.Second), nats.FlusherTimeout(5 * time.Second),
	}
	if o.inProcess != nil {
		opts = append(opts, nats.InProcessServer(o.inProcess))
	}
	return opts
}
