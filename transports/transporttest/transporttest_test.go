package transporttest

import (
	"context"
	"sync"
	"testing"
	"time"

	"livebridge/bridge"
)

// memory is a broker without a network: the simplest publisher that keeps the contract.
type memory struct {
	binary             bool
	mu                 sync.Mutex
	away, closed       bool
	events, quarantine []Record
	underWay           sync.WaitGroup
}

const memoryLimit = 1 << 20

func (m *memory) Publish(e *bridge.Event, done func(error)) {
	r := Record{Key: keyOf(e), Headers: map[string]string{"content-type": bridge.ContentTypeStructured},
		Payload: e.AppendStructured(nil)}
	if m.binary {
		r.Payload, r.Headers["content-type"] = e.Data, bridge.ContentTypeData
		for name, value := range e.Attributes() {
			r.Headers["x_"+name] = string(value)
		}
	}
	if t := e.Trace; t != nil {
		r.Headers[bridge.HeaderTraceParent] = t.Parent()
		if t.State != "" {
			r.Headers[bridge.HeaderTraceState] = t.State
		}
	}
	m.underWay.Go(func() { done(m.store(e, r)) })
}

func keyOf(e *bridge.Event) string { return e.Lane.Kind.String() + ":" + e.PartitionKey() }

func (m *memory) store(e *bridge.Event, r Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.away || m.closed:
		return bridge.Unavailable("away")
	case len(r.Payload) > memoryLimit:
		return bridge.Rejected(bridge.RejectionRefused, "too large")
	case e.Quarantined():
		m.quarantine = append(m.quarantine, r)
	default:
		m.events = append(m.events, r)
	}
	return nil
}

func (m *memory) Close(context.Context) error {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.underWay.Wait()
	return nil
}

func (m *memory) set(away bool) func(*testing.T) {
	return func(*testing.T) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.away = away
	}
}

func TestSuitePassesWithMemoryBroker(t *testing.T) {
	t.Parallel()
	open := func(_ *testing.T, binary bool) *Topic {
		m := &memory{binary: binary}
		return &Topic{
			Publisher: m, Stop: m.set(true), Start: m.set(false),
			Events:     func(*testing.T) []Record { m.mu.Lock(); defer m.mu.Unlock(); return m.events },
			Quarantine: func(*testing.T) []Record { m.mu.Lock(); defer m.mu.Unlock(); return m.quarantine },
		}
	}
	Run(t, Harness{
		Open: open, Patient: func(t *testing.T) *Topic { return open(t, false) },
		Fits: memoryLimit - 1024, TooLarge: memoryLimit, Key: keyOf, HeaderPrefix: "x_",
		HeaderValue: func(s string) string { return s }, Away: time.Second,
	})
}
