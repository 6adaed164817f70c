package cluster

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"livebridge/bridge"
	"livebridge/bridge/cluster/clustertest"
	"livebridge/bridge/processor"
)

// world is replicas on a broker, of which one at a time takes a step: from one request to the broker to the next. So
// everything that can happen between two requests can be made to happen, and the same again.
type world struct {
	t      *testing.T
	broker *clustertest.Broker
	now    atomic.Int64 // nanoseconds since the world began; the log's clock shows them
	script *script
	limits processor.Options
	taken  int // steps of the script
	all    []*player
	active *player
	log    []string
}

// player is one replica. Between its steps its goroutine waits at the gate.
type player struct {
	w         *world
	broker    *clustertest.Replica
	disk      *vfs.MemFS
	cluster   *Cluster
	clockSkew time.Duration // of its wall clock

	requests chan clustertest.Request
	verdicts chan clustertest.Verdict
	ended    chan error
	cancel   context.CancelFunc

	request *clustertest.Request // at which it waits; nil: it does not own
	idle    int                  // requests in a row that find nothing to read
	err     error                // why the last ownership ended
}

// began is what the log's clock shows when a world begins.
func began() time.Time { return time.UnixMilli(1_700_000_000_000) }

// errCrashed ends an ownership whose goroutine was ended.
var errCrashed = errors.New("crashed")

// limits are those of the tests: few enough of everything to be reached.
func limits() processor.Options {
	return processor.Options{
		Limits:  processor.Limits{HoldDone: 10 * time.Second, HoldNext: 3 * time.Second, PerLane: 3},
		HeldMax: 8, DedupeWindow: time.Hour, DedupeMax: 1000, LanesCached: 4, QuarantineMax: 20, PublishQuarantine: true,
		DeadLettersMax: 1000,
	}
}

// newWorld returns one of two replicas whose clocks show the wrong time, each another one.
func newWorld(t *testing.T, s *script) *world {
	t.Helper()
	return newWorldOf(t, s, limits())
}

func newWorldOf(t *testing.T, s *script, of processor.Options) *world {
	t.Helper()
	w := &world{t: t, script: s, limits: of}
	w.broker = clustertest.New(1, func() bridge.Millis { return bridge.MillisOf(w.wall()) })
	w.broker.ReadMax = 2
	w.broker.Rejects = func(e *bridge.Event) bool { return e.Lane.Stream == tooLarge }
	for _, skew := range []time.Duration{20 * time.Second, -20 * time.Second} {
		w.all = append(w.all, w.newPlayer(skew))
	}
	w.active = w.all[0]
	return w
}

func (w *world) wall() time.Time { return began().Add(time.Duration(w.now.Load())) }

func (w *world) pass(d time.Duration) { w.now.Add(int64(d)) }

func (w *world) newPlayer(skew time.Duration) *player {
	p := &player{w: w, disk: vfs.NewCrashableMem(), clockSkew: skew}
	p.broker = w.broker.Replica(p.gate)
	p.reset()
	return p
}

// reset makes the program of the replica begin anew, on its disk.
func (p *player) reset() {
	opts := DefaultOptions("caches")
	opts.FS, opts.Limits = p.disk, p.w.limits
	opts.Intake, opts.Partitions = p.broker, p.broker
	opts.Clock = func() (time.Duration, time.Time) {
		return time.Duration(p.w.now.Load()) + time.Hour, p.w.wall().Add(p.clockSkew)
	}
	p.cluster = New(opts)
}

// gate waits until the replica may take a step.
func (p *player) gate(ctx context.Context, r clustertest.Request) clustertest.Verdict {
	select {
	case p.requests <- r:
	case <-ctx.Done(): // it fails by that
		return clustertest.Proceed
	}
	select {
	case v := <-p.verdicts:
		return v
	case <-ctx.Done():
		return clustertest.Proceed
	}
}

// start has the replica take the partition, up to its first request.
func (p *player) start() {
	ctx, cancel := context.WithCancel(context.Background())
	p.requests, p.verdicts = make(chan clustertest.Request), make(chan clustertest.Verdict)
	p.ended, p.cancel, p.err = make(chan error, 1), cancel, nil
	go func() {
		err := errCrashed
		defer func() { p.ended <- err }()
		err = p.cluster.own(ctx, ctx, 0, WhyStart)
	}()
	p.await()
}

// await waits for the next request of the replica, or its end.
func (p *player) await() {
	select {
	case r := <-p.requests:
		p.request = &r
		if p.idle++; !r.Idle {
			p.idle = 0
		}
	case p.err = <-p.ended:
		p.request, p.idle = nil, 0
		p.cancel()
	case <-time.After(time.Minute):
		p.w.t.Fatal("a replica neither asks the broker for anything nor ends")
	}
}

// step lets a request have its verdict. A crash leaves of the replica's disk what was synced.
func (p *player) step(v clustertest.Verdict) {
	survives := p.disk
	if v == clustertest.CrashBefore || v == clustertest.CrashAfter {
		survives = p.disk.CrashClone(vfs.CrashCloneCfg{})
	}
	p.verdicts <- v
	p.await()
	if errors.Is(p.err, errCrashed) && p.request == nil && survives != p.disk {
		p.disk = survives
		p.reset()
	}
}

// rests reports whether the replica has nothing to do: it has found nothing to read, and has done what it does then.
func (p *player) rests() bool { return p.idle > 1 }

// stop ends the replica's ownership.
func (p *player) stop() {
	if p.request == nil {
		return
	}
	p.cancel()
	p.request = nil
	p.err = <-p.ended
}
