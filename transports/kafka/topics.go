package kafka

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"livebridge/bridge"
)

const (
	lookTimeout = 5 * time.Second
	lookAgain   = 500 * time.Millisecond
	lookPause   = 100 * time.Millisecond // the least between two looks, however often publishing fails
)

// topics makes sure that topics are there and fit, in the background: when one is first needed, when publishing fails, and
// now and then.
type topics struct {
	opts    *Options
	cluster *cluster
	sender  *sender
	wake    chan struct{}
	watcher sync.WaitGroup
	cancel  context.CancelFunc

	mu     sync.Mutex
	byName map[string]*topic
	stale  bool // the layout of the cluster is to be asked for
	closed bool // nothing is held any more

	trouble trouble // with the cluster as a whole
}

func newTopics(o *Options, c *cluster, s *sender) *topics {
	return &topics{opts: o, cluster: c, sender: s, wake: make(chan struct{}, 1), byName: make(map[string]*topic), trouble: trouble{opts: o}}
}

// of returns the topic of a name, which it has looked after from now on.
func (t *topics) of(name string) *topic {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.byName[name]
	if known == nil {
		known = &topic{name: name, told: make(map[string]bool)}
		t.byName[name] = known
		t.nudge()
	}
	return known
}

// look has the layout of the cluster asked for and the topics checked.
func (t *topics) look() {
	t.outdate()
	t.nudge()
}

// outdate has the next look ask for the layout of the cluster.
func (t *topics) outdate() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stale = true
}

func (t *topics) nudge() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// await holds a record until its topic is known, or answers it when that is known to fail.
func (t *topics) await(of *topic, r record) {
	t.mu.Lock()
	known, fault := of.good.Load(), of.fault
	if t.closed {
		fault = errClosed()
	}
	if !known && fault == nil {
		of.hold(r)
	}
	t.mu.Unlock()
	switch {
	case known:
		t.sender.add(of.partitionOf(r.key), r)
	case fault != nil:
		r.done(fault)
	}
}

// watch looks whenever it is told to, until stop.
func (t *topics) watch() {
	ctx, cancel := context.WithCancel(context.Background())
	t.cancel = cancel
	t.watcher.Go(func() {
		for {
			pause := t.opts.lookEvery
			if !t.round(ctx) {
				pause = lookAgain
				t.outdate()
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(lookPause):
			}
			select {
			case <-ctx.Done():
				return
			case <-t.wake:
			case <-time.After(pause):
			}
		}
	})
}

// stop answers what is held.
func (t *topics) stop() {
	t.cancel()
	t.watcher.Wait()
	t.mu.Lock()
	t.closed = true
	var held []record
	for _, known := range t.byName {
		held = append(held, known.letGo()...)
	}
	t.mu.Unlock()
	for _, r := range held {
		r.done(errClosed())
	}
}

// round checks all topics once. False: it should look again soon.
func (t *topics) round(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	t.mu.Lock()
	names := slices.Sorted(maps.Keys(t.byName))
	stale := t.stale
	t.stale = false
	t.mu.Unlock()
	if len(names) == 0 {
		return true
	}
	t.cluster.include(names)
	if stale {
		t.cluster.renew()
	}
	answer, err := t.cluster.client().Metadata(ctx, &kafka.MetadataRequest{Topics: names})
	if err != nil {
		t.trouble.failed(err)
		t.failAll(names, bridge.Unavailable("not connected to Kafka: %w", err))
		return false
	}
	t.trouble.over()
	good := true
	for i := range answer.Topics {
		good = t.check(ctx, &answer.Topics[i]) && good
	}
	return good
}

// check looks at one topic. False: it should look again soon.
func (t *topics) check(ctx context.Context, found *kafka.Topic) bool {
	known := t.of(found.Name)
	err := found.Error
	if errors.Is(err, kafka.UnknownTopicOrPartition) {
		err = t.create(ctx, known)
		if err == nil {
			t.look()
			return false
		}
	}
	if err == nil && len(found.Partitions) == 0 {
		err = kafka.LeaderNotAvailable
	}
	if err != nil {
		t.warn(known, "the topic cannot be used; this is tried again", unavailable(known.name, err))
		t.fail(known, unavailable(known.name, err))
		return false
	}
	t.inspect(ctx, known, byNumber(found.Partitions))
	return true
}

// inspect takes over what was found out about a topic that is there.
func (t *topics) inspect(ctx context.Context, known *topic, found []kafka.Partition) {
	s := shape{partitions: found, config: t.describe(ctx, known)}
	for _, text := range t.opts.remarks(s) {
		t.warn(known, text, nil)
	}
	if limit, ok := s.config.number("max.message.bytes"); ok {
		known.limit.Store(limit)
	}
	if !known.good.Load() {
		known.settle(found)
		t.sender.register(known.partitions)
	}
	if text := known.moved(len(found)); text != "" {
		t.warn(known, text, nil)
	}
	for i := range min(len(found), len(known.partitions)) {
		t.sender.lead(known.partitions[i], int32(found[i].Leader.ID))
	}
	t.mu.Lock()
	known.fault = nil
	known.good.Store(true)
	held := known.letGo()
	t.mu.Unlock()
	for _, r := range held {
		t.sender.add(known.partitionOf(r.key), r)
	}
}

// failAll notes that nothing is known of any topic.
func (t *topics) failAll(names []string, err error) {
	for _, name := range names {
		t.fail(t.of(name), err)
	}
}

// fail answers what waits for a topic that cannot be used. One that was good before stays so: publishing tells.
func (t *topics) fail(known *topic, err error) {
	t.mu.Lock()
	known.fault = err
	held := known.letGo()
	t.mu.Unlock()
	for _, r := range held {
		r.done(err)
	}
}

// warn tells a user about a topic, each thing once.
func (t *topics) warn(known *topic, text string, err error) {
	what := text
	if err != nil {
		what += cause(err).Error()
	}
	t.mu.Lock()
	told := known.told[what]
	known.told[what] = true
	t.mu.Unlock()
	if !told {
		t.opts.Log.Warn(text, zap.String("topic", known.name), zap.Error(err))
	}
}

// cause returns what an error was in the first place.
func cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
