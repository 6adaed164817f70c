package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"livebridge/bridge"
	"livebridge/bridge/admin"
	"livebridge/bridge/certificate"
	"livebridge/bridge/ingress"
	"livebridge/bridge/keyring"
	"livebridge/bridge/reconcile"
	"livebridge/bridge/status"
	"livebridge/bridge/tracing"
)

// app is the service and everything that it runs.
type app struct {
	settings *settings
	files    descriptors
	log      *zap.Logger
	registry *prometheus.Registry

	keys        *keyring.Keyring
	transport   transport
	credentials *credentials // of the broker
	engine      engine
	certificate *certificate.Certificate // nil: plain HTTP
	ingress     *ingress.Server
	admin       *admin.Server
	control     *admin.Control        // nil: the control socket could not be opened
	reconciler  *reconcile.Reconciler // nil: not configured
	tracer      *tracing.Tracer       // nil: tracing is off

	callbackListener net.Listener
	adminListener    net.Listener
	status           *status.Server
	published        status.Events
	stopping         atomic.Bool
}

// start opens everything but serves no callbacks before run. On an error it closes what it has opened.
func start(s *settings, log *zap.Logger) (*app, error) {
	a := &app{settings: s, log: log, registry: prometheus.NewRegistry(), transport: s.transport()}
	registerBuildInfo(a.registry)
	a.registry.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	s.registerLimits(a.registry)
	for _, step := range []func() error{a.shareFiles, a.listen, a.openTracer, a.openEngine, a.openControl, a.openKeys,
		a.openCertificate, a.buildIngress, a.buildReconciler} {
		if err := step(); err != nil {
			return nil, errors.Join(err, a.abort())
		}
	}
	a.status = a.newStatus()
	a.admin = admin.New(admin.Config{Ready: a.ready, Gatherer: a.registry, Status: a.status,
		MaxConnections: a.files.operators, Log: log})
	return a, nil
}

func (a *app) shareFiles() (err error) {
	a.files, err = a.settings.shareDescriptors(a.log)
	return err
}

func (a *app) listen() (err error) {
	given, err := inheritedSockets()
	if err != nil {
		return &usageError{err}
	}
	a.callbackListener, a.adminListener = given.callbacks, given.admin
	if a.callbackListener == nil {
		if a.callbackListener, err = net.Listen("tcp", a.settings.Listen); err != nil {
			return &usageError{settingError("LISTEN", "use an address of this machine that is free", "%w", err)}
		}
	}
	if a.adminListener == nil {
		if a.adminListener, err = net.Listen("tcp", a.settings.AdminListen); err != nil {
			return &usageError{settingError("ADMIN_LISTEN", "use an address of this machine that is free", "%w", err)}
		}
	}
	if at, ok := a.adminListener.Addr().(*net.TCPAddr); ok && !at.IP.IsLoopback() {
		a.log.Warn("ADMIN_LISTEN is not a loopback address and serves metrics and status without authentication; "+
			"restrict who can reach it", zap.String("setting", prefix+"ADMIN_LISTEN"), zap.Stringer("admin", at))
	}
	return nil
}

// openEngine opens what is behind the port for callbacks.
func (a *app) openEngine() error {
	a.credentials = newCredentials(a.transport.files(), a.log, a.registry)
	open := func() (engine, error) { return a.openLocal() }
	if a.settings.Intake == "broker" {
		open = func() (engine, error) { return a.openReplica() }
	}
	e, err := open()
	if err != nil {
		return err
	}
	a.engine, a.credentials.reload = e, e.Reload
	registerConnected(a.registry, e)
	return nil
}

// warnOpenDataDir warns of a DATA_DIR that other users can access.
func (a *app) warnOpenDataDir() {
	const others = 0o077
	info, err := os.Stat(a.settings.DataDir)
	if err != nil || info.Mode().Perm()&others == 0 {
		return
	}
	a.log.Warn("DATA_DIR is accessible to other users; restrict it (chmod 700) or use a new subdirectory",
		zap.String("path", a.settings.DataDir), zap.Stringer("mode", info.Mode()))
}

