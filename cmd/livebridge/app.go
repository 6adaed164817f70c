package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/admin"
	"livebridge/bridge/certificate"
	"livebridge/bridge/dispatch"
	"livebridge/bridge/ingress"
	"livebridge/bridge/journal"
	"livebridge/bridge/keyring"
	"livebridge/bridge/sequencer"
)

// app is the whole service, wired.
type app struct {
	settings *settings
	files    descriptors
	log      *zap.Logger
	registry *prometheus.Registry

	keys        *keyring.Keyring
	journal     *journal.Journal
	publisher   transport
	credentials *credentials // of the publisher
	dispatcher  *dispatch.Dispatcher
	certificate *certificate.Certificate // nil: plain HTTP
	ingress     *ingress.Server
	admin       *admin.Server
	control     *admin.Control // nil: it could not be opened

	callbackListener net.Listener
	adminListener    net.Listener
	stopping         atomic.Bool
}

// start brings everything up but does not take callbacks before run. What was started is stopped again on an error.
func start(s *settings, log *zap.Logger) (*app, error) {
	a := &app{settings: s, log: log, registry: prometheus.NewRegistry()}
	a.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, step := range []func() error{a.shareFiles, a.listen, a.openJournal, a.openControl, a.connect, a.buildDispatcher,
		a.openKeys, a.openCertificate, a.buildIngress} {
		if err := step(); err != nil {
			return nil, errors.Join(err, a.abort())
		}
	}
	a.admin = admin.New(admin.Config{Version: version(), Ready: a.ready, Pending: a.journal.Pending, Gatherer: a.registry,
		MaxConnections: a.files.operators, Log: log})
	return a, nil
}

func (a *app) shareFiles() (err error) {
	a.files, err = a.settings.shareDescriptors(a.log)
	return err
}

func (a *app) listen() (err error) {
	if a.callbackListener, err = net.Listen("tcp", a.settings.Listen); err != nil {
		return &usageError{settingError("LISTEN", "%w", err)}
	}
	if a.adminListener, err = net.Listen("tcp", a.settings.AdminListen); err != nil {
		return &usageError{settingError("ADMIN_LISTEN", "%w", err)}
	}
	if at, ok := a.adminListener.Addr().(*net.TCPAddr); ok && !at.IP.IsLoopback() {
		a.log.Warn("ADMIN_LISTEN is not a loopback address: whoever reaches it reads metrics and status; keep it off the internet",
			zap.Stringer("admin", at))
	}
	return nil
}

func (a *app) openJournal() (err error) {
	o := a.settings.journalOptions()
	o.Log, o.Registerer, o.OpenFiles = a.log, a.registry, a.files.journal
	a.journal, err = journal.Open(o)
	if errors.Is(err, journal.ErrVolumeTooSmall) {
		return &usageError{settingError("MIN_FREE_BYTES", "%w", err)}
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EROFS) {
		return &usageError{settingError("DATA_DIR", "%w; set a directory that the program may write", err)}
	}
	a.warnOpenDataDir()
	return err
}

// warnOpenDataDir warns of a DATA_DIR that others than its user may look into.
func (a *app) warnOpenDataDir() {
	const others = 0o077
	info, err := os.Stat(a.settings.DataDir)
	if err != nil || info.Mode().Perm()&others == 0 {
		return
	}
	a.log.Warn("DATA_DIR is accessible to other users; restrict it (chmod 700) or use a new subdirectory",
		zap.String("path", a.settings.DataDir), zap.Stringer("mode", info.Mode()))
}

// openControl opens the control socket. The service does without it where it cannot be: on a path that is too long, say.
func (a *app) openControl() (err error) {
	if a.control, err = admin.NewControl(a.settings.DataDir, a.journal, a.log); err != nil {
		a.log.Warn("commands on the journal will work only while the service does not run", zap.Error(err))
	}
	return nil
}

// journalOptions are what the settings say about the journal.
func (s *settings) journalOptions() journal.Options {
	o := journal.DefaultOptions(s.DataDir)
	o.Limits = sequencer.Limits{HoldDone: s.HoldDone, HoldNext: s.HoldNext, PerLane: s.HeldPerLane}
	o.HeldMax, o.DedupeWindow, o.DedupeMax, o.LanesCached = s.HeldMax, s.DedupeWindow, uint64(s.DedupeMax), s.LanesCached
	o.MaxBytes, o.MinFreeBytes = uint64(s.JournalMaxBytes), uint64(s.MinFreeBytes)
	o.QuarantineMax, o.QuarantineMaxAge, o.DeadLettersMax = s.QuarantineMax, s.QuarantineMaxAge, s.DeadLettersMax
	o.SignatureReuse, o.PublishQuarantine = s.SignatureReuse == "accept", s.QuarantineTopic != ""
	return o
}

func (a *app) buildDispatcher() (err error) {
	a.dispatcher, err = dispatch.New(a.journal, a.publisher, dispatch.DefaultOptions(), a.log, a.registry)
	return err
}

func (a *app) buildIngress() error {
	c := a.settings.ingressConfig()
	c.MaxConnections = a.files.callbacks
	if a.certificate != nil {
		c.TLS = a.certificate.TLS()
	}
	var err error
	if a.ingress, err = ingress.New(c, a.keys.Ring(), a.journal, a.log, a.registry); err != nil {
		return &usageError{err}
	}
	return nil
}

