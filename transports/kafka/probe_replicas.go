package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"

	"livebridge/transports/kafka/committed"
	"livebridge/transports/kafka/membership"
)

// ReplicaCheck is what was found of one thing that a replica needs of the brokers.
type ReplicaCheck struct {
	Name     string   // broker, events, intake, state, quarantine, transactions or group
	Found    string   // what works; empty with an Err
	Warnings []string // what an operator should know
	Err      error    // why a replica would not work, and what to do
}

// ProbeReplicas checks what a replica of a group needs: each topic with the rights to it, the transactional ids and the
// group. It creates nothing, writes nothing, and disturbs no replica that runs: the rights to transactional ids and to
// the group are shown by requests of a producer and of a member that do not exist, which brokers refuse, once they have
// found them permitted.
func ProbeReplicas(ctx context.Context, opts Options, group string) []ReplicaCheck {
	if err := errors.Join(opts.Check(), opts.CheckReplicas(group)); err != nil {
		return []ReplicaCheck{{Name: "broker", Err: err}}
	}
	ctx, cancel := context.WithTimeout(ctx, 2*opts.AckTimeout)
	defer cancel()
	c, err := newCluster(ctx, &opts)
	if err != nil {
		return []ReplicaCheck{{Name: "broker", Err: err}}
	}
	defer c.close()
	p := &replicaProbe{opts: &opts, cluster: c, group: group}
	all, err := p.topics(ctx)
	if err != nil {
		return []ReplicaCheck{{Name: "broker", Err: opts.connectError(err)}}
	}
	return append(all, p.transactions(ctx), p.membership(ctx))
}

// replicaProbe is one run of ProbeReplicas.
type replicaProbe struct {
	opts    *Options
	cluster *cluster
	group   string
	count   int // of the partitions of the events; 0: there are none yet
}

// part is one of the topics that a replica needs.
type part struct {
	name, topic string
	role        role
}

// parts are all of them, first that of events.
func (p *replicaProbe) parts() []part {
	all := []part{{"events", p.opts.Topic, roleEvents}, {"intake", p.opts.Topic + intakeSuffix, roleIntake},
		{"state", p.opts.Topic + stateSuffix, roleState}}
	if p.opts.Quarantine != "" {
		all = append(all, part{"quarantine", p.opts.Quarantine, roleEvents})
	}
	return all
}

// topics checks the topics.
func (p *replicaProbe) topics(ctx context.Context) (all []ReplicaCheck, err error) {
	parts := p.parts()
	var names []string
	for _, t := range parts {
		names = append(names, t.topic)
	}
	p.cluster.setTopics(names)
	answer, err := p.cluster.Client().Metadata(ctx, &kafka.MetadataRequest{Topics: names})
	if err != nil {
		return nil, err
	}
	for _, t := range parts {
		found := kafka.Topic{Name: t.topic, Error: kafka.UnknownTopicOrPartition}
		for _, answered := range answer.Topics {
			if answered.Name == t.topic {
				found = answered
			}
		}
		all = append(all, p.topic(ctx, t.name, &found, t.role))
	}
	return all, nil
}

// topic checks one topic and the rights to it.
func (p *replicaProbe) topic(ctx context.Context, name string, found *kafka.Topic, r role) ReplicaCheck {
	one := &probe{opts: p.opts, cluster: p.cluster, topics: newTopics(p.opts, p.cluster)}
	err := one.check(ctx, found, r)
	n := len(found.Partitions)
	switch {
	case err != nil || found.Error != nil:
	case name == "events":
		p.count = n
	case r == roleEvents: // that of the quarantine may have any number
	case p.count > 0 && n != p.count:
		err = errors.New(unequal(found.Name, n, p.opts.Topic, p.count))
	default:
		err = p.read(ctx, found)
	}
	check := ReplicaCheck{Name: name, Warnings: one.warnings, Err: err}
	switch {
	case err != nil:
	case found.Error != nil:
		check.Found = fmt.Sprintf("topic %s is created at the start, which the right CREATE permits", found.Name)
	case r == roleEvents:
		check.Found = fmt.Sprintf("topic %s has %d partitions; writing is permitted", found.Name, n)
	default:
		check.Found = fmt.Sprintf("topic %s has %d partitions; reading and writing are permitted", found.Name, n)
	}
	return check
}

