package kafka

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/transports/kafka/producer"
)

const (
	checkTimeout   = 5 * time.Second
	checkRetryMin  = 500 * time.Millisecond // initial backoff after a failed check, which doubles
	checkRetryMax  = 4 * time.Second        // its limit
	checkPause     = 100 * time.Millisecond // least time between two checks, however often publishing fails
	parallelChecks = 8                      // topics checked concurrently
	// newTopicGrace is how long a topic that was not found before may lack leaders until its events fail: those of a
	// topic just created are elected within a second.
	newTopicGrace = 5 * time.Second
)

// topics creates and checks topics in the background: when one is first needed, when publishing fails, and
// periodically.
type topics struct {
	opts      *Options
	cluster   *cluster
	producer  *producer.Producer // nil: of a probe
	secondary bool               // the other route logs failures to connect to the brokers
	woken     chan struct{}
	watcher   sync.WaitGroup
	cancel    context.CancelFunc

	mu     sync.Mutex
	byName map[string]*topic
	stale  bool // the metadata must be fetched again
	closed bool // no records are held any more

	connectionLog connectionLog // of the cluster as a whole
	connected     atomic.Bool   // as of the last check
}

func newTopics(o *Options, c *cluster) *topics {
	return &topics{opts: o, cluster: c, woken: make(chan struct{}, 1),
		byName: make(map[string]*topic), connectionLog: connectionLog{opts: o}}
}

// of returns the topic of a name, and checks it from now on.
func (t *topics) of(name string) *topic { return t.as(name, roleEvents) }

// as returns the topic of a name. A new one has this role.
func (t *topics) as(name string, r role) *topic {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.byName[name]
	if known == nil {
		known = &topic{Topic: producer.Topic{Name: name}, role: r}
		t.byName[name] = known
		t.wake()
	}
	return known
}

// requestCheck schedules a check of the topics with fresh metadata.
func (t *topics) requestCheck() {
	t.markStale()
	t.wake()
}

// markStale makes the next check fetch the metadata again.
func (t *topics) markStale() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stale = true
}

func (t *topics) wake() {
	select {
	case t.woken <- struct{}{}:
	default:
	}
}

// await holds a record until its topic is checked, or answers it when the topic is unusable.
func (t *topics) await(of *topic, r producer.Record) {
	t.mu.Lock()
	layout, fault := of.layout.Load(), of.fault.Load()
	if t.closed {
		closed := producer.ErrClosed()
		fault = &closed
	}
	if layout == nil && fault == nil {
		of.addWaiting(r)
	}
	t.mu.Unlock()
	switch {
	case fault != nil:
		r.Done(*fault)
	case layout != nil:
		t.producer.Publish(layout.partitionOf(r.Key), r)
	}
}

// watch checks the topics on wake and periodically, until stop.
func (t *topics) watch() {
	ctx, cancel := context.WithCancel(context.Background())
	t.cancel = cancel
	t.watcher.Go(func() {
		again := checkRetryMin
		for {
			pause := t.opts.checkInterval
			if t.checkOnce(ctx) {
				again = checkRetryMin
			} else {
				pause, again = again, min(2*again, checkRetryMax)
				t.markStale()
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(checkPause):
			}
			select {
			case <-ctx.Done():
				return
			case <-t.woken:
			case <-time.After(pause):
			}
		}
	})
}

// stop ends the checks and answers the held records.
func (t *topics) stop() {
	t.cancel()
	t.watcher.Wait()
	t.mu.Lock()
	t.closed = true
	var held []producer.Record
	for _, known := range t.byName {
		held = append(held, known.takeWaiting()...)
	}
	t.mu.Unlock()
	for _, r := range held {
		r.Done(producer.ErrClosed())
	}
}

// checkOnce checks all topics once. False: check again soon.
func (t *topics) checkOnce(ctx context.Context) bool {
	t.mu.Lock()
	names := slices.Sorted(maps.Keys(t.byName))
	stale := t.stale
	t.stale = false
	t.mu.Unlock()
	if len(names) == 0 && t.secondary {
		return true
	}
	t.cluster.setTopics(names)
	if stale {
		t.cluster.renewForCertain(ctx)
	}
	asking, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	answer, err := t.cluster.Client().Metadata(asking, &kafka.MetadataRequest{Topics: names})
	if err != nil {
		t.connected.Store(false)
		if !t.secondary && ctx.Err() == nil {
			t.connectionLog.failed(asking, err)
		}
		t.failAll(names, bridge.Unavailable("not connected to Kafka: %w", err))
		return false
	}
	if len(names) == 0 {
		t.cluster.close() // nothing is needed of it until the first event names its topic
		t.noteConnected(true)
		return true
	}
	good := t.checkAll(ctx, answer.Topics)
	usable := !slices.ContainsFunc(names, func(name string) bool { return !t.of(name).usable() })
	t.noteConnected(usable || !template(t.opts.Topic).fixed())
	return good
}

