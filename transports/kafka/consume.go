package kafka

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"livebridge/transports/kafka/committed"
)

// Start is where a consumer begins.
type Start int

// The starts.
const (
	StartNew Start = iota // records published from now on
	StartAll              // all records of the topics
)

// Record is one record of a topic as a consumer sees it.
type Record struct {
	Topic     string
	Partition int
	Key       string
	Header    map[string]string
	Payload   []byte
}

const (
	consumeRetryPause = 500 * time.Millisecond // after a failure
	discoverInterval  = 2 * time.Second        // how often to check for new topics and partitions
	fetchWait         = time.Second            // for records, if there are none
)

// Consume calls f, never concurrently, for every committed record of the events' topics, in the order of each
// partition, until ctx ends or f returns an error, and returns that. Without a connection at the start it returns why.
// It waits for topics that do not exist yet and for the permission to read, and survives the loss of brokers. Topics
// and partitions that appear later are read from their beginning.
func Consume(ctx context.Context, opts Options, start Start, f func(Record) error) error {
	if err := opts.Check(); err != nil {
		return err
	}
	c, err := newConsumer(ctx, opts, f)
	if err != nil {
		return err
	}
	defer c.close()
	for connected := false; ; {
		err := c.discover(start)
		connected = connected || err == nil || errors.Is(err, kafka.TopicAuthorizationFailed)
		switch {
		case err == nil:
			start = StartAll
		case !connected && c.ctx.Err() == nil:
			return c.opts.connectError(err)
		default:
			c.logOnce(err)
		}
		select {
		case <-c.ctx.Done():
			return context.Cause(c.ctx)
		case <-time.After(discoverInterval):
		}
	}
}

// consumer reads every partition of the topics that a template names.
type consumer struct {
	opts    Options
	cluster *cluster
	ctx     context.Context
	end     context.CancelCauseFunc
	read    map[string]int // number of partitions being read, by topic
	readers sync.WaitGroup

	mu     sync.Mutex
	f      func(Record) error
	logged bool
}

func newConsumer(ctx context.Context, opts Options, f func(Record) error) (*consumer, error) {
	c := &consumer{opts: opts, f: f, read: make(map[string]int)}
	c.ctx, c.end = context.WithCancelCause(ctx)
	var err error
	if c.cluster, err = newCluster(c.ctx, &c.opts); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *consumer) close() {
	c.end(nil)
	c.readers.Wait()
	c.cluster.close()
}

// discover begins to read what is not read yet.
func (c *consumer) discover(start Start) error {
	ctx, cancel := context.WithTimeout(c.ctx, checkTimeout)
	defer cancel()
	if t := template(c.opts.Topic); t.fixed() {
		c.cluster.setTopics([]string{string(t)})
	}
	answer, err := c.cluster.Client().Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		c.cluster.Renew()
		return err
	}
	pattern := template(c.opts.Topic).pattern()
	for _, t := range answer.Topics {
		if errors.Is(t.Error, kafka.TopicAuthorizationFailed) && template(c.opts.Topic).fixed() {
			return t.Error
		}
		if t.Error == nil && !t.Internal && pattern.MatchString(t.Name) && t.Name != c.opts.Quarantine {
			c.begin(t, start)
		}
	}
	return nil
}

func (c *consumer) begin(t kafka.Topic, start Start) {
	for n := c.read[t.Name]; n < len(t.Partitions); n++ {
		r := &committed.Reader{Brokers: c.cluster, Topic: t.Name, Partition: n, Committed: true}
		c.readers.Go(func() { c.run(r, start) })
	}
	c.read[t.Name] = max(c.read[t.Name], len(t.Partitions))
}

// run reads the committed records of one partition.
func (c *consumer) run(r *committed.Reader, start Start) {
	for found := false; c.ctx.Err() == nil; {
		var err error
		if found {
			found, err = c.fetch(r)
		} else if err = c.seek(r, start); err == nil {
			found, start = true, StartAll // where a log has lost what is next, the rest of it is new
		}
		if err == nil || c.ctx.Err() != nil {
			continue
		}
		c.logOnce(err)
		c.cluster.Renew()
		select {
		case <-c.ctx.Done():
		case <-time.After(consumeRetryPause):
		}
	}
}

// seek sets where a reader begins.
func (c *consumer) seek(r *committed.Reader, start Start) (err error) {
	if start == StartNew {
		r.Next, err = committed.End(c.ctx, c.cluster, r.Topic, r.Partition, true)
	} else {
		r.Next, err = committed.Begin(c.ctx, c.cluster, r.Topic, r.Partition)
	}
	return err
}

// fetch delivers the next records. False: the log does not have what is next.
func (c *consumer) fetch(r *committed.Reader) (bool, error) {
	records, err := r.Fetch(c.ctx, fetchWait)
	for i := range records {
		if !c.deliver(r, &records[i]) {
			break
		}
	}
	return !errors.Is(err, committed.ErrOutOfRange), err
}

// deliver reports false when the consumer has ended. It ends it under the lock, after which f is not called again.
func (c *consumer) deliver(from *committed.Reader, m *committed.Record) bool {
	r := Record{Topic: from.Topic, Partition: from.Partition, Key: string(m.Key), Payload: m.Value,
		Header: make(map[string]string, len(m.Headers))}
	for _, h := range m.Headers {
		r.Header[h.Key] = string(h.Value)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		return false
	}
	c.logged = false
	err := c.f(r)
	if err != nil {
		c.end(err)
	}
	return err == nil
}

// logOnce logs an interruption once, until a record is read again.
func (c *consumer) logOnce(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.logged || c.ctx.Err() != nil:
		return
	case errors.Is(err, kafka.TopicAuthorizationFailed):
		c.opts.Log.Warn("KAFKA_USER is not permitted to read the topics; allow READ (which includes DESCRIBE)",
			zap.Error(err))
	default:
		c.opts.Log.Warn("topics interrupted; consuming resumes when the brokers respond", zap.Error(err))
	}
	c.logged = true
}

// Remove deletes the topics of events and of the quarantine. The demo does that with its own.
func Remove(ctx context.Context, opts Options) error {
	c, err := newCluster(ctx, &opts)
	if err != nil {
		return err
	}
	defer c.close()
	names := slices.DeleteFunc([]string{opts.Topic, opts.Quarantine}, func(name string) bool {
		return name == "" || !template(name).fixed()
	})
	answer, err := c.Client().DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: names})
	if err != nil {
		return err
	}
	var errs []error
	for _, err := range answer.Errors {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
