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
		p.topics.of(p.opts.Topic)
	}
	if p.opts.Quarantine != "" {
		p.topics.of(p.opts.Quarantine)
	}
	p.topics.watch()
}

// Failed is there for the program, which ends on what it delivers. Nothing comes from Kafka: what a broker refuses today
// it may allow tomorrow.
func (p *Publisher) Failed() <-chan error { return nil }

// Publish implements bridge.Publisher.
func (p *Publisher) Publish(e *bridge.Event, done func(error)) {
	name := p.opts.Quarantine
	if !e.Quarantined() {
		name = template(p.opts.Topic).of(e)
		if err := checkTopic(name); err != nil {
			done(bridge.Rejected("KAFKA_TOPIC %q: %w", p.opts.Topic, err))
			return
		}
	} else if name == "" {
		done(nil)
		return
	}
	r := record{event: e, key: []byte(e.PartitionKey()), done: done}
	t := p.topics.of(name)
	if !t.good.Load() {
		p.topics.await(t, r)
		return
	}
	p.sender.add(t.partitionOf(r.key), r)
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
