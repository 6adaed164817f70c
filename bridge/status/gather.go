package status

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"

	"livebridge/bridge"
)

// Bounds of what is shown.
const (
	maxSessions = 100
	maxEntries  = 10 // of each queue

	freshFor = time.Second // a state is shown again for so long
)

// gatherer gathers states. Many who look at once see the same one.
type gatherer struct {
	cfg     Config
	samples *samples
	events  *Events
	started time.Time

	mu       sync.Mutex
	state    *State
	html     []byte // of state; nil: not made yet
	sessions kept[[]bridge.OpenSession]
	stats    kept[bridge.JournalStats]
	review   kept[[]Entry]
}

// current returns the state, at most freshFor old.
func (g *gatherer) current() *State {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.currentLocked()
}

func (g *gatherer) currentLocked() *State {
	now := g.cfg.Now()
	if g.state == nil || now.Sub(g.state.At) >= freshFor || now.Before(g.state.At) {
		g.state, g.html = g.gather(now.UTC()), nil
	}
	return g.state
}

// page returns what make makes of the current state. It is made once for each state.
func (g *gatherer) page(render func(*State) []byte) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	state := g.currentLocked()
	if g.html == nil {
		g.html = render(state)
	}
	return g.html
}

func (g *gatherer) gather(now time.Time) *State {
	s := &State{At: now, Version: g.cfg.Version, Started: g.started, Port: g.cfg.Connections(),
		Keys: append([]Key{}, g.cfg.Keys()...), Certificates: append([]Certificate{}, g.cfg.Certs()...)}
	b, waits := g.cfg.Broker, g.cfg.Backlog()
	s.Broker = Link{Transport: b.Transport, URL: b.URL, Destination: b.Destination, Connected: b.Connected(),
		Available: b.Available()}
	if topic, known := b.Topic(); known {
		s.Broker.Topic = &topic
	}
	s.Outbox = Outbox{Events: waits.Events, OldestAge: waits.OldestAge.Seconds(), JournalBytes: waits.JournalBytes,
		FreeBytes: waits.FreeBytes}
	if all := g.samples.all(); len(all) > 0 {
		s.Traffic = all[len(all)-1]
	}
	g.addJournal(s)
	g.addSessions(s)
	g.addMetrics(s)
	s.Health = g.judge(s)
	return s
}

// problem notes what could not be read.
func (s *State) problem(what string, err error) {
	if err != nil {
		s.Problems = append(s.Problems, fmt.Sprintf("%s: %v", what, err))
	}
}

// addJournal adds holds, quarantine and dead letters.
func (g *gatherer) addJournal(s *State) {
	stats, err := g.stats.get(g.cfg.Now, g.cfg.Journal.Inspect)
	s.problem("journal", err)
	s.Outbox.JournalMax = stats.MaxBytes
	s.Replica = replicaOf(&stats)
	s.Holds = Holds{Events: stats.Held.Entries, Lanes: stats.LanesHeld}
	s.Review = Review{Quarantine: stats.Quarantine.Entries, DeadLetters: stats.DeadLetters.Entries,
		Reasons: stats.Reasons, Oldest: []Entry{}}
	if s.Review.Reasons == nil {
		s.Review.Reasons = map[string]int{}
	}
	if s.Review.Total() > 0 {
		s.Review.Oldest, err = g.review.get(g.cfg.Now, g.oldestEntries)
		s.problem("quarantine and dead letters", err)
	}
}

// oldestEntries returns some entries of both queues, the oldest first.
func (g *gatherer) oldestEntries() ([]Entry, error) {
	waiting, err := g.entries(bridge.QuarantineQueue, bridge.Query{Limit: maxEntries})
	dead, deadErr := g.entries(bridge.DeadLetterQueue, bridge.Query{Limit: maxEntries})
	all := append(waiting, dead...)
	slices.SortFunc(all, func(a, b Entry) int { return cmp.Compare(a.Number, b.Number) })
	return all, errors.Join(err, deadErr)
}

// entries returns entries of a queue, without what they contain.
func (g *gatherer) entries(queue bridge.ReviewQueue, q bridge.Query) ([]Entry, error) {
	entries, err := g.cfg.Journal.List(queue, q)
	out := make([]Entry, 0, len(entries))
	for _, e := range entries {
		shown := Entry{Queue: queue, Number: e.Number, Reason: e.Reason, Detail: e.Detail, Received: e.Received, Type: e.Type}
		if e.Lane != "" {
			shown.Lane = e.Kind + ":" + e.Lane
		}
		out = append(out, shown)
	}
	return out, err
}

// addSessions adds the open sessions, the latest first.
func (g *gatherer) addSessions(s *State) {
	open, err := g.openSessions()
	s.problem("open sessions", err)
	s.Sessions = Sessions{Total: len(open), Shown: []Session{}}
	lanes := make(map[string]bool)
	for _, o := range open[:min(len(open), maxSessions)] {
		shown := Session{Lane: laneOf(o).String(), Since: instant(o.Session)}
		lanes[shown.Lane] = true
		s.Sessions.Shown = append(s.Sessions.Shown, shown)
	}
	last := g.events.lastOf(lanes)
	for i := range s.Sessions.Shown {
		s.Sessions.Shown[i].Last = last[s.Sessions.Shown[i].Lane]
	}
}

// openSessions returns the open sessions, the latest first.
func (g *gatherer) openSessions() ([]bridge.OpenSession, error) {
	return g.sessions.get(g.cfg.Now, func() ([]bridge.OpenSession, error) {
		open, err := g.cfg.Journal.OpenSessions(context.Background(), "")
		slices.SortStableFunc(open, func(a, b bridge.OpenSession) int { return cmp.Compare(b.Session, a.Session) })
		return open, err
	})
}

func laneOf(o bridge.OpenSession) bridge.Lane {
	return bridge.Lane{Kind: bridge.KindStream, Domain: o.Domain, App: o.App, Stream: o.Stream}
}

// addMetrics adds what only the metrics know.
func (g *gatherer) addMetrics(s *State) {
	last := make(map[string]time.Time)
	families, err := g.cfg.Gatherer.Gather()
	s.problem("metrics", err)
	for _, f := range families {
		if f.GetName() != "livebridge_last_callback_timestamp_seconds" {
			continue
		}
		for _, m := range f.GetMetric() {
			if at := m.GetGauge().GetValue(); at > 0 {
				last[labelOf(m, "kind")] = time.UnixMilli(int64(at * 1000)).UTC()
			}
		}
	}
	for _, k := range bridge.Kinds() {
		s.LastCallbacks = append(s.LastCallbacks, LastCallback{k.String(), last[k.String()]})
	}
}

func labelOf(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// lane returns what is known of one lane; false: its name is not one.
func (g *gatherer) lane(name string) (*Lane, bool) {
	kind, subject, ok := splitLane(name)
	if !ok {
		return nil, false
	}
	l := &Lane{Lane: name, Published: g.events.of(name), Waiting: []Entry{}, History: g.history(kind, subject)}
	g.mu.Lock()
	defer g.mu.Unlock()
	open, _ := g.openSessions() // shown on the page itself
	for _, o := range open {
		if laneOf(o).String() == name {
			l.Open, l.Since = true, instant(o.Session)
		}
	}
	for _, queue := range []bridge.ReviewQueue{bridge.QuarantineQueue, bridge.DeadLetterQueue} {
		entries, _ := g.entries(queue, bridge.Query{Lane: subject, Limit: maxEntries})
		for _, e := range entries {
			if e.Lane == kind+":"+subject {
				l.Waiting = append(l.Waiting, e)
			}
		}
	}
	return l, true
}
