// Package embedded publishes events to a NATS server in this process, whose store is in DATA_DIR. It runs the server,
// lets consumers in, syncs what the server has acknowledged, and repairs the store after a crash. It is the only
// importer of nats-server.
package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"livebridge/transports/nats"
)

// Publisher publishes to a server of its own. An acknowledgement of that server is not durable until the next
// checkpoint: Publisher implements bridge.Checkpointer.
type Publisher struct {
	*nats.Publisher
	publish   nats.Options
	host      *serverHost
	proxyConn *natsgo.Conn
	store     *store

	mu        sync.Mutex
	state     state          // as it is on disk
	events    *reservation   // of the events' stream
	notices   *reservation   // of the quarantine's stream; nil: notices are not published
	reserving sync.WaitGroup // reservations outside checkpoints
	closed    bool           // there are no further ones
	failed    chan error
	quit      chan struct{}
	watcher   sync.WaitGroup
	closing   sync.Once
}

// Start starts the server and connects to it. Consumers connect on Listen; they may read, but neither publish to our
// subjects nor change our streams. After a crash it repairs the streams first. The error is a *bridge.SettingError, or
// joins several, where settings must be changed.
func Start(opts Options, publish nats.Options) (*Publisher, error) {
	if err := publish.Check(); err != nil {
		return nil, err
	}
	if _, _, err := opts.address(); err != nil {
		return nil, err
	}
	e := &Publisher{
		store: newStore(opts.StoreDir, opts.sync), quit: make(chan struct{}), failed: make(chan error, 1),
		events: &reservation{},
	}
	subjects := []string{publish.SubjectPrefix + ".>"}
	if publish.Quarantine != "" {
		subjects = append(subjects, publish.Quarantine+".*")
		e.notices = &reservation{}
	}
	e.host = newServerHost(opts, subjects, publish.Log)
	if err := e.host.authenticator.load(opts); err != nil {
		return nil, err
	}
	e.publish = inProcess(publish, e.host)
	if err := e.start(); err != nil {
		e.halt()
		return nil, err
	}
	e.watcher.Go(e.watch)
	return e, nil
}

// inProcess returns the options for the server in this process, without those that are for the servers of NATS_URL.
func inProcess(o nats.Options, h *serverHost) nats.Options {
	o.CredsFile, o.NKeyFile, o.Token, o.TokenFile, o.PasswordFile = "", "", "", "", ""
	o.TLSVerify, o.TLSServerName = "", ""
	o.CAFile, o.CertFile, o.KeyFile = "", "", ""
	o.InProcess, o.InboxPrefix = h, inboxPrefix
	o.User, o.Password = bridgeUser, h.authenticator.secret
	return o
}

func (e *Publisher) start() error {
	st, repair, err := e.store.prepare()
	if err != nil {
		return fmt.Errorf("prepare the embedded NATS server's store: %w", err)
	}
	e.state = st
	if err := e.host.run(); err != nil {
		return err
	}
	if err := e.startConsumerProxy(); err != nil {
		return fmt.Errorf("embedded NATS server: %w", err)
	}
	if repair {
		if err := e.repairAndCheckpoint(); err != nil {
			return fmt.Errorf("repair the embedded NATS server's streams after a crash: %w", err)
		}
	}
	last, err := lastSequences(context.Background(), e.proxyConn)
	if err == nil {
		err = e.beginReservations(last)
	}
	if err != nil {
		return fmt.Errorf("reserve sequences of the embedded NATS server's streams: %w", err)
	}
	if err := e.host.listen(); err != nil {
		return err
	}
	e.Publisher, err = nats.Dial(e.publish)
	return err
}

// inboxPrefix is of our reply subjects. It differs from the clients' _INBOX so that nothing which a consumer can have
// delivered to an inbox reaches us.
const inboxPrefix = "_LIVEBRIDGE"

func (e *Publisher) startConsumerProxy() (err error) {
	if e.proxyConn, err = e.connect(); err != nil {
		return err
	}
	return startConsumerProxy(e.proxyConn, e.publish.Log)
}

