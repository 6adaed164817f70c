package nats

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
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

// prepare finds or creates the streams.
func (r *Replicas) prepare(ctx context.Context) error {
	for timeout := checkFirst; ; timeout = min(2*timeout, checkTimeout) {
		err := r.ensureStreams(ctx, timeout)
		var fault *unusableError
		if err == nil || errors.As(err, &fault) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(checkRetryPause):
		}
	}
}

func (r *Replicas) ensureStreams(ctx context.Context, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, js := r.connection()
	for _, want := range r.opts.replicaStreams() {
		have, err := js.Stream(ctx, want.Name)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			have, err = js.CreateStream(ctx, want)
		}
		if err != nil {
			return fmt.Errorf("stream %s at NATS: %w", want.Name, err)
		}
		if text, is := have.CachedInfo().Config.Metadata[metadataPartitions]; is {
			if r.count, err = strconv.Atoi(text); err != nil || r.count < 1 {
				return &unusableError{fmt.Sprintf("stream %s at NATS has the metadata %s=%q: set a number", want.Name,
					metadataPartitions, text)}
			}
		}
	}
	return nil
}

// replicaStreams are the streams of replicas as they are created.
func (o *Options) replicaStreams() []jetstream.StreamConfig {
	intake, state := o.Stream+intakeSuffix, o.Stream+stateSuffix
	count := o.Partitions
	if count == 0 {
		count = defaultIntakePartitions
	}
	all := []jetstream.StreamConfig{
		{Name: intake, Subjects: []string{intake + ".*"}, Storage: jetstream.FileStorage, Replicas: o.Replicas,
			Discard: jetstream.DiscardNew, MaxAge: o.MaxAge, AllowMsgTTL: true,
			Metadata: map[string]string{metadataPartitions: strconv.Itoa(count)}},
		{Name: state, Subjects: []string{state + ".>"}, Storage: jetstream.FileStorage, Replicas: o.Replicas,
			Discard: jetstream.DiscardNew, MaxMsgsPerSubject: 1, AllowAtomicPublish: true, AllowMsgTTL: true},
		o.sourced(o.Stream, o.SubjectPrefix, "e", o.eventTokens(), o.MaxBytes),
	}
	if o.Quarantine != "" {
		all = append(all, o.sourced(QuarantineStream, o.Quarantine, "q", 1, o.QuarantineMaxBytes))
	}
	return all
}

// eventTokens is how many tokens the subject of an event has behind the prefix.
func (o *Options) eventTokens() int {
	if o.Partitions > 0 {
		return 5
	}
	return 4
}

// sourced is a stream that has what lies in a branch of the state's subjects, under its own.
func (o *Options) sourced(name, prefix, branch string, tokens int, maxBytes int64) jetstream.StreamConfig {
	state := o.Stream + stateSuffix
	from, to := state+".*."+branch+".*", prefix
	for i := range tokens {
		from += ".*"
		to += fmt.Sprintf(".{{wildcard(%d)}}", i+3)
	}
	c := o.streamConfig(name, "", maxBytes)
	c.Subjects = nil
	c.Sources = []*jetstream.StreamSource{{Name: state,
		SubjectTransforms: []jetstream.SubjectTransformConfig{{Source: from, Destination: to}}}}
	return c
}
