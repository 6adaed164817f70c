package nats

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"livebridge/transports/nats/lease"
)

// leaseBucket is the bucket of a group's leases.
func (o *Options) leaseBucket(group string) string { return o.Stream + "_" + group }

// leastValue is how large a value the bucket must take: a replica's name.
const leastValue = 1024

// bucketOfReplicas is the stream of the bucket, which a client creates when it joins.
func (o *Options) bucketOfReplicas(group string) *replicaStream {
	bucket := lease.Config(o.leaseBucket(group), o.Replicas)
	subject := "$KV." + bucket.Bucket + "."
	r := &replicaStream{kept: true, stream: newStream(o, &stream{prefix: "INTAKE_GROUP", needed: []string{subject + "*"},
		want: jetstream.StreamConfig{Name: "KV_" + bucket.Bucket, Subjects: []string{subject + ">"},
			Replicas: bucket.Replicas, MaxAge: bucket.TTL}})}
	r.fits = r.bucketFits
	return r
}

// bucketFits is about the bucket of leases: one that loses a key gives a partition to a second replica for a while, and
// one that takes none gives it to nobody.
func (s *replicaStream) bucketFits(have jetstream.StreamConfig) error {
	switch {
	case have.MaxMsgsPerSubject != 1:
		return s.unusable("keeps more than the last value of a lease: set max_msgs_per_subject to 1 (it is %d)",
			have.MaxMsgsPerSubject)
	case have.MaxAge > 0 && have.MaxAge < s.want.MaxAge/2:
		return s.unusable("forgets leases after %v: raise max_age to %v", have.MaxAge, s.want.MaxAge)
	case have.Discard != jetstream.DiscardNew:
		return s.unusable("removes leases when it is full: set discard to new")
	case have.MaxBytes > 0 || have.MaxMsgs > 0:
		return s.unusable("takes no lease when it is full: set max_bytes and max_msgs to -1 (they are %d and %d)",
			have.MaxBytes, have.MaxMsgs)
	case have.MaxMsgSize > 0 && have.MaxMsgSize < leastValue:
		return s.unusable("takes no lease of more than %d bytes: set max_msg_size to -1", have.MaxMsgSize)
	case !slices.Equal(have.Subjects, s.want.Subjects):
		return s.unusable("has the subjects %q, and %q are needed: %s", have.Subjects, s.want.Subjects, s.otherName())
	case len(have.Sources) > 0:
		return s.unusable("has sources: %s", s.otherName())
	}
	return s.acknowledges(have)
}

// bucketCautions returns what an operator should know about a usable bucket.
func (s *replicaStream) bucketCautions(have jetstream.StreamConfig) (out []string) {
	if have.Replicas < s.want.Replicas {
		out = append(out, "the leases have fewer replicas than NATS_REPLICAS: with the server that has them, "+
			"no partition goes to another replica")
	}
	if have.MaxAge == 0 {
		out = append(out, fmt.Sprintf("the leases of replicas that have ended are never forgotten: set max_age to %v",
			s.want.MaxAge))
	}
	return out
}

// checkBucket checks the bucket, if it is there.
func (r *Replicas) checkBucket(ctx context.Context, js jetstream.JetStream) error {
	s := r.bucket
	have, err := js.Stream(ctx, s.want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	if err != nil {
		return s.explain(ctx, js, err)
	}
	config := have.CachedInfo().Config
	s.caution(s.bucketCautions(config))
	return s.fits(config)
}
