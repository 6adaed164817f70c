package nats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"livebridge/bridge"
)

// trimInterval is how often the events that were sourced are removed from the state's stream. Each has a subject of its
// own there, which servers keep in memory.
const trimInterval = 5 * time.Second

// headerSource is where a message says which one of its stream's source it was: the source's name and the sequence
// there, and more.
const headerSource = "Nats-Stream-Source"

// trim removes what consumers' streams have taken from the state's stream, while this replica commits, until it is
// closed. What is removed so was written once, and does not come back.
func (r *Replicas) trim() {
	ticker := time.NewTicker(cmp.Or(r.opts.trimInterval, trimInterval))
	defer ticker.Stop()
	var reminders bridge.Reminders
	for {
		select {
		case <-r.closed:
			return
		case <-ticker.C:
		}
		if r.committed.Swap(false) || r.waiting() {
			r.trimOnce(&reminders)
		}
	}
}

// trimOnce is one attempt, and says when it fails, unless that may be because the connection is closed.
func (r *Replicas) trimOnce(reminders *bridge.Reminders) {
	err := r.trimAll()
	if err == nil || r.isClosed() {
		return
	}
	r.committed.Store(true)
	if suppressed, due := reminders.Due("trim", time.Now()); due {
		r.opts.Log.Warn("what was published or decided is not removed from the streams of state and intake; retrying",
			zap.String("stream", r.stateStream()), zap.Error(err), zap.Int("suppressed", suppressed))
	}
}

func (r *Replicas) trimAll() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	for _, s := range r.streams {
		if len(s.want.Sources) > 0 {
			err = errors.Join(err, r.trimFor(ctx, s))
		}
	}
	return errors.Join(err, r.trimIntake(ctx))
}

// trimFor removes what one stream has taken, but for the last.
func (r *Replicas) trimFor(ctx context.Context, s *replicaStream) error {
	_, js := r.connection()
	out, err := js.Stream(ctx, s.want.Name)
	if err != nil {
		return err
	}
	sequence, err := lastSourced(ctx, out, r.stateStream())
	if err != nil || sequence == 0 {
		return err
	}
	s.behind.sourced(sequence)
	state, err := js.Stream(ctx, r.stateStream())
	if err != nil || state.CachedInfo().State.LastSeq < sequence {
		return err
	}
	branch := s.want.Sources[0].SubjectTransforms[0].Source
	return state.Purge(ctx, jetstream.WithPurgeSubject(branch), jetstream.WithPurgeSequence(sequence))
}

// lastSourced returns the sequence, in the source, of the last message that a stream has from it; 0: it has none.
func lastSourced(ctx context.Context, out jetstream.Stream, source string) (uint64, error) {
	last := out.CachedInfo().State.LastSeq
	if out.CachedInfo().State.Msgs == 0 {
		return 0, nil
	}
	m, err := out.GetMsg(ctx, last)
	if err != nil {
		return 0, err
	}
	text := m.Header.Get(headerSource)
	fields := strings.Fields(text)
	if len(fields) < 2 || fields[0] != source {
		return 0, fmt.Errorf("message %d has %s: %q, which is not of stream %s", last, headerSource, text, source)
	}
	return strconv.ParseUint(fields[1], 10, 64)
}