// checkAll checks topics concurrently, each with its own timeout, so that a slow one does not delay the others.
func (t *topics) checkAll(ctx context.Context, all []kafka.Topic) bool {
	var bad atomic.Bool
	var work sync.WaitGroup
	slots := make(chan struct{}, parallelChecks)
	for i := range all {
		slots <- struct{}{}
		work.Go(func() {
			defer func() { <-slots }()
			ctx, cancel := context.WithTimeout(ctx, checkTimeout)
			defer cancel()
			if !t.check(ctx, &all[i]) {
				bad.Store(true)
			}
		})
	}
	work.Wait()
	return !bad.Load()
}

// check checks one topic. False: check again soon.
func (t *topics) check(ctx context.Context, found *kafka.Topic) bool {
	known := t.of(found.Name)
	err := found.Error
	if errors.Is(err, kafka.UnknownTopicOrPartition) {
		err = t.create(ctx, known)
		if err == nil {
			t.requestCheck()
			return false
		}
	}
	if err == nil && len(found.Partitions) == 0 {
		err = kafka.LeaderNotAvailable
	}
	if known.settling(found, err) {
		return false
	}
	log := t.opts.Log.With(zap.String("topic", known.Name))
	if err != nil {
		err = unavailable(known.Name, err)
		f := finding{text: "topic unavailable; retrying", err: err, alarm: permanent(err)}
		known.faults.report(log, t.opts.remindInterval, list{f})
		t.fail(known, err)
		return false
	}
	known.faults.report(log, t.opts.remindInterval, nil)
	return t.inspect(ctx, known, byNumber(found.Partitions))
}

// inspect evaluates and applies the state of an existing topic. False: check again soon.
func (t *topics) inspect(ctx context.Context, known *topic, found []kafka.Partition) bool {
	unread := t.describe(ctx, known)
	state := topicState{partitions: found, config: known.config}
	known.state.Store(&bridge.TopicState{Partitions: len(found), Replicas: state.minReplicas(), InSync: state.minInSync()})
	findings := slices.Concat(unread, t.opts.roleFindings(known.role, state))
	layout := t.updateLayout(known, found)
	known.checks++
	t.logLost(known, t.producer.FindGaps(ctx, layout.partitions, known.checks))
	if known.role == roleEvents {
		findings = append(findings, layout.warnPartitions(len(found), t.opts.Partitions)...)
	}
	known.warnings.report(t.opts.Log.With(zap.String("topic", known.Name)), t.opts.remindInterval, findings)
	if i := slices.IndexFunc(findings, func(f finding) bool { return f.alarm }); i >= 0 {
		t.fail(known, bridge.Unavailable("topic %s: %s", known.Name, findings[i].text))
		return false
	}
	t.markUsable(known)
	leaderless := slices.ContainsFunc(found, func(p kafka.Partition) bool { return leaderOf(p) == producer.NoLeader })
	return known.configFailures != 1 && !leaderless
}

// markUsable clears the topic's fault and sends the held records.
func (t *topics) markUsable(known *topic) {
	t.mu.Lock()
	known.fault.Store(nil)
	held := known.takeWaiting()
	t.mu.Unlock()
	layout := known.layout.Load()
	for _, r := range held {
		t.producer.Publish(layout.partitionOf(r.Key), r)
	}
}

// failAll fails the topics that were never found. Publishing to the others shows by itself whether they are available.
func (t *topics) failAll(names []string, err error) {
	for _, name := range names {
		if known := t.of(name); known.layout.Load() == nil {
			t.fail(known, err)
		}
	}
}

// fail marks a topic as unusable and answers the held records.
func (t *topics) fail(known *topic, err error) {
	t.mu.Lock()
	known.fault.Store(&err)
	held := known.takeWaiting()
	t.mu.Unlock()
	for _, r := range held {
		r.Done(err)
	}
}
