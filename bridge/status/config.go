package status

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
)

// Journal is what the page reads of the journal.
type Journal interface {
	bridge.SessionLister
	Inspect() (bridge.JournalStats, error)
	List(q bridge.ReviewQueue, of bridge.Query) ([]bridge.Entry, error)
	bridge.Historian
}

// Broker is where events are published.
type Broker struct {
	Transport   string                           // nats or kafka
	URL         string                           // without credentials
	Destination string                           // the stream or topic, in words
	Connected   func() bool                      // it responds, and the stream or topic is usable
	Available   func() bool                      // publishing does not fail for all lanes
	Topic       func() (bridge.TopicState, bool) // at the last check; false: not known
}

// Config is where the page finds what it shows. Functions may be called at any time, by several goroutines.
type Config struct {
	Version     string
	Ready       func() error // why callbacks are not accepted; nil: they are
	Journal     Journal
	Backlog     func() bridge.Backlog
	Broker      Broker
	Keys        func() []Key
	Certs       func() []Certificate
	Settings    []Setting
	Refusals    func() []Refusal // the latest, newest first
	Connections func() Usage     // of the callback port
	Gatherer    prometheus.Gatherer

	MaxWatchers int              // pages that update themselves at once; 0: 16
	Refresh     time.Duration    // interval of their updates; 0: 2 s
	Now         func() time.Time // nil: time.Now
}

// The defaults of Config.
const (
	defaultWatchers = 16
	defaultRefresh  = 2 * time.Second
)

func (c Config) withDefaults() Config {
	c.MaxWatchers = cmp.Or(c.MaxWatchers, defaultWatchers)
	c.Refresh = cmp.Or(c.Refresh, defaultRefresh)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Ready == nil {
		c.Ready = func() error { return nil }
	}
	if c.Backlog == nil {
		c.Backlog = func() bridge.Backlog { return bridge.Backlog{} }
	}
	if c.Journal == nil {
		c.Journal = noJournal{}
	}
	if c.Keys == nil {
		c.Keys = func() []Key { return nil }
	}
	if c.Certs == nil {
		c.Certs = func() []Certificate { return nil }
	}
	if c.Refusals == nil {
		c.Refusals = func() []Refusal { return nil }
	}
	if c.Connections == nil {
		c.Connections = func() Usage { return Usage{} }
	}
	c.Broker = c.Broker.withDefaults()
	return c
}

func (b Broker) withDefaults() Broker {
	if b.Connected == nil {
		b.Connected = func() bool { return false }
	}
	if b.Available == nil {
		b.Available = func() bool { return true }
	}
	if b.Topic == nil {
		b.Topic = func() (bridge.TopicState, bool) { return bridge.TopicState{}, false }
	}
	return b
}

// noJournal is the Journal of a Config that has none.
type noJournal struct{}

var errNoJournal = errors.New("no journal is open")

func (noJournal) OpenSessions(context.Context, string) ([]bridge.OpenSession, error) {
	return nil, errNoJournal
}
func (noJournal) Inspect() (bridge.JournalStats, error) { return bridge.JournalStats{}, errNoJournal }
func (noJournal) List(bridge.ReviewQueue, bridge.Query) ([]bridge.Entry, error) {
	return nil, errNoJournal
}
func (noJournal) History(bridge.HistoryQuery) (bridge.HistoryPage, error) {
	return bridge.HistoryPage{}, errNoJournal
}
func (noJournal) Unpublished(bridge.HistoryQuery) (bridge.HistoryPage, error) {
	return bridge.HistoryPage{}, errNoJournal
}
