package main

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/checker"
	"livebridge/bridge/simulator"
	"livebridge/transports/transporttest"
)

// simulatedLoad is the simulated provider at work beside a test, with every kind of callback and everything that goes
// wrong, and what the test needs to judge what came of it.
type simulatedLoad struct {
	settings []string // of the programs that receive its callbacks, one after the other
	config   simulator.Config
	accepted atomic.Int64

	sent   []checker.Sent
	report simulator.Report
	err    error
	work   sync.WaitGroup
	stop   context.CancelFunc
}

// newLoad makes a load on an address of its own, which outlives every program.
func newLoad(t *testing.T) *simulatedLoad {
	t.Helper()
	address := transporttest.FreeAddress(t)
	l := &simulatedLoad{settings: append(allKeys("HMACSHA256"), prefix+"LISTEN="+address),
		config: simulator.DefaultConfig()}
	l.config.URL, l.config.Kinds, l.config.Duration, l.config.Streams = "http://"+address, bridge.Kinds(), 0, 200
	l.config.Keys = simulator.Keys{Stream: demoKey, Record: demoKey, RTC: demoKey, SnapshotToken: "token",
		RecordScheme: bridge.SchemeHMAC}
	l.config.Sent = func(s simulator.Sent) error {
		l.sent = append(l.sent, logged(s, uint64(len(l.sent))))
		if s.Status == 200 {
			l.accepted.Add(1)
		}
		return nil
	}
	return l
}

// hostPort splits an address.
func hostPort(t testing.TB, address string) (host string, port int) {
	t.Helper()
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return at.Addr().String(), int(at.Port())
}

// begin sends count callbacks at a rate a second; 0: until end is called.
func (l *simulatedLoad) begin(t *testing.T, rate float64, count int) {
	l.config.Rate, l.config.Count = rate, count
	var ctx context.Context
	ctx, l.stop = context.WithCancel(t.Context())
	l.work.Go(func() { l.report, l.err = simulator.Run(ctx, l.config) })
}

// await waits until that many callbacks have been answered 200.
func (l *simulatedLoad) await(t *testing.T, n int64) {
	t.Helper()
	until(t, "enough callbacks are answered 200", func() bool { return l.accepted.Load() >= n })
}

// end waits until all is sent.
func (l *simulatedLoad) end(t *testing.T) {
	t.Helper()
	if l.work.Wait(); l.err != nil {
		t.Fatal(l.err)
	}
}

// judge has the checker compare all that was sent with all that came out of the program.
func (l *simulatedLoad) judge(t *testing.T, p *program) {
	t.Helper()
	c := checker.New(checker.Config{HoldDone: testHold, HoldNext: testHold})
	for _, s := range l.sent {
		c.Sent(s)
	}
	for _, line := range p.published(t, l.sent) {
		e, err := checker.ParseEvent([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		c.Published(e)
	}
	if r := c.Report(); !r.OK() {
		t.Errorf("%s", saveSent(t, l.sent, r))
	}
}

// unlessShort returns how often a test does something: all of it, or a few times if the tests shall be short.
func unlessShort(all, few int) int {
	if testing.Short() {
		return few
	}
	return all
}
