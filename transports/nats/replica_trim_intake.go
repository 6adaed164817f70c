package nats

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// trimIntake removes what is decided from an intake that is half full: it discards what is new, and would refuse
// callbacks because of others that nobody needs any more. One without limits keeps them until they are too old: with
// them a state that was restored from a backup can go on. Each was written once, and one that comes back when a server
// is killed lies before the position of its partition.
func (r *Replicas) trimIntake(ctx context.Context) (err error) {
	_, js := r.connection()
	intake, err := js.Stream(ctx, r.intakeStream())
	if err != nil || !halfFull(intake.CachedInfo()) {
		return err
	}
	for partition := range r.processed {
		if next := r.processed[partition].Load(); next > 1 {
			subject := fmt.Sprint(r.intakeStream(), ".", partition)
			err = errors.Join(err, intake.Purge(ctx, jetstream.WithPurgeSubject(subject), jetstream.WithPurgeSequence(next)))
		}
	}
	return err
}

// halfFull reports whether a stream has more than half of what it may have.
func halfFull(s *jetstream.StreamInfo) bool {
	bytes, messages := s.Config.MaxBytes, s.Config.MaxMsgs
	return bytes > 0 && s.State.Bytes > uint64(bytes/2) || messages > 0 && s.State.Msgs > uint64(messages/2)
}
