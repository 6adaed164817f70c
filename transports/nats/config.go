package nats

import (
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ownWindow is the duplicate window on the embedded server, shorter than the server's default of two minutes. Its
// answers are never lost, so duplicates come only right after a restart; and it holds every message ID of the window in
// memory: one minute at 20,000 messages a second would be most of our memory.
const ownWindow = 10 * time.Second

// eventsStream is the stream of events.
func eventsStream(o *Options) *stream {
	return &stream{
		want: o.streamConfig(o.Stream, o.SubjectPrefix+".>", o.MaxBytes), needed: o.eventSubjects(),
		limit: "NATS_MAX_BYTES", prefix: "NATS_SUBJECT_PREFIX",
	}
}

// quarantineStream is the stream of quarantine notices.
func quarantineStream(o *Options) *stream {
	return &stream{
		want: o.streamConfig(QuarantineStream, o.Quarantine+".*", o.QuarantineMaxBytes), needed: o.quarantineSubjects(),
		limit: "QUARANTINE_MAX_BYTES", prefix: "QUARANTINE_TOPIC",
	}
}

// streamConfig is how we create a stream. A duplicate window of 0 asks for the server's default of two minutes, or what
// its limits allow.
func (o *Options) streamConfig(name, subjects string, maxBytes int64) jetstream.StreamConfig {
	c := jetstream.StreamConfig{
		Name: name, Subjects: []string{subjects}, Storage: jetstream.FileStorage, Replicas: o.Replicas,
		MaxAge: o.MaxAge, MaxBytes: maxBytes, MaxMsgSize: -1, Discard: jetstream.DiscardOld, AllowDirect: true,
		FirstSeq: o.FirstSequence[name],
	}
	if o.InProcess != nil {
		c.Duplicates = ownWindow
		if o.MaxAge > 0 {
			c.Duplicates = min(ownWindow, o.MaxAge)
		}
	}
	return c
}

// differs compares what the settings determine of a stream on the embedded server.
func differs(have, want jetstream.StreamConfig) bool {
	return !slices.Equal(have.Subjects, want.Subjects) || have.MaxAge != want.MaxAge || have.MaxBytes != want.MaxBytes ||
		have.Duplicates != want.Duplicates
}
