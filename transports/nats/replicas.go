package nats

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/transports/nats/lease"
	"livebridge/transports/nats/partitions"
)

// Replicas share the work of one intake on JetStream. It implements bridge.IntakeLog, bridge.Partitions,
// bridge.BatchLimiter and bridge.RestoreProgress, and Join makes a bridge.Membership.
type Replicas struct {
	opts      Options
	group     string
	count     int // of partitions
	connector *connector
	current   atomic.Pointer[connection]

	streams    []*replicaStream // intake, state, then those that consumers read
	bucket     *replicaStream   // of leases
	alarm      alarm            // about the streams
	fault      atomic.Pointer[error]
	denial     atomic.Pointer[unusableError] // during the check of streams
	denials    bridge.Reminders
	partitions *partitions.Partitions
	leases     atomic.Pointer[lease.Leases] // nil: not joined
	committed  atomic.Bool                  // since the streams were trimmed
	processed  []atomic.Uint64              // by partition, what lies before in the intake is committed; 0: not known
	bundlers   []bundler                    // of the intake, by partition

	mu     sync.Mutex // guards replacing the connection
	closed chan struct{}
	end    sync.Once
}

// connection is one to the servers.
type connection struct {
	conn *nats.Conn
	js   jetstream.JetStream
}

// OpenReplicas makes a replica of the group of this name. It connects, creates the streams that are absent, and checks
// them. It waits for servers and streams until ctx ends, and then returns why they cannot be used.
func OpenReplicas(ctx context.Context, opts Options, group string) (*Replicas, error) {
	r, err := newReplicas(opts, group)
	if err != nil {
		return nil, err
	}
	if err := r.prepare(ctx); err != nil {
		_ = r.Close(ctx)
		return nil, err
	}
	r.processed, r.bundlers = make([]atomic.Uint64, r.count), make([]bundler, r.count)
	for p := range r.bundlers {
		r.bundlers[p].bytes = r.messageBytes
		r.bundlers[p].send = func(ctx context.Context, inputs [][]byte) error { return r.sendInputs(ctx, p, inputs) }
	}
	r.partitions = partitions.New(partitions.Options{
		Connection: r.connection, Log: opts.Log, Intake: r.intakeStream(), State: r.stateStream(), Count: r.count,
		Encode: r.encode, EventsLive: opts.eventsLive(), AckTimeout: opts.AckTimeout,
		BatchMessages: partitions.BatchMessages, BatchBytes: partitions.BatchBytes,
		Committed: r.noteCommit, Fenced: r.fenced,
	})
	go r.watch()
	go r.trim()
	return r, nil
}

// newReplicas makes a replica that begins to connect.
func newReplicas(opts Options, group string) (*Replicas, error) {
	if err := errors.Join(opts.Check(), opts.CheckReplicas(group)); err != nil {
		return nil, err
	}
	r := &Replicas{opts: opts, group: group, closed: make(chan struct{}), alarm: alarm{log: opts.Log}}
	r.streams, r.bucket = r.opts.replicaStreams(), r.opts.bucketOfReplicas(group)
	var err error
	if r.connector, err = newConnector(&r.opts); err != nil {
		return nil, err
	}
	return r, r.connect()
}

// CheckReplicas returns the errors, of settings, that replicas would meet with these options.
func (o *Options) CheckReplicas(group string) error {
	var errs []error
	if o.URL == "" {
		errs = append(errs, settingError("NATS_URL", errors.New("is empty, and INTAKE=broker does not support the embedded "+
			"server: set the servers of a cluster")))
	}
	if group == "" {
		errs = append(errs, settingError("INTAKE_GROUP", errors.New("is empty: set the name of the group of replicas")))
	}
	for setting, name := range map[string]string{"INTAKE_GROUP": group, "NATS_STREAM": o.Stream} {
		if name != "" && !bucketName.MatchString(name) {
			errs = append(errs, settingError(setting, fmt.Errorf("%q cannot be part of the name of a bucket, which "+
				"INTAKE=broker needs: use letters, digits, - and _", name)))
		}
	}
	return errors.Join(errs...)
}

func (r *Replicas) intakeStream() string { return r.opts.Stream + intakeSuffix }
func (r *Replicas) stateStream() string  { return r.opts.Stream + stateSuffix }

// connect makes a connection. It does not wait for a server.
func (r *Replicas) connect() error {
	conn, err := r.connector.connect(r.opts.URL, nats.CustomInboxPrefix(r.opts.inbox()),
		nats.ClosedHandler(func(*nats.Conn) { go r.reopen() }), onDenial(r.denied))
	if err != nil {
		return settingError("NATS_URL", err)
	}
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	r.current.Store(&connection{conn, js})
	return nil
}

// reopen makes another connection, since the client has given the one up for good.
func (r *Replicas) reopen() {
	for {
		select {
		case <-r.closed:
			return
		case <-time.After(reopenAfter):
		}
		if r.reconnect() {
			return
		}
	}
}

func (r *Replicas) reconnect() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.isClosed() {
		return true
	}
	err := r.connect()
	if err != nil {
		r.opts.Log.Warn("cannot reconnect to NATS; retrying", zap.Error(err))
	}
	return err == nil
}

// connection returns the current connection.
func (r *Replicas) connection() (*nats.Conn, jetstream.JetStream) {
	c := r.current.Load()
	return c.conn, c.js
}

// Take implements bridge.Partitions.
func (r *Replicas) Take(ctx context.Context, partition int, from uint64,
	put func([]bridge.Row, uint64) error) (bridge.Partition, error) {
	if !r.leased(partition) {
		return nil, fmt.Errorf("partition %d of %s: its lease is over: %w", partition, r.intakeStream(), bridge.ErrFenced)
	}
	return r.partitions.Take(ctx, partition, from, put)
}

// State implements bridge.Partitions.
func (r *Replicas) State(ctx context.Context, partition int, from uint64, put func([]bridge.Row, uint64) error) error {
	return r.partitions.State(ctx, partition, from, put)
}

// Restored implements bridge.RestoreProgress.
func (r *Replicas) Restored(partition int) float64 { return r.partitions.Restored(partition) }

// BatchInputs implements bridge.BatchLimiter.
func (r *Replicas) BatchInputs() int { return r.partitions.BatchInputs() }

// encode makes the message of an event, which is not pooled: it is kept until its commit has an answer.
func (r *Replicas) encode(e *bridge.Event) partitions.Event {
	d := newMessage()
	d.event(&r.opts, e)
	prefix := r.opts.SubjectPrefix
	if e.Quarantined() {
		prefix = r.opts.Quarantine
	}
	return partitions.Event{Notice: e.Quarantined(), Subject: d.msg.Subject[len(prefix)+1:], Header: d.msg.Header,
		Data: d.msg.Data}
}

func (r *Replicas) fenced(partition int) {
	r.opts.Log.Warn("a partition was taken over by another replica", zap.String("stream", r.intakeStream()),
		zap.Int("partition", partition))
	r.lost()
}

// Reload reads the files of credentials again and reconnects when they have changed.
func (r *Replicas) Reload() error { return r.connector.reload() }

func (r *Replicas) isClosed() bool {
	select {
	case <-r.closed:
		return true
	default:
		return false
	}
}

// Close ends the connections. Partitions are closed and the group is left before.
func (r *Replicas) Close(context.Context) error {
	r.end.Do(func() { close(r.closed) })
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.current.Load(); c != nil {
		c.conn.Close()
	}
	return nil
}
