package nats

import (
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Streams of replicas, and the bucket of their leases, are named after the stream of events.
const (
	intakeSuffix = "_INTAKE"
	stateSuffix  = "_STATE"
)

// defaultIntakePartitions is how many partitions an intake is created with where NATS_PARTITIONS does not say.
const defaultIntakePartitions = 12

// metadataPartitions is where the stream of an intake says how many partitions it has.
const metadataPartitions = "livebridge-partitions"

// eventsLive is for how long events stay in the state's stream. It must be shorter than the output stream keeps them: a
// stream that has nothing left of what it has sourced begins to source anew.
func (o *Options) eventsLive() time.Duration {
	const most = 24 * time.Hour
	if o.MaxAge > 0 {
		return min(most, o.MaxAge/2)
	}
	return most
}

// replicaStream is a stream of replicas.
type replicaStream struct {
	*stream
	fits func(jetstream.StreamConfig) error // says why it cannot be used
	kept bool                               // what is in it is found nowhere else: it is not created a second time

	behind behind // of a stream that has a source
}

// replicaStreams are those of replicas, in the order in which they are created.
func (o *Options) replicaStreams() []*replicaStream {
	all := []*replicaStream{o.intakeOfReplicas(), o.stateOfReplicas(),
		o.sourced(&stream{limit: "NATS_MAX_BYTES", prefix: "NATS_SUBJECT_PREFIX"}, o.Stream, o.SubjectPrefix, "e",
			o.eventTokens(), o.MaxBytes)}
	if o.Quarantine != "" {
		all = append(all, o.sourced(&stream{limit: "QUARANTINE_MAX_BYTES", prefix: "QUARANTINE_TOPIC"}, QuarantineStream,
			o.Quarantine, "q", 1, o.QuarantineMaxBytes))
	}
	return all
}

func (o *Options) intakeOfReplicas() *replicaStream {
	count := o.Partitions
	if count == 0 {
		count = defaultIntakePartitions
	}
	name := o.Stream + intakeSuffix
	r := &replicaStream{kept: true, stream: newStream(o, &stream{limit: "NATS_MAX_BYTES", prefix: "NATS_STREAM",
		needed: []string{name + ".*"}, want: jetstream.StreamConfig{
			Name: name, Subjects: []string{name + ".*"}, Storage: jetstream.FileStorage, Replicas: o.Replicas,
			Discard: jetstream.DiscardNew, MaxAge: o.MaxAge, AllowMsgTTL: true,
			Metadata: map[string]string{metadataPartitions: strconv.Itoa(count)},
		}})}
	r.fits = r.intakeFits
	return r
}

func (o *Options) stateOfReplicas() *replicaStream {
	name := o.Stream + stateSuffix
	r := &replicaStream{kept: true, stream: newStream(o, &stream{limit: "NATS_MAX_BYTES", prefix: "NATS_STREAM",
		needed: []string{name + ".*.s.c"}, want: jetstream.StreamConfig{
			Name: name, Subjects: []string{name + ".>"}, Storage: jetstream.FileStorage, Replicas: o.Replicas,
			Discard: jetstream.DiscardNew, MaxMsgsPerSubject: 1, AllowAtomicPublish: true, AllowMsgTTL: true,
		}})}
	r.fits = r.stateFits
	return r
}

// eventTokens is how many tokens the subject of an event has behind the prefix.
func (o *Options) eventTokens() int {
	if o.Partitions > 0 {
		return 5
	}
	return 4
}

// sourced is a stream that has what lies in a branch of the state's subjects, under its own.
func (o *Options) sourced(s *stream, name, prefix, branch string, tokens int, maxBytes int64) *replicaStream {
	state := o.Stream + stateSuffix
	from, to := state+".*."+branch+".*", prefix
	for i := range tokens {
		from += ".*"
		to += fmt.Sprintf(".{{wildcard(%d)}}", i+3)
	}
	s.want = o.streamConfig(name, "", maxBytes)
	s.want.Subjects = nil
	s.want.Sources = []*jetstream.StreamSource{{Name: state,
		SubjectTransforms: []jetstream.SubjectTransformConfig{{Source: from, Destination: to}}}}
	r := &replicaStream{stream: newStream(o, s)}
	r.fits = r.sourcedFits
	return r
}
