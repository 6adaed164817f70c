package kafka

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"

	"livebridge/bridge"
	"livebridge/transports/kafka/membership"
	"livebridge/transports/kafka/partitions"
)

// Topics of replicas are named after that of events.
const (
	intakeSuffix = ".intake"
	stateSuffix  = ".state"
)

// Replicas share the work of one intake on Kafka. It implements bridge.IntakeLog, bridge.Partitions and
// bridge.RestoreProgress, and Join makes a bridge.Membership.
type Replicas struct {
	opts   Options
	name   string // of the consumer group, and the beginning of transactional ids
	count  int    // of partitions of each topic
	intake *route // to which callbacks are written
	// notices checks the topic of quarantine notices, on its own: what it lacks must not refuse callbacks. Nil: none are
	// published.
	notices *route
	owners  *cluster
	group   atomic.Pointer[membership.Group] // nil: not joined
	end     context.CancelFunc

	partitions *partitions.Partitions

	intakeTopic, stateTopic string
}

// Take implements bridge.Partitions.
func (r *Replicas) Take(ctx context.Context, partition int, from uint64,
	put func([]bridge.Row, uint64) error) (bridge.Partition, error) {
	return r.partitions.Take(ctx, partition, from, put)
}

// State implements bridge.Partitions.
func (r *Replicas) State(ctx context.Context, partition int, from uint64, put func([]bridge.Row, uint64) error) error {
	return r.partitions.State(ctx, partition, from, put)
}

// Restored implements bridge.RestoreProgress.
func (r *Replicas) Restored(partition int) float64 { return r.partitions.Restored(partition) }

// tombstones is how long removed keys of the state are kept at least.
func (r *Replicas) tombstones() time.Duration {
	if kept := r.intake.topics.as(r.stateTopic, roleState).tombstones.Load(); kept > 0 {
		return time.Duration(kept)
	}
	return tombstoneRetention // Kafka's default, too
}

// Join makes this process a member of the group that shares the partitions out. It may be called once.
func (r *Replicas) Join() (bridge.Membership, error) {
	g, err := membership.Join(membership.Options{
		Session: r.opts.session, ID: r.name, Topic: r.intakeTopic, Brokers: r.opts.brokers(),
		Client: r.owners.Client, Log: r.opts.Log,
		Dialer: &kafka.Dialer{ClientID: "livebridge", Timeout: checkTimeout, DualStack: true,
			DialFunc: r.owners.credentials.dial, SASLMechanism: r.owners.credentials.mechanism()},
	})
	if err != nil {
		return nil, err
	}
	r.group.Store(g)
	return g, nil
}

// processed has the group's offset follow a partition.
func (r *Replicas) processed(partition int, next uint64) {
	if g := r.group.Load(); g != nil {
		g.Processed(partition, next)
	}
}

// fenced has the group look whether a partition that was lost is still ours.
func (r *Replicas) fenced() {
	if g := r.group.Load(); g != nil {
		g.Lost()
	}
}

// ours asks the group whether it counts this replica as the owner of a partition.
func (r *Replicas) ours(ctx context.Context, partition int) bool {
	g := r.group.Load()
	return g != nil && g.Holds(ctx, partition)
}

// Connected reports whether the brokers responded to the last check and the topics are usable.
func (r *Replicas) Connected() bool { return r.intake.topics.connected.Load() }

// TopicState returns the state of the topic with the fewest in-sync replicas at the last check.
func (r *Replicas) TopicState() bridge.TopicState {
	worst := bridge.TopicState{}
	for i, name := range []string{r.opts.Topic, r.intakeTopic, r.stateTopic} {
		if s := r.intake.topics.of(name).state.Load(); s != nil && (i == 0 || s.InSync < worst.InSync) {
			worst = *s
		}
	}
	return worst
}

// Reload reads the files of credentials again and reconnects when they have changed.
func (r *Replicas) Reload() error {
	err := r.intake.reload()
	_ = r.owners.reload() // the same files: its error would be the same
	if r.notices != nil {
		_ = r.notices.reload() // likewise
	}
	return err
}

// Close ends the connections. Partitions are closed and the group is left before.
func (r *Replicas) Close(ctx context.Context) error {
	r.end()
	r.owners.close()
	var err error
	if r.notices != nil {
		err = r.notices.close(ctx)
	}
	return errors.Join(err, r.intake.close(ctx))
}

func (r *Replicas) disconnect() {
	r.end()
	r.intake.disconnect()
	r.intake.cluster.close()
	if r.owners != nil {
		r.owners.close()
	}
	if r.notices != nil {
		r.notices.disconnect()
		r.notices.cluster.close()
	}
}
