package transporttest

import (
	"sync"
	"testing"

	"livebridge/bridge"
)

// Positions are where a publisher said that it has stored events.
type Positions struct {
	mu sync.Mutex
	of map[string]bridge.Position // by DedupeID
}

// ReportPositions collects where a publisher stores events. It must be called before the first is published.
func ReportPositions(t testing.TB, p bridge.Publisher) *Positions {
	t.Helper()
	reporter, can := p.(bridge.PositionReporter)
	if !can {
		t.Fatalf("%T does not report positions", p)
	}
	all := &Positions{of: make(map[string]bridge.Position)}
	reporter.ReportPositions(func(e *bridge.Event, at bridge.Position) {
		all.mu.Lock()
		defer all.mu.Unlock()
		all.of[e.DedupeID()] = at
	})
	return all
}

// Of returns the position of an event; zero: none was reported.
func (p *Positions) Of(e *bridge.Event) bridge.Position {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.of[e.DedupeID()]
}
