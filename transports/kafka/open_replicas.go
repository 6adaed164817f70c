package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"livebridge/bridge"
	"livebridge/transports/kafka/partitions"
)

// OpenReplicas makes a replica of the group of this name: the consumer group, whose name also begins the transactional
// ids. It connects, creates the topics that are absent if that is allowed, and checks them. It waits for brokers
// and topics until ctx ends, and then returns why they cannot be used. Topics with different numbers of partitions are
// refused at once.
func OpenReplicas(ctx context.Context, opts Options, group string) (*Replicas, error) {
	if err := errors.Join(opts.Check(), opts.CheckReplicas(group)); err != nil {
		return nil, err
	}
	r := &Replicas{opts: opts, name: group, intakeTopic: opts.Topic + intakeSuffix, stateTopic: opts.Topic + stateSuffix}
	var err error
	if r.intake, err = newRoute(&r.opts); err != nil {
		return nil, err
	}
	living, end := context.WithCancel(context.Background())
	r.end = end
	if r.owners, err = newCluster(living, &r.opts); err == nil {
		r.owners.setTopics(r.topics())
		err = r.prepare(ctx)
	}
	if err != nil {
		r.disconnect()
		return nil, err
	}
	r.intake.topics.watch()
	if r.notices != nil {
		r.notices.topics.watch()
	}
	return r, nil
}

// topics are those that owners use.
func (r *Replicas) topics() []string {
	all := []string{r.opts.Topic, r.intakeTopic, r.stateTopic}
	if r.opts.Quarantine != "" {
		all = append(all, r.opts.Quarantine)
	}
	return all
}

// CheckReplicas returns the errors, of settings, that replicas would meet with these options.
func (o *Options) CheckReplicas(group string) error {
	if !template(o.Topic).fixed() {
		return settingError("KAFKA_TOPIC", fmt.Errorf("%q has a placeholder, which INTAKE=broker does not support: "+
			"set the name of one topic", o.Topic))
	}
	if err := checkTopic(o.Topic + intakeSuffix); err != nil {
		return settingError("KAFKA_TOPIC", err)
	}
	if group == "" {
		return settingError("INTAKE_GROUP", errors.New("is empty: set the name of the replicas' consumer group"))
	}
	return nil
}

// prepare finds or creates the topics: first that of events, whose number of partitions the others get.
func (r *Replicas) prepare(ctx context.Context) error {
	t := r.intake.topics
	events := t.as(r.opts.Topic, roleEvents)
	if err := r.await(ctx, events); err != nil {
		return err
	}
	r.count = len(events.layout.Load().partitions)
	r.opts.Partitions = r.count
	intake, state := t.as(r.intakeTopic, roleIntake), t.as(r.stateTopic, roleState)
	if err := r.await(ctx, intake, state); err != nil {
		return err
	}
	for _, other := range []*topic{intake, state} {
		if n := len(other.layout.Load().partitions); n != r.count {
			return fmt.Errorf("topic %s has %d partitions and %s has %d: replicas need as many in each; recreate the topic "+
				"that is empty with as many as the other, or set KAFKA_TOPIC to a new name", other.Name, n, events.Name, r.count)
		}
	}
	if err := r.prepareNotices(); err != nil {
		return err
	}
	o := partitions.Options{
		Brokers: r.owners, Log: r.opts.Log, Output: r.opts.Topic, Intake: r.intakeTopic, State: r.stateTopic,
		Count: r.count, TransactionalIDs: fmt.Sprintf("%s-%s-", r.name, r.opts.Topic),
		TransactionTimeout: r.opts.transaction, Binary: r.opts.Binary, Compression: r.opts.Compression,
		OutputLimit: events.Limit.Load, StateLimit: state.Limit.Load, Tombstones: r.tombstones, Fenced: r.fenced,
		Processed: r.processed, Ours: r.ours,
	}
	if r.notices != nil {
		o.Notices = r.noticesOf
	}
	var err error
	r.partitions, err = partitions.New(o)
	return err
}

// await checks topics until they are usable or ctx ends.
func (r *Replicas) await(ctx context.Context, all ...*topic) error {
	var err error
	for pause := checkRetryMin; ; pause = min(2*pause, checkRetryMax) {
		r.intake.topics.checkOnce(ctx)
		now := unusable(all)
		if now == nil {
			return nil
		}
		if err == nil || ctx.Err() == nil { // else it is only that the time is over
			err = now
		}
		r.intake.topics.markStale()
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(err, ctx.Err())
		case <-r.intake.topics.woken:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// unusable returns why a topic cannot be used; nil: all can.
func unusable(all []*topic) error {
	for _, t := range all {
		if fault := t.fault.Load(); fault != nil {
			return *fault
		}
		if t.layout.Load() == nil {
			return bridge.Unavailable("topic %s: it was not found yet", t.Name)
		}
	}
	return nil
}
