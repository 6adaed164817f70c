package nats

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"
)

// leastVersion is the first server that takes atomic batches.
const leastVersion = "2.12"

// checkVersion returns an error for a server that is too old.
func checkVersion(version string) error {
	var major, minor, wantMajor, wantMinor int
	if _, err := fmt.Sscanf(leastVersion, "%d.%d", &wantMajor, &wantMinor); err != nil {
		return err
	}
	if n, _ := fmt.Sscanf(version, "%d.%d", &major, &minor); n < 2 {
		return nil // nothing is known of it; it will say itself what it cannot do
	}
	if major < wantMajor || major == wantMajor && minor < wantMinor {
		return &unusableError{fmt.Sprintf("the NATS server is version %s, and INTAKE=broker needs %s or later: "+
			"update the servers, or set INTAKE=local", version, leastVersion)}
	}
	return nil
}

// otherName is what to do about a stream that was made for something else.
func (s *replicaStream) otherName() string {
	const deleteIt = "delete the stream if nobody needs what is in it"
	switch {
	case s.want.Name == QuarantineStream:
		return deleteIt + ", or set QUARANTINE_TOPIC to the empty string"
	case s.prefix == "INTAKE_GROUP":
		return deleteIt + ", or set INTAKE_GROUP to another name in all replicas"
	}
	return deleteIt + ", or set NATS_STREAM to a name that is not in use"
}

// acknowledges returns an error if a stream does not keep what it acknowledges.
func (s *replicaStream) acknowledges(have jetstream.StreamConfig) error {
	single := have.Replicas <= 1
	switch {
	case have.Mirror != nil:
		return s.unusable("is a mirror of stream %s: %s", have.Mirror.Name, s.otherName())
	case have.Sealed:
		return s.unusable("is sealed and read-only: %s", s.otherName())
	case have.NoAck:
		return s.unusable("does not acknowledge messages: set no_ack to false")
	case have.Retention != jetstream.LimitsPolicy:
		return s.unusable("has interest or work-queue retention: %s", s.otherName())
	case have.Storage == jetstream.MemoryStorage && single:
		return s.unusable("has memory storage without replicas and loses its messages in a restart: use file storage")
	case have.PersistMode == jetstream.AsyncPersistMode:
		return s.unusable("acknowledges before it persists: set persist_mode to default")
	case have.SubjectTransform != nil:
		return s.unusable("transforms subjects: remove its subject_transform")
	}
	return nil
}

// written returns an error if a stream that replicas write to loses something.
func (s *replicaStream) written(have jetstream.StreamConfig) error {
	switch {
	case !slices.Equal(have.Subjects, s.want.Subjects):
		return s.unusable("has the subjects %q, and %q are needed: %s", have.Subjects, s.want.Subjects, s.otherName())
	case len(have.Sources) > 0:
		return s.unusable("has sources: %s", s.otherName())
	case have.Discard != jetstream.DiscardNew:
		return s.unusable("removes what is old when it is full: set discard to new")
	case !have.AllowMsgTTL:
		return s.unusable("does not let messages expire: set allow_msg_ttl to true")
	}
	return s.acknowledges(have)
}

// intakeFits is about the stream of callbacks.
func (s *replicaStream) intakeFits(have jetstream.StreamConfig) error {
	switch {
	case have.MaxMsgsPerSubject > 0:
		return s.unusable("limits the messages of a subject, which are the callbacks of a partition: "+
			"set max_msgs_per_subject to -1 (it is %d)", have.MaxMsgsPerSubject)
	case below(have.MaxAge, minAge, s.want.MaxAge):
		return s.unusable("keeps callbacks for %v only, decided or not: raise max_age to %v or more", have.MaxAge, minAge)
	}
	if err := s.written(have); err != nil {
		return err
	}
	_, err := s.countOf(have)
	return err
}

