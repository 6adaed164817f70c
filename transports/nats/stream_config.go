package nats

import (
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// What a stream that discards old messages must retain at least, unless the settings ask for less. Below that, one
// burst of events, or one restart of a consumer, discards events that nobody has read.
const (
	minMessages = 10_000
	minBytes    = 16 << 20
	minAge      = 10 * time.Minute
)

// checkConfig returns an error if events must not be published to a stream: it is not ours, or it would not retain what
// it acknowledges.
func (s *stream) checkConfig(have jetstream.StreamConfig) error {
	single := have.Replicas <= 1
	switch {
	case have.Mirror != nil:
		return s.unusable("is a mirror of stream %s: set another stream name, or replace it by one with the subjects %q",
			have.Mirror.Name, s.want.Subjects)
	case !cover(have.Subjects, s.needed):
		return s.unusable("has the subjects %q, which do not cover %q: give it the subjects %q, or set %s to others",
			have.Subjects, s.needed, s.want.Subjects, s.prefix)
	case have.Sealed:
		return s.unusable("is sealed and read-only: delete it, or set another stream name")
	case have.NoAck:
		return s.unusable("does not acknowledge messages: set no_ack to false")
	case have.AllowMsgCounter:
		return s.unusable("is a counter stream: replace it by one without allow_msg_counter")
	case have.Storage == jetstream.MemoryStorage && single:
		return s.unusable("has memory storage without replicas and loses its messages in a restart: use file storage")
	case have.PersistMode == jetstream.AsyncPersistMode && single:
		return s.unusable("acknowledges before it persists: set persist_mode to default")
	}
	return s.tooSmall(have)
}

// tooSmall returns an error for limits that discard events before consumers are likely to have read them.
func (s *stream) tooSmall(have jetstream.StreamConfig) error {
	discards := have.Discard == jetstream.DiscardOld
	if discards && below(have.MaxMsgs, minMessages, 0) {
		return s.unusable("retains %d messages only: raise max_msgs to %d or more", have.MaxMsgs, minMessages)
	}
	if discards && below(have.MaxBytes, minBytes, s.want.MaxBytes) {
		return s.unusable("retains %d bytes only: raise max_bytes to %d or more", have.MaxBytes, minBytes)
	}
	if below(have.MaxAge, minAge, s.want.MaxAge) {
		return s.unusable("retains messages for %v only: raise max_age to %v or more", have.MaxAge, minAge)
	}
	return nil
}

// below reports whether a limit is set and is less than both the floor and what the settings ask for (0: nothing).
func below[T int64 | time.Duration](limit, floor, wanted T) bool {
	return limit > 0 && limit < floor && (wanted <= 0 || limit < wanted)
}

func (s *stream) unusable(format string, args ...any) error {
	return &unusableError{fmt.Sprintf("stream %s at NATS ", s.want.Name) + fmt.Sprintf(format, args...)}
}

// warnings returns what an operator should know about a usable stream.
func (s *stream) warnings(have jetstream.StreamConfig) []string {
	var out []string
	warn := func(unusable bool, text string) {
		if unusable {
			out = append(out, text)
		}
	}
	warn(have.Replicas <= 1 && s.opts.InProcess == nil,
		"the stream has one replica: events are lost with its server, and a power failure loses what it has acknowledged "+
			"since its last sync (sync_interval, 2 minutes by default); use 3 replicas, or sync_interval: always")
	s.warnOfLoss(have, warn)
	warn(have.Discard == jetstream.DiscardNew,
		"the stream rejects new messages when full (discard new): publishing then stops")
	warn(have.DiscardNewPerSubject,
		"the stream rejects new messages for a full subject (discard_new_per_subject): its lane then waits")
	warn(have.Duplicates < 2*s.opts.AckTimeout,
		"the stream's duplicate window is shorter than a retry: events may be duplicated or reordered after a broker failure")
	warn(have.SubjectTransform != nil,
		"the stream transforms subjects: consumers that filter by subject may miss events")
	warn(have.Replicas < s.want.Replicas, "the stream has fewer replicas than NATS_REPLICAS")
	return out
}

// warnOfLoss warns of limits that remove events sooner than the settings ask for.
func (s *stream) warnOfLoss(have jetstream.StreamConfig, warn func(bool, string)) {
	shorter := func(limit, wanted int64) bool { return limit > 0 && (wanted <= 0 || limit < wanted) }
	discards := have.Discard == jetstream.DiscardOld
	warn(have.Retention != jetstream.LimitsPolicy,
		"the stream has interest or work-queue retention: consumers created later miss events")
	warn(have.MaxMsgsPerSubject > 0 && discards,
		"the stream limits messages per subject (max_msgs_per_subject): older events of a lane are removed")
	warn(have.Storage == jetstream.MemoryStorage,
		"the stream has memory storage: events are lost when all its servers restart")
	warn(discards && have.MaxMsgs > 0, "the stream limits messages (max_msgs): older events are removed, read or not")
	warn(discards && shorter(have.MaxBytes, s.want.MaxBytes), "the stream's max_bytes is less than "+s.limit)
	warn(shorter(int64(have.MaxAge), int64(s.want.MaxAge)), "the stream's max_age is less than NATS_MAX_AGE")
	warn(have.MaxAge > 0 && have.MaxAge < s.opts.Dedupe, "the stream's max_age is less than DEDUPE_WINDOW")
	warn(have.AllowRollup && !have.DenyPurge,
		"the stream allows rollups: whoever may publish to its subjects can remove events with a Nats-Rollup header")
}
