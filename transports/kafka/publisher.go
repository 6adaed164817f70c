package kafka

import (
	"context"
	"sync"

	"go.uber.org/zap"

	"livebridge/bridge"
)

// Publisher publishes events to Kafka and tells of the broker's acknowledgement. It implements bridge.Publisher.
type Publisher struct {
	opts    Options
	cluster *cluster
	sender  *sender
	topics  *topics
	events  *topic // of all events; nil: each has a topic of its own
	closing sync.Once
}

// Dial makes a Publisher and returns at once: connecting, and looking after the topics, goes on in the background for as
// long as it takes. The error is one of the options.
func Dial(opts Options) (*Publisher, error) {
	if err := opts.Check(); err != nil {
		return nil, err
	}
	p := &Publisher{opts: opts}
	ctx, cancel := context.WithCancel(context.Background())
	var err error
	if p.cluster, err = newCluster(ctx, &p.opts); err != nil {
		cancel()
		return nil, err
	}
	p.sender = &sender{
		opts: &p.opts, cluster: p.cluster, identities: &identities{cluster: p.cluster, log: opts.Log},
		ctx: ctx, cancel: cancel, leaders: make(map[int32]*leader),
	}
	if p.sender.encoder, err = newEncoder(&p.opts); err != nil {
		cancel()
		return nil, err
	}
	p.topics = newTopics(&p.opts, p.cluster, p.sender)
	p.sender.look = p.topics.look
	p.begin()
	return p, nil
}

// begin starts what goes on in the background.
func (p *Publisher) begin() {
	if p.opts.SASL == "plain" && !p.opts.TLS {
		p.opts.Log.Warn("KAFKA_SASL is plain without KAFKA_TLS: the password goes over the network as it is", zap.String("setting", "KAFKA_SASL"))
	}
	if template(p.opts.Topic).fixed() {
		p.events = p.topics.of(p.opts.Topic)
	}
	if p.opts.Quarantine != "" {
		p.topics.of(p.opts.Quarantine)
	}
	p.topics.watch()
}

// Reload reads the files of credentials again and makes new connections when they have changed. The error is of files that
// cannot be used: what they said before stays in force.
func (p *Publisher) Reload() error {
	err := p.cluster.reload()
	p.topics.look()
	return err
}

// Failed is there for the program, which ends on what it delivers. Nothing comes from Kafka: what a broker refuses today
// it may allow tomorrow.
func (p *Publisher) Failed() <-chan error { return nil }

// Publish implements bridge.Publisher.
func (p *Publisher) Publish(e *bridge.Event, done func(error)) {
	t, err := p.topicOf(e)
	if t == nil {
		done(err)
		return
	}
	r := record{event: e, key: e.AppendPartitionKey(make([]byte, 0, keySize)), done: done}
	if !t.good.Load() {
		p.topics.await(t, r)
		return
	}
	p.sender.add(t.partitionOf(r.key), r)
}

// keySize is room for most keys.
const keySize = 64

// topicOf returns the topic that an event goes to. Nil without an error: it goes nowhere.
func (p *Publisher) topicOf(e *bridge.Event) (*topic, error) {
	switch {
	case e.Quarantined() && p.opts.Quarantine == "":
		return nil, nil
	case e.Quarantined():
		return p.topics.of(p.opts.Quarantine), nil
	case p.events != nil:
		return p.events, nil
	}
	name := template(p.opts.Topic).of(e)
	if err := checkTopic(name); err != nil {
		return nil, bridge.Rejected("KAFKA_TOPIC %q: %w", p.opts.Topic, err)
	}
	return p.topics.of(name), nil
}

// Close implements bridge.Publisher.
func (p *Publisher) Close(ctx context.Context) (err error) {
	p.closing.Do(func() {
		p.topics.stop()
		err = p.sender.close(ctx)
		p.cluster.close()
	})
	return err
}