// countOf returns how many partitions the stream of callbacks was made for.
func (s *replicaStream) countOf(have jetstream.StreamConfig) (int, error) {
	text := have.Metadata[metadataPartitions]
	n, err := strconv.Atoi(text)
	switch {
	case err != nil || n < 1 || n > maxPartitions:
		return 0, s.unusable("has the metadata %s=%q: set it to the number of partitions that its callbacks were written "+
			"to, or %s", metadataPartitions, text, s.otherName())
	case s.opts.Partitions > 0 && s.opts.Partitions != n:
		return 0, settingError("NATS_PARTITIONS", fmt.Errorf("is %d, and stream %s was made for %d partitions: set %d, or %s",
			s.opts.Partitions, s.want.Name, n, n, "set NATS_STREAM to a new name"))
	}
	return n, nil
}

// stateFits is about the stream of the state.
func (s *replicaStream) stateFits(have jetstream.StreamConfig) error {
	switch {
	case have.MaxMsgsPerSubject != 1:
		return s.unusable("keeps more than the last message of a subject: set max_msgs_per_subject to 1 (it is %d)",
			have.MaxMsgsPerSubject)
	case !have.AllowAtomicPublish:
		return s.unusable("takes no atomic batches: set allow_atomic to true")
	case have.AllowDirect || have.MirrorDirect:
		return s.unusable("is read from replicas that may lag (allow_direct): set allow_direct to false")
	case have.MaxAge > 0:
		return s.unusable("forgets the state of what is older than %v: set max_age to 0", have.MaxAge)
	}
	return s.written(have)
}

// sourcedFits is about the streams that consumers read.
func (s *replicaStream) sourcedFits(have jetstream.StreamConfig) error {
	live := s.opts.eventsLive()
	switch {
	case !sameSource(have, s.want):
		return s.unusable("was not made for replicas: with INTAKE=broker it must have no subjects, and %s as its only "+
			"source, and livebridge creates it so: %s", s.want.Sources[0].Name, s.otherName())
	case have.MaxAge > 0 && have.MaxAge <= live:
		return s.unusable("keeps messages for %v, and its source keeps them for %v, so that they could come twice: "+
			"raise max_age above that", have.MaxAge, live)
	case have.AllowMsgTTL: // which cannot be disabled
		return s.unusable("has allow_msg_ttl, with which events end after %v, as they do in its source: %s", live,
			s.otherName())
	case have.Discard != jetstream.DiscardOld:
		return s.unusable("takes nothing more when it is full, and what it has not taken is lost after %v: "+
			"set discard to old", live)
	case have.MaxMsgSize > 0:
		return s.unusable("takes no message of more than %d bytes, which stay in its source: set max_msg_size to -1",
			have.MaxMsgSize)
	case have.AllowMsgCounter:
		return s.unusable("is a counter stream: %s", s.otherName())
	}
	if err := s.acknowledges(have); err != nil {
		return err
	}
	return s.tooSmall(have)
}

// sameSource reports whether a stream has the wanted source and nothing else.
func sameSource(have, want jetstream.StreamConfig) bool {
	if len(have.Subjects) > 0 || len(have.Sources) != 1 {
		return false
	}
	got, wanted := have.Sources[0], want.Sources[0]
	return got.Name == wanted.Name && got.External == nil && got.FilterSubject == "" && got.OptStartSeq == 0 &&
		got.OptStartTime == nil && slices.Equal(got.SubjectTransforms, wanted.SubjectTransforms)
}

// cautions returns what an operator should know about a usable stream.
func (s *replicaStream) cautions(have jetstream.StreamConfig) []string {
	var out []string
	warn := func(so bool, text string) {
		if so {
			out = append(out, text)
		}
	}
	warn(have.Replicas <= 1, "the stream has one replica: what many replicas of livebridge share is lost with one "+
		"server; use 3 replicas (NATS_REPLICAS)")
	warn(have.Replicas > 1 && have.Replicas < s.want.Replicas, "the stream has fewer replicas than NATS_REPLICAS")
	if !s.kept {
		s.warnOfLoss(have, warn)
		return out
	}
	warn(have.MaxBytes > 0 || have.MaxMsgs > 0, "the stream refuses messages when it is full (max_bytes, max_msgs): "+
		"then callbacks are not taken, or not decided")
	return out
}