// openControl opens the control socket. The service runs without it where that fails, such as on a path that is too
// long.
func (a *app) openControl() (err error) {
	if a.control, err = admin.NewControl(a.settings.DataDir, a.engine, a.log); err != nil {
		a.log.Warn("cannot open the control socket; commands on the journal need the service to be stopped", zap.Error(err))
	}
	return nil
}

func (a *app) buildIngress() error {
	c := a.settings.ingressConfig()
	c.MaxConnections, c.Ready = a.files.callbacks, a.ready
	if a.certificate != nil {
		c.TLS = a.certificate.TLS()
	}
	c.Tracer = a.spans()
	var err error
	if a.ingress, err = ingress.New(c, a.keys.Ring(), a.engine, a.log, a.registry); err != nil {
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

// ready returns nil while callbacks are accepted, whether or not the broker is available.
func (a *app) ready() error {
	if a.stopping.Load() {
		return bridge.ErrStopping
	}
	return a.engine.Ready()
}

// run serves until ctx ends or something fails, and then shuts down in order.
func (a *app) run(ctx context.Context) error {
	alive, end := context.WithCancel(context.WithoutCancel(ctx)) // until the shutdown is complete, or the journal fails
	defer end()
	group, ctx := errgroup.WithContext(ctx)
	a.work(alive, group)
	group.Go(func() error { a.reconcile(ctx); return nil })
	group.Go(func() error { defer end(); return a.awaitJournal(alive) })
	group.Go(func() error { return a.awaitBroker(alive) })
	a.logListening()
	a.notifySystemd(ctx, daemon.SdNotifyReady)
	group.Go(func() error { a.feedSystemdWatchdog(alive); return nil }) // whose messages must not precede that one
	<-ctx.Done()
	a.notifySystemd(alive, daemon.SdNotifyStopping)
	if err := a.engine.Err(); err != nil {
		return fmt.Errorf("journal failed: %w", err) // nothing may be answered or removed any more; the next start recovers
	}
	err := a.stop(alive)
	end()
	return errors.Join(group.Wait(), err)
}

// work starts everything that runs until it is shut down, or until alive ends. What fails ends the service.
func (a *app) work(alive context.Context, group *errgroup.Group) {
	hangups := onHangup() // before anybody is told that the service is ready
	start := func(f func(context.Context)) { group.Go(func() error { f(alive); return nil }) }
	serve := func(f func() error) { group.Go(func() error { return serverError(f()) }) }
	serve(func() error { return a.ingress.Serve(a.callbackListener) })
	serve(func() error { return a.admin.Serve(a.adminListener) })
	if a.control != nil {
		serve(a.control.Serve)
	}
	a.engine.run(alive, group)
	start(followRuntime)
	start(a.status.Run)
	start(func(ctx context.Context) { a.keys.Watch(ctx, a.ingress.SetRing) })
	start(a.credentials.Watch)
	start(func(ctx context.Context) { a.reloadOn(ctx, hangups) })
	if a.certificate != nil {
		start(a.certificate.Watch)
	}
}

// awaitJournal returns nil when alive ends, or the error of the journal.
func (a *app) awaitJournal(alive context.Context) error {
	select {
	case <-alive.Done():
		return nil
	case <-a.engine.Failed():
		return fmt.Errorf("journal failed: %w", a.engine.Err())
	}
}

// awaitBroker returns nil when alive ends, or the error of the embedded server.
func (a *app) awaitBroker(alive context.Context) error {
	select {
	case <-alive.Done():
		return nil
	case err := <-a.engine.failure():
		return fmt.Errorf("store of the embedded NATS server failed: %w", err)
	}
}

// serverError returns why a server has ended by itself; nil: it was shut down.
func serverError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("server failed: %w", err)
}

func (a *app) logListening() {
	callbacks := "accepted"
	if err := a.engine.Ready(); err != nil {
		callbacks = "answered 503: " + err.Error()
	}
	a.log.Info("listening for callbacks", zap.String("callbacks", callbacks), zap.String("version", version()),
		zap.Stringer("listen", a.callbackListener.Addr()), zap.Stringer("admin", a.adminListener.Addr()),
		zap.String(a.transport.name(), a.transport.redactedURL()))
}
