package reconcile

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/provider"
)

// Online lists the streams of a domain that are online at the provider. provider.Client implements it.
type Online interface {
	Online(ctx context.Context, domain, app string) ([]provider.Stream, error)
}

// Options configure a Reconciler.
type Options struct {
	Interval time.Duration // between two rounds; after failed ones up to backoffMax times as long
	Grace    time.Duration // how long a difference must last
	Domains  []string      // that are compared, in lower case

	// Active reports whether to compare: of many replicas one at a time does. While it does not, nothing is asked, and
	// no difference is known of; nil: always.
	Active func() bool

	Ignore func(stream string) bool // streams that have no events; nil: none
	Now    func() time.Time         // nil: time.Now

	Sessions bridge.SessionLister
	Online   Online

	// Publish makes an event of a difference. After an error it gets the same one in the next round; nil: no events.
	Publish func(context.Context, Difference) error

	Log        *zap.Logger           // nil: none
	Registerer prometheus.Registerer // nil: no metrics
}

// backoffMax is how many times longer the interval becomes at most while rounds fail.
const backoffMax = 16

// Reconciler compares in rounds. Whatever fails is logged and tried again in a later round; nothing else depends on it.
type Reconciler struct {
	opts     Options
	log      *zap.Logger
	metrics  *metrics
	tracker  Tracker
	reported map[seen]bool // the differences of the last round; true: published
	failures int           // rounds in a row
}

// New makes a Reconciler and registers its metrics.
func New(o Options) *Reconciler {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	return &Reconciler{opts: o, log: o.Log, metrics: newMetrics(o.Registerer), reported: make(map[seen]bool)}
}

// Run compares after each interval until ctx ends.
func (r *Reconciler) Run(ctx context.Context) {
	timer := time.NewTimer(r.opts.Interval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		r.round(ctx)
		timer.Reset(r.delay())
	}
}

// delay is the time until the next round: doubled for each failed one.
func (r *Reconciler) delay() time.Duration {
	d, longest := r.opts.Interval, backoffMax*r.opts.Interval
	for range r.failures {
		d = min(2*d, longest)
	}
	return d
}

// forget begins anew: what differs now is found by another replica.
func (r *Reconciler) forget() {
	r.tracker, r.reported, r.failures = Tracker{}, make(map[seen]bool), 0
	r.metrics.set(nil)
}

// round takes both lists and reports what differs.
func (r *Reconciler) round(ctx context.Context) {
	if r.opts.Active != nil && !r.opts.Active() {
		r.forget()
		return
	}
	s, err := Take(ctx, r.opts.Online, r.opts.Sessions, r.opts.Domains, r.opts.Ignore)
	if ctx.Err() != nil {
		return
	}
	r.result(err)
	if len(s.Domains) == 0 {
		return
	}
	s.Now = r.opts.Now()
	all := r.tracker.Compare(s, r.opts.Grace)
	r.metrics.set(all)
	reported := r.kept(s.Domains)
	var added []Difference
	for _, d := range all {
		key := seen{d.Problem, d.Stream, d.Begun.UnixMilli()}
		published, known := r.reported[key]
		if !known {
			added = append(added, d)
		}
		reported[key] = published || r.publish(ctx, d)
	}
	r.reported = reported
	r.report(added)
}

// publish makes an event of a difference and reports whether that is done.
func (r *Reconciler) publish(ctx context.Context, d Difference) bool {
	if r.opts.Publish == nil {
		return true
	}
	err := r.opts.Publish(ctx, d)
	if err != nil && ctx.Err() == nil {
		r.log.Warn("session event not published; it is retried", zap.String("domain", d.Domain), zap.String("app", d.App),
			zap.String("stream", d.Name), zap.Error(err))
	}
	return err == nil
}

// kept returns what was reported of the other domains: it may still be so.
func (r *Reconciler) kept(domains []string) map[seen]bool {
	listed, kept := make(map[string]bool), make(map[seen]bool)
	for _, domain := range domains {
		listed[domain] = true
	}
	for key, published := range r.reported {
		if !listed[key.stream.Domain] {
			kept[key] = published
		}
	}
	return kept
}

// result counts a round, and logs the first failure in a row and the end of it.
func (r *Reconciler) result(err error) {
	switch {
	case err != nil:
		if r.failures == 0 {
			r.log.Warn("reconciliation failed; it is retried, and nothing else depends on it", zap.Error(err))
		}
		r.failures++
		r.metrics.failed.Inc()
		return
	case r.failures > 0:
		r.log.Info("reconciliation succeeded again", zap.Int("failed", r.failures))
	}
	r.failures = 0
	r.metrics.succeeded.Inc()
	r.metrics.last.Set(float64(r.opts.Now().UnixMilli()) / 1000)
}

// linesPerRound bounds the log of one round.
const linesPerRound = 20

// report logs and counts new differences.
func (r *Reconciler) report(added []Difference) {
	for i, d := range added {
		r.metrics.found.WithLabelValues(string(d.Problem)).Inc()
		if i == linesPerRound {
			r.log.Warn("more streams differ from the provider's list; see livebridge callbacks reconcile",
				zap.Int("streams", len(added)-i))
		}
		if i < linesPerRound {
			r.log.Warn(message(d.Problem), zap.String("domain", d.Domain), zap.String("app", d.App),
				zap.String("stream", d.Name), zap.Time("begun", d.Begun), zap.Time("since", d.Since))
		}
	}
}

func message(p Problem) string {
	if p == Missed {
		return "stream is online without an open session: its PUBLISH callback has not arrived"
	}
	return "session is open and its stream is offline: its PUBLISH_DONE callback has not arrived"
}

// Take takes both lists. Domains that cannot be listed are left out of the snapshot, and the error says why. After a
// failure that another request would have too, it asks for no more.
func Take(ctx context.Context, online Online, sessions bridge.SessionLister, domains []string,
	ignore func(stream string) bool,
) (s Snapshot, err error) {
	for _, domain := range domains {
		streams, problem := online.Online(ctx, domain, "")
		if problem != nil {
			err = errors.Join(err, problem)
			var of *provider.Error
			if !errors.As(problem, &of) || of.Temporary {
				return s, err
			}
			continue
		}
		open, problem := sessions.OpenSessions(ctx, domain)
		if problem != nil {
			return s, errors.Join(err, problem)
		}
		s.add(domain, streams, open, ignore)
	}
	return s, err
}

// add adds a domain with its online streams and open sessions, but those to ignore.
func (s *Snapshot) add(
	domain string, online []provider.Stream, open []bridge.OpenSession, ignore func(stream string) bool,
) {
	keep := func(b Begun) bool { return ignore == nil || !ignore(b.Name) }
	s.Domains = append(s.Domains, domain)
	for _, o := range online {
		b := Begun{Stream{strings.ToLower(o.Domain), o.App, o.Name}, o.Started}
		if b.Domain == "" {
			b.Domain = domain
		}
		if keep(b) {
			s.Online = append(s.Online, b)
		}
	}
	for _, o := range open {
		if b := (Begun{Stream{o.Domain, o.App, o.Stream}, time.UnixMilli(int64(o.Session))}); keep(b) {
			s.Open = append(s.Open, b)
		}
	}
}
