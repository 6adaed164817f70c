package nats

import (
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// What a stream that discards old messages must keep at the least, unless the settings ask for less. Below that, one burst
// of events, or one restart of a consumer, pushes out what nobody has read.
const (
	minMessages = 10_000
	minBytes    = 16 << 20
	minAge      = 10 * time.Minute
)

// unfit returns why events must not be published to a stream: it is not ours, or it would not keep what it acknowledges.
// nil: it is fit.
func (s *stream) unfit(have jetstream.StreamConfig) error {
	single := have.Replicas <= 1
	switch {
	case have.Mirror != nil:
		return s.misfit("is a mirror of stream %s and stores nothing else: set another stream name, or replace it by a stream with the subjects %q",
			have.Mirror.Name, s.want.Subjects)
	case !cover(have.Subjects, s.needed):
		return s.misfit("has the subjects %q, which do not cover %q: give it the subjects %q, or set %s to others",
			have.Subjects, s.needed, s.want.Subjects, s.prefix)
	case have.Sealed:
		return s.misfit("is sealed and stores nothing more: delete it, or set another stream name")
	case have.NoAck:
		return s.misfit("acknowledges nothing (no_ack): set no_ack to false")
	case have.AllowMsgCounter:
		return s.misfit("stores counters only (allow_msg_counter): replace it by a stream without")
	case have.Storage == jetstream.MemoryStorage && single:
		return s.misfit("has memory storage and no replica, so a restart of the server loses what it has acknowledged: use file storage")
	case have.PersistMode == jetstream.AsyncPersistMode && single:
		return s.misfit("acknowledges before it writes (persist_mode async): set persist_mode to default")
	}
	return s.tooSmall(have)
}

// tooSmall returns an error for limits that discard events before they are likely to have been read.
func (s *stream) tooSmall(have jetstream.StreamConfig) error {
	discards := have.Discard == jetstream.DiscardOld
	if discards && below(have.MaxMsgs, minMessages, 0) {
		return s.misfit("keeps %d messages only (max_msgs) and discards older ones: raise max_msgs to %d or more", have.MaxMsgs, minMessages)
	}
	if discards && below(have.MaxBytes, minBytes, s.want.MaxBytes) {
		return s.misfit("keeps %d bytes only (max_bytes) and discards older messages: raise max_bytes to %d or more", have.MaxBytes, minBytes)
	}
	if below(have.MaxAge, minAge, s.want.MaxAge) {
		return s.misfit("keeps messages for %v only (max_age): raise max_age to %v or more", have.MaxAge, minAge)
	}
	return nil
}

// below reports whether a limit that is on is less than both the floor and what the settings ask for (0: nothing).
func below[T int64 | time.Duration](limit, floor, wanted T) bool {
	return limit > 0 && limit < floor && (wanted <= 0 || limit < wanted)
}

func (s *stream) misfit(format string, args ...any) error {
	return &misfit{fmt.Sprintf("stream %s at NATS ", s.want.Name) + fmt.Sprintf(format, args...)}
}

// warnings returns what an operator should know of a stream that is fit.
func (s *stream) warnings(have jetstream.StreamConfig) []string {
	var out []string
	warn := func(bad bool, text string) {
		if bad {
			out = append(out, text)
		}
	}
	s.warnOfLoss(have, warn)
	warn(have.Discard == jetstream.DiscardNew, "the stream takes nothing new when it is full: publishing stops then")
	warn(have.DiscardNewPerSubject, "the stream takes nothing new for a subject that is full: the lane waits then")
	warn(have.Duplicates < 2*s.opts.AckTimeout,
		"the stream's duplicate window is shorter than a retry takes: an event may come twice, or out of order after a broker failure")
	warn(have.SubjectTransform != nil, "the stream stores events under other subjects: consumers that filter by subject may miss them")
	warn(have.Replicas < s.want.Replicas, "the stream has fewer replicas than NATS_REPLICAS asks for")
	return out
}

// warnOfLoss warns of what takes events away before they are as old as the settings ask for.
func (s *stream) warnOfLoss(have jetstream.StreamConfig, warn func(bool, string)) {
	shorter := func(limit, wanted int64) bool { return limit > 0 && (wanted <= 0 || limit < wanted) }
	discards := have.Discard == jetstream.DiscardOld
	warn(have.Retention != jetstream.LimitsPolicy,
		"the stream removes events by interest or as work is done: consumers that come later miss them")
	warn(have.MaxMsgsPerSubject > 0 && discards, "the stream keeps only a few messages of each subject: older events of a lane are removed")
	warn(have.Storage == jetstream.MemoryStorage, "the stream has memory storage: events are lost when all its servers restart")
	warn(discards && have.MaxMsgs > 0, "the stream is limited by number (max_msgs): older events are removed, read or not")
	warn(discards && shorter(have.MaxBytes, s.want.MaxBytes), "the stream keeps fewer bytes than "+s.limit+" asks for")
	warn(shorter(int64(have.MaxAge), int64(s.want.MaxAge)), "the stream keeps events for a shorter time than NATS_MAX_AGE asks for")
	warn(have.MaxAge > 0 && have.MaxAge < s.opts.Dedupe, "the stream keeps events for a shorter time than DEDUPE_WINDOW")
	warn(have.AllowRollup && !have.DenyPurge,
		"the stream allows rollups: whoever may publish to its subjects can remove events with a Nats-Rollup header")
}