// read fetches from a topic, which needs another right than to write to it.
func (p *replicaProbe) read(ctx context.Context, found *kafka.Topic) error {
	partition := found.Partitions[0].ID
	first, err := committed.Begin(ctx, p.cluster, found.Name, partition)
	if err == nil {
		r := committed.Reader{Brokers: p.cluster, Topic: found.Name, Partition: partition, Next: first}
		_, err = r.Fetch(ctx, 0)
	}
	if errors.Is(err, kafka.TopicAuthorizationFailed) {
		return advise("topic %s: KAFKA_USER is not permitted to read it: allow READ: %w", found.Name, err)
	}
	if err != nil && !errors.Is(err, committed.ErrOutOfRange) {
		return fmt.Errorf("topic %s cannot be read: %w", found.Name, err)
	}
	return nil
}

// transactions has a producer that does not exist end a transaction of an id that no partition has.
func (p *replicaProbe) transactions(ctx context.Context) ReplicaCheck {
	prefix := transactionalIDs(p.group, p.opts.Topic)
	answer, err := p.cluster.Client().EndTxn(ctx, &kafka.EndTxnRequest{TransactionalID: prefix + "check"})
	if err == nil {
		err = answer.Error
	}
	check := ReplicaCheck{Name: "transactions"}
	switch {
	case errors.Is(err, kafka.TransactionalIDAuthorizationFailed):
		check.Err = advise("KAFKA_USER is not permitted to use transactional ids that begin with %s: allow WRITE and "+
			"DESCRIBE on transactional ids with this beginning: %w", prefix, err)
	case err == nil, errors.Is(err, kafka.InvalidProducerIDMapping), errors.Is(err, kafka.InvalidTransactionState),
		errors.Is(err, kafka.InvalidProducerEpoch), errors.Is(err, kafka.ProducerFenced):
		check.Found = fmt.Sprintf("transactional ids that begin with %s are permitted: WRITE, as shown by %scheck",
			prefix, prefix)
	default:
		check.Err = fmt.Errorf("the brokers give no transactions: %w", err)
	}
	return check
}

// membership has a member that does not exist give a sign of life.
func (p *replicaProbe) membership(ctx context.Context) ReplicaCheck {
	err := membership.Heartbeat(ctx, p.cluster.Client(), p.group, 0, "livebridge-check")
	check := ReplicaCheck{Name: "group"}
	switch {
	case errors.Is(err, kafka.GroupAuthorizationFailed):
		check.Err = advise("KAFKA_USER is not permitted to use the consumer group %s: allow READ on the group, or set "+
			"INTAKE_GROUP to another name: %w", p.group, err)
	case err == nil, errors.Is(err, kafka.UnknownMemberId), errors.Is(err, kafka.IllegalGeneration),
		errors.Is(err, kafka.RebalanceInProgress), errors.Is(err, kafka.GroupIdNotFound):
		check.Found = fmt.Sprintf("the consumer group %s is permitted: READ", p.group)
	default:
		check.Err = fmt.Errorf("the brokers give no consumer group %s: %w", p.group, err)
	}
	return check
}

// unequal says that a topic has not as many partitions as that of events.
func unequal(other string, n int, events string, count int) string {
	return fmt.Sprintf("topic %s has %d partitions and %s has %d: replicas need as many in each; recreate the topic "+
		"that is empty with as many as the other, or set KAFKA_TOPIC to a new name", other, n, events, count)
}

// transactionalIDs returns the beginning of the transactional ids of a group, which the number of a partition ends.
func transactionalIDs(group, topic string) string { return fmt.Sprintf("%s-%s-", group, topic) }