// connect connects to the server as the bridge, for ever.
func (e *Publisher) connect(further ...natsgo.Option) (*natsgo.Conn, error) {
	return natsgo.Connect("", append([]natsgo.Option{
		natsgo.Name("livebridge"), natsgo.InProcessServer(e.host), natsgo.CustomInboxPrefix(inboxPrefix),
		natsgo.UserInfo(bridgeUser, e.host.authenticator.secret), natsgo.IgnoreAuthErrorAbort(),
		natsgo.MaxReconnects(-1), natsgo.ReconnectWait(reconnectWait), natsgo.ReconnectBufSize(-1),
		natsgo.ErrorHandler(func(_ *natsgo.Conn, _ *natsgo.Subscription, err error) {
			e.publish.Log.Warn("NATS connection error", zap.Error(err))
		}),
	}, further...)...)
}

// reconnectWait is between two attempts to connect, such as while the server restarts.
const reconnectWait = 250 * time.Millisecond

// repairAndCheckpoint repairs the streams and makes the repair durable.
func (e *Publisher) repairAndCheckpoint() error {
	removed, err := e.repair(context.Background(), e.proxyConn, &e.state)
	if err == nil {
		err = errors.Join(e.store.checkpoint(), e.store.writeState(e.state))
	}
	if err != nil || !removed {
		return err
	}
	return e.restartWithoutRemoved()
}

// restartWithoutRemoved restarts the server, which still knows the message IDs of removed messages and would
// acknowledge the same events as duplicates without storing them.
func (e *Publisher) restartWithoutRemoved() error {
	e.proxyConn.Close()
	e.host.stop()
	if err := e.host.run(); err != nil {
		return err
	}
	return e.startConsumerProxy()
}

// ClientURL is where consumers connect.
func (e *Publisher) ClientURL() string { return e.host.url() }

// Reload reads NATS_EMBEDDED_TOKEN_FILE again. New connections must present the token in it; established ones stay.
// When the file cannot be used the previous token stays active.
func (e *Publisher) Reload() error { return e.host.authenticator.load(e.host.opts) }

// Failed delivers the error of a failed sync of acknowledged messages: nothing more can be made durable, and the next
// start publishes again what is not known to be on disk.
func (e *Publisher) Failed() <-chan error { return e.failed }

// Checkpoint implements bridge.Checkpointer: it syncs what the server has written and acknowledged. A failure before
// the sync, such as a lack of space or of file descriptors, has lost nothing and may be retried.
func (e *Publisher) Checkpoint(context.Context) error {
	err := e.store.checkpoint()
	if err == nil {
		err = e.persistState()
	}
	var lost *syncError
	if errors.As(err, &lost) {
		select {
		case e.failed <- err:
		default:
		}
	}
	return err
}

// persistState reserves what is needed until the next checkpoints, and marks the store as checkpointed.
func (e *Publisher) persistState() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	first := e.state.Base == nil
	if first {
		e.state.Base = make(map[string]uint64)
	}
	if err := e.reserve(first); err != nil {
		if first {
			e.state.Base = nil
		}
		return err
	}
	for _, r := range e.reservations() {
		r.checkpointed = r.given.Load()
	}
	return nil
}

// watch restarts the server when it has disabled JetStream, which it does when the disk is full.
func (e *Publisher) watch() {
	ticker := time.NewTicker(cmp.Or(e.host.opts.watch, time.Second))
	defer ticker.Stop()
	for {
		select {
		case <-e.quit:
			return
		case <-ticker.C:
		}
		if e.host.jetStreamEnabled() {
			continue
		}
		e.publish.Log.Warn("embedded NATS server has disabled JetStream; restarting it")
		if err := e.restart(); err != nil {
			e.publish.Log.Error("embedded NATS server cannot be restarted; retrying", zap.Error(err))
		}
	}
}

// restart needs no repair: without a power loss, everything that the server has written is still there.
func (e *Publisher) restart() error {
	e.host.stop()
	if err := e.store.dropIndexes(); err != nil {
		return err
	}
	if err := e.host.run(); err != nil {
		return err
	}
	return e.host.listen()
}

// Close stops publishing, then the server, and syncs its store.
func (e *Publisher) Close(ctx context.Context) (err error) {
	e.closing.Do(func() {
		e.endReservations()
		err = e.Publisher.Close(ctx)
		e.halt()
		if failed := e.store.checkpoint(); failed != nil {
			err = errors.Join(err, failed)
			return
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.state.Clean = true; e.state.Base == nil {
			e.state.Base = make(map[string]uint64)
		}
		err = errors.Join(err, e.store.writeState(e.state))
	})
	return err
}

// halt stops the server and its watcher.
func (e *Publisher) halt() {
	close(e.quit)
	e.watcher.Wait()
	if e.proxyConn != nil {
		e.proxyConn.Close()
	}
	e.host.stop()
}