func (a *app) openCertificate() (err error) {
	s := a.settings
	if s.TLSCertFile == "" {
		return nil
	}
	o := s.certificate()
	o.Log, o.Registerer = a.log, a.registry
	if a.certificate, err = certificate.Open(o); err != nil {
		return &usageError{err}
	}
	return nil
}

func (a *app) openKeys() (err error) {
	o := keyring.Options{Config: a.settings.signatures(), Files: a.settings.keyFiles, Log: a.log, Registerer: a.registry}
	if a.keys, err = keyring.Open(o); err != nil {
		return &usageError{err}
	}
	return nil
}

// watchFiles puts new keys, certificates and credentials in force until the function that it returns is called.
func (a *app) watchFiles() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() { a.keys.Watch(ctx, a.ingress.SetRing) })
	watching.Go(func() { a.credentials.Watch(ctx) })
	if a.certificate != nil {
		watching.Go(func() { a.certificate.Watch(ctx) })
	}
	return func() { cancel(); watching.Wait() }
}

// ready returns nil while callbacks are taken. The broker has no say in it.
func (a *app) ready() error {
	if a.stopping.Load() {
		return bridge.ErrStopping
	}
	return a.journal.Ready()
}

// run takes callbacks until ctx ends or something fails; then it stops in order.
func (a *app) run(ctx context.Context) error {
	dispatching, stopDispatch := context.WithCancel(context.Background())
	defer stopDispatch()
	grace, expire := context.WithCancel(context.Background())
	defer expire()
	defer a.watchFiles()()
	var work sync.WaitGroup
	work.Go(func() { adjustMemoryLimit(dispatching) })
	work.Go(func() { a.dispatcher.Run(dispatching, grace) })
	served := make(chan error, 3)
	go func() { served <- a.ingress.Serve(a.callbackListener) }()
	go func() { served <- a.admin.Serve(a.adminListener) }()
	if a.control != nil {
		go func() { served <- a.control.Serve() }()
	}
	a.log.Info("livebridge takes callbacks", zap.String("version", version()),
		zap.Stringer("listen", a.callbackListener.Addr()), zap.Stringer("admin", a.adminListener.Addr()), zap.String(a.settings.Transport, a.redactedURL()))
	failure := a.await(ctx, served)
	if a.journal.Err() != nil {
		return failure // nothing may be answered or removed any more; the next start recovers
	}
	return errors.Join(failure, a.stop(stopDispatch, expire, &work))
}

// await returns nil when ctx has ended, or what makes it impossible to go on.
func (a *app) await(ctx context.Context, served <-chan error) error {
	select {
	case <-ctx.Done():
		return nil
	case <-a.journal.Failed():
		return fmt.Errorf("the journal has failed: %w", a.journal.Err())
	case err := <-failureOf(a.publisher):
		return fmt.Errorf("the embedded NATS server's disk has failed: %w", err)
	case err := <-served:
		return fmt.Errorf("stopped listening: %w", err)
	}
}

// closeReserve is what of the grace is kept for closing everything.
const closeReserve = 2 * time.Second

// stop ends the service: not ready, still accepting for the delay, then no new connections, requests in hand answered,
// the outbox published until the grace ends, everything on disk.
func (a *app) stop(stopDispatch, expire context.CancelFunc, work *sync.WaitGroup) error {
	a.log.Info("stopping")
	a.stopping.Store(true)
	time.Sleep(a.settings.ShutdownDelay)
	end := time.Now().Add(a.settings.ShutdownGrace)
	graceCtx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	drainCtx, cancelDrain := context.WithDeadline(context.Background(), end.Add(-min(closeReserve, a.settings.ShutdownGrace/2)))
	defer cancelDrain()
	err := a.ingress.Shutdown(drainCtx)
	a.journal.Stop()
	a.drain(drainCtx)
	stopDispatch()
	context.AfterFunc(graceCtx, expire)
	if a.journal.Pending() > 0 {
		expire()
	}
	work.Wait()
	if left := a.journal.Pending(); left > 0 {
		a.log.Warn("events are left for the next start", zap.Int("events", left))
	}
	return errors.Join(ignoreDeadline(err), ignoreDeadline(a.closeControl(graceCtx)), ignoreDeadline(a.publisher.Close(graceCtx)),
		a.journal.Close(), a.admin.Shutdown(graceCtx))
}

// closeControl closes the control socket, before the journal that it speaks of.
func (a *app) closeControl(ctx context.Context) error {
	if a.control == nil {
		return nil
	}
	return a.control.Shutdown(ctx)
}

// drain waits until the outbox is empty or ctx ends.
func (a *app) drain(ctx context.Context) {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for a.journal.Pending() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// ignoreDeadline: the grace is over, which is no failure.
func ignoreDeadline(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// abort closes what start has opened.
func (a *app) abort() error {
	var errs []error
	for _, l := range []net.Listener{a.callbackListener, a.adminListener} {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	if a.publisher != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeReserve)
		defer cancel()
		errs = append(errs, a.publisher.Close(ctx))
	}
	if a.journal != nil {
		errs = append(errs, a.closeControl(context.Background()), a.journal.Close())
	}
	return errors.Join(errs...)
}
