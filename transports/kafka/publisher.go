package kafka

import (
	"context"
	"errors"
	"sync"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/transports/kafka/producer"
)

// Publisher publishes events to Kafka and reports their acknowledgements. It implements bridge.Publisher.
type Publisher struct {
	opts Options
	*route
	events     *topic // of all events; nil: KAFKA_TOPIC is a template
	quarantine *route // nil: quarantine notices are not published
	closing    sync.Once
}

// route is a producer and its topics. Two routes share nothing, so that a fault of the quarantine's topic, or of its
// brokers, cannot delay an event.
type route struct {
	cluster    *cluster
	producer   *producer.Producer
	topics     *topics
	disconnect context.CancelFunc // ends the connections
}

// Dial makes a Publisher and returns at once: it connects and checks the topics in the background, for as long as it
// takes. It returns an error only for invalid options.
func Dial(opts Options) (*Publisher, error) {
	if err := opts.Check(); err != nil {
		return nil, err
	}
	p := &Publisher{opts: opts}
	var err error
	if p.route, err = newRoute(&p.opts); err != nil {
		return nil, err
	}
	if opts.Quarantine != "" {
		if p.quarantine, err = newRoute(&p.opts); err != nil {
			return nil, err
		}
		p.quarantine.topics.secondary = true
	}
	p.begin()
	return p, nil
}

func newRoute(o *Options) (*route, error) {
	ctx, cancel := context.WithCancel(context.Background())
	c, err := newCluster(ctx, o)
	if err != nil {
		cancel()
		return nil, err
	}
	r := &route{cluster: c, topics: newTopics(o, c), disconnect: cancel}
	r.topics.producer, err = producer.New(producer.Options{
		AckTimeout: o.AckTimeout, Binary: o.Binary, Compression: o.Compression, Log: o.Log,
		RetryInterval: o.producerIDRetry, FirstSequence: o.firstSequence, RequestCheck: r.topics.requestCheck,
	}, c)
	r.producer = r.topics.producer
	return r, err
}

// begin starts the background work.
func (p *Publisher) begin() {
	if p.opts.SASL == "plain" && !p.opts.TLS {
		p.opts.Log.Warn("KAFKA_SASL is plain without KAFKA_TLS: the password is sent unencrypted; set KAFKA_TLS=true",
			zap.String("setting", settingNames("KAFKA_SASL")))
	}
	p.opts.tlsClient().Warn(p.opts.Log, settingNames("KAFKA_TLS_VERIFY"))
	if template(p.opts.Topic).fixed() {
		p.events = p.topics.of(p.opts.Topic)
	}
	p.topics.watch()
	if p.quarantine != nil {
		p.quarantine.topics.of(p.opts.Quarantine)
		p.quarantine.topics.watch()
	}
}

// Connected reports whether the brokers responded to the last check and, unless KAFKA_TOPIC is a template, the topic of
// events is usable.
func (p *Publisher) Connected() bool { return p.topics.connected.Load() }

// Reload reads the files of credentials again and reconnects when they have changed. A file in the error cannot be
// used, and its previous content stays active.
func (p *Publisher) Reload() error {
	err := p.route.reload()
	if p.quarantine != nil {
		_ = p.quarantine.reload() // the same files: its error would be the same
	}
	return err
}

func (r *route) reload() error {
	err := r.cluster.reload()
	r.topics.requestCheck()
	return err
}

// ReportPositions implements bridge.PositionReporter.
func (p *Publisher) ReportPositions(stored func(*bridge.Event, bridge.Position)) {
	p.producer.ReportPositions(stored)
	if p.quarantine != nil {
		p.quarantine.producer.ReportPositions(stored)
	}
}

// Publish implements bridge.Publisher.
func (p *Publisher) Publish(e *bridge.Event, done func(error)) {
	route, t, err := p.topicOf(e)
	if t == nil {
		done(err)
		return
	}
	r := producer.Record{Event: e, Key: e.AppendPartitionKey(make([]byte, 0, keySize)), Done: done}
	if layout := t.layout.Load(); layout != nil && t.fault.Load() == nil {
		route.producer.Publish(layout.partitionOf(r.Key), r)
		return
	}
	route.topics.await(t, r)
}

// keySize is enough for most keys.
const keySize = 64

// topicOf returns the route and the topic of an event. Neither topic nor error: the event is not published.
func (p *Publisher) topicOf(e *bridge.Event) (*route, *topic, error) {
	switch {
	case e.Quarantined() && p.quarantine == nil:
		return nil, nil, nil
	case e.Quarantined():
		return p.quarantine, p.quarantine.topics.of(p.opts.Quarantine), nil
	case p.events != nil:
		return p.route, p.events, nil
	}
	name := template(p.opts.Topic).of(e)
	if err := checkTopic(name); err != nil {
		return nil, nil, bridge.Rejected(bridge.RejectionInvalidTopic, "KAFKA_TOPIC %q: %w", p.opts.Topic, err)
	}
	return p.route, p.topics.of(name), nil
}

// Close implements bridge.Publisher.
func (p *Publisher) Close(ctx context.Context) (err error) {
	p.closing.Do(func() {
		var other error
		var closing sync.WaitGroup
		if p.quarantine != nil {
			closing.Go(func() { other = p.quarantine.close(ctx) })
		}
		err = p.route.close(ctx)
		closing.Wait()
		err = errors.Join(err, other)
	})
	return err
}

func (r *route) close(ctx context.Context) error {
	r.topics.stop()
	err := r.producer.Close(ctx)
	r.disconnect()
	r.cluster.close()
	return err
}
