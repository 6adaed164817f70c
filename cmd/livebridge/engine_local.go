package main

import (
	"context"
	"errors"
	"io/fs"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"livebridge/bridge"
	"livebridge/bridge/dispatch"
	"livebridge/bridge/journal"
)

// local is the engine of one machine: the journal decides, and the dispatcher publishes what is in its outbox.
type local struct {
	*journal.Journal
	publisher  publisher
	dispatcher *dispatch.Dispatcher
}

// openLocal opens the journal and the publisher.
func (a *app) openLocal() (*local, error) {
	if err := a.settings.checkQueueEmpty(a.log); err != nil {
		return nil, err
	}
	if err := a.settings.checkMemoryLocal(); err != nil {
		return nil, err
	}
	j, err := a.openJournal()
	if err != nil {
		return nil, err
	}
	p, err := a.transport.open(a.log, a.files.consumers)
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	if reporter, can := p.(bridge.PositionReporter); can && a.settings.JournalKeep > 0 {
		reporter.ReportPositions(j.Outbox().Stored)
	}
	l := &local{Journal: j, publisher: p}
	l.dispatch(a.published.Add, a.spans(), a.log, a.registry)
	return l, nil
}

// dispatch makes the dispatcher.
func (l *local) dispatch(
	published func(*bridge.Event, time.Time), spans bridge.Tracer, log *zap.Logger, r prometheus.Registerer,
) {
	o := dispatch.DefaultOptions()
	o.Backlog, o.Published, o.Tracer = l.Backlog, published, spans
	l.dispatcher = dispatch.New(l.Outbox(), l.publisher, o, log, r)
}

func (a *app) openJournal() (*journal.Journal, error) {
	o := a.settings.journalOptions()
	o.Log, o.Registerer, o.OpenFiles = a.log, a.registry, a.files.journal
	j, err := journal.Open(o)
	if errors.Is(err, journal.ErrVolumeTooSmall) {
		return nil, &usageError{bridge.NewSettingError("MIN_FREE_BYTES", err, "")}
	}
	if err != nil {
		return nil, dataDirError(err)
	}
	a.warnOpenDataDir()
	registerJournalFailed(a.registry, j)
	return j, nil
}

// dataDirError makes an error of the setting of one that says that DATA_DIR cannot be written to.
func dataDirError(err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) ||
		errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EROFS) {
		return &usageError{settingError("DATA_DIR", "set a directory that livebridge may write to", "%w", err)}
	}
	return err
}

// registerJournalFailed registers the metric of a failed journal.
func registerJournalFailed(r prometheus.Registerer, j *journal.Journal) {
	promauto.With(r).NewGaugeFunc(prometheus.GaugeOpts{Name: "livebridge_journal_failed",
		Help: "1 if the journal has failed to write or sync, after which the service exits, otherwise 0."},
		func() float64 {
			if j.Err() != nil {
				return 1
			}
			return 0
		})
}

func (l *local) run(_ context.Context, group *errgroup.Group) {
	group.Go(func() error { l.dispatcher.Run(); return nil })
}

func (l *local) failure() <-chan error            { return failureOf(l.publisher) }
func (l *local) Connected() bool                  { return l.publisher.Connected() }
func (l *local) Available() bool                  { return l.dispatcher.Available() }
func (l *local) Topic() (bridge.TopicState, bool) { return topicOf(l.publisher) }
func (l *local) Reload() error                    { return l.publisher.Reload() }
func (l *local) pending() int                     { return l.Outbox().Pending() }
func (l *local) leads() bool                      { return true }
func (l *local) refuse()                          { l.Stop() }

func (l *local) drain(ctx context.Context, since time.Time) error {
	return l.dispatcher.Drain(ctx, func() bool {
		if since.IsZero() {
			return l.pending() == 0
		}
		return l.Outbox().Drained(since)
	})
}

// finish does not wait for answers of a broker that has not given all of them by now.
func (l *local) finish(end time.Time) (left int) {
	ctx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	if l.pending() > 0 {
		cancel()
	}
	l.dispatcher.Shutdown(ctx)
	return l.pending()
}

func (l *local) close(end time.Time) error {
	return errors.Join(before(end, l.publisher.Close), l.Journal.Close())
}
