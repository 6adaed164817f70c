package nats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

// EmbeddedOptions configure the server in this process.
type EmbeddedOptions struct {
	StoreDir string // created with mode 0700 if absent
	Listen   string // host:port for consumers; port 0 picks a free one
	Token    string // that consumers must present; required when Listen is not loopback

	TokenFile    string                            // instead of Token
	ReadFile     func(path string) ([]byte, error) // reads it; nil: os.ReadFile
	MaxConsumers int                               // concurrent connections of consumers; 0: the server's own limit

	watch time.Duration           // how often the server is checked; 0: every second
	sync  func(path string) error // makes a file or a directory durable; nil: syncPath
}

// StoreDir returns the directory of the embedded server's store within a data directory.
func StoreDir(dataDir string) string { return filepath.Join(dataDir, "nats") }

// address returns the host and port to listen on.
func (o EmbeddedOptions) address() (host string, port int, err error) {
	host, text, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return "", 0, settingError("NATS_EMBEDDED_LISTEN", fmt.Errorf("%w: use host:port, such as 127.0.0.1:4222", err))
	}
	port, err = strconv.Atoi(text)
	if err != nil || port < 0 || port > 65535 {
		return "", 0, settingError("NATS_EMBEDDED_LISTEN", fmt.Errorf("%q is not a port number: use 0 to 65535", text))
	}
	if ip := net.ParseIP(host); o.Token+o.TokenFile == "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", 0, settingError("NATS_EMBEDDED_TOKEN",
			fmt.Errorf("is empty and NATS_EMBEDDED_LISTEN %s can be reached from other machines: "+
				"set a token, or listen on 127.0.0.1", o.Listen))
	}
	return host, port, nil
}

// Embedded is a Publisher with its own server. An acknowledgement of that server is not durable until the next
// checkpoint: Embedded implements bridge.Checkpointer.
type Embedded struct {
	*Publisher
	publish   Options
	host      *serverHost
	proxyConn *nats.Conn
	store     *store

	mu             sync.Mutex
	state          state
	statePersisted bool // state.json exists
	failed         chan error
	quit           chan struct{}
	watcher        sync.WaitGroup
	closing        sync.Once
}

// StartEmbedded starts the server and connects to it. Consumers connect on Listen; they may read, but neither publish
// to our subjects nor change our streams. After a crash it repairs the streams first. The error is a *bridge.SettingError, or
// joins several, where settings must be changed.
func StartEmbedded(opts EmbeddedOptions, publish Options) (*Embedded, error) {
	if err := publish.Check(); err != nil {
		return nil, err
	}
	if _, _, err := opts.address(); err != nil {
		return nil, err
	}
	subjects := []string{publish.SubjectPrefix + ".>"}
	if publish.Quarantine != "" {
		subjects = append(subjects, publish.Quarantine+".*")
	}
	e := &Embedded{
		store: newStore(opts.StoreDir, opts.sync), quit: make(chan struct{}), failed: make(chan error, 1),
		host: newServerHost(opts, subjects, publish.Log),
	}
	publish.CredsFile, publish.NKeyFile, publish.Token, publish.TokenFile, publish.PasswordFile = "", "", "", "", ""
	publish.TLSVerify, publish.TLSServerName = "", ""
	publish.CAFile, publish.CertFile, publish.KeyFile = "", "", "" // these are for the servers of NATS_URL
	publish.inProcess, publish.User, publish.Password = e.host, bridgeUser, e.host.authenticator.secret
	if err := e.host.authenticator.load(opts); err != nil {
		return nil, err
	}
	e.publish = publish
	if err := e.start(); err != nil {
		e.halt()
		return nil, err
	}
	e.watcher.Go(e.watch)
	return e, nil
}

func (e *Embedded) start() error {
	st, repair, err := e.store.prepare()
	if err != nil {
		return fmt.Errorf("prepare the embedded NATS server's store: %w", err)
	}
	e.state, e.statePersisted = st, st.Base != nil
	if e.state.Base == nil {
		e.state.Base = make(map[string]uint64)
	}
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
	if err := e.host.listen(); err != nil {
		return err
	}
	e.Publisher, err = Dial(e.publish)
	return err
}

func (e *Embedded) startConsumerProxy() error {
	l, err := newConnector(&e.publish)
	if err != nil {
		return err
	}
	if e.proxyConn, err = l.connect("",
		nats.CustomInboxPrefix(e.publish.inbox()), nats.RetryOnFailedConnect(false)); err != nil {
		return err
	}
	return startConsumerProxy(e.proxyConn, e.publish.Log)
}

// repairAndCheckpoint repairs the streams and makes the repair durable.
func (e *Embedded) repairAndCheckpoint() error {
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
func (e *Embedded) restartWithoutRemoved() error {
	e.proxyConn.Close()
	e.host.stop()
	if err := e.host.run(); err != nil {
		return err
	}
	return e.startConsumerProxy()
}

// ClientURL is where consumers connect.
func (e *Embedded) ClientURL() string { return e.host.url() }

// Reload reads NATS_EMBEDDED_TOKEN_FILE again. New connections must present the token in it; established ones stay.
// When the file cannot be used the previous token stays active.
func (e *Embedded) Reload() error { return e.host.authenticator.load(e.host.opts) }

// Failed delivers the error of a failed sync of acknowledged messages: nothing more can be made durable, and the next
// start publishes again what is not known to be on disk.
func (e *Embedded) Failed() <-chan error { return e.failed }

// Checkpoint implements bridge.Checkpointer: it syncs what the server has written and acknowledged. A failure before
// the sync, such as a lack of space or of file descriptors, has lost nothing and may be retried.
func (e *Embedded) Checkpoint(context.Context) error {
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

// persistState writes state.json once there is a checkpoint to recover from.
func (e *Embedded) persistState() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.statePersisted {
		return nil
	}
	err := e.store.writeState(e.state)
	e.statePersisted = err == nil
	return err
}

// watch restarts the server when it has disabled JetStream, which it does when the disk is full.
func (e *Embedded) watch() {
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
func (e *Embedded) restart() error {
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
func (e *Embedded) Close(ctx context.Context) (err error) {
	e.closing.Do(func() {
		err = e.Publisher.Close(ctx)
		e.halt()
		if failed := e.store.checkpoint(); failed != nil {
			err = errors.Join(err, failed)
			return
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		e.state.Clean = true
		err = errors.Join(err, e.store.writeState(e.state))
	})
	return err
}

// halt stops the server and its watcher.
func (e *Embedded) halt() {
	close(e.quit)
	e.watcher.Wait()
	if e.proxyConn != nil {
		e.proxyConn.Close()
	}
	e.host.stop()
}
