package journal

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
)

// observed is a journal seen from outside alone: what it answers, lists, hands out and counts. It lives in a synctest
// bubble and is closed at the end of the test.
type observed struct {
	*Journal
	t       *testing.T
	o       Options
	metrics *prometheus.Registry
	first   map[bridge.Lane]uint64 // the first sequence that was seen of each lane
}

func observe(t *testing.T, o Options) *observed {
	t.Helper()
	s := &observed{t: t, o: o, first: make(map[bridge.Lane]uint64)}
	s.start()
	t.Cleanup(func() {
		if s.Journal != nil {
			closeJournal(t, s.Journal)
		}
	})
	return s
}

func (s *observed) start() {
	s.t.Helper()
	s.metrics = prometheus.NewRegistry()
	s.o.Registerer = s.metrics
	var err error
	if s.Journal, err = Open(s.o); err != nil {
		s.t.Fatal(err)
	}
	synctest.Wait()
}

// restart closes the journal and opens it on the same disk, with s.o as it is by now; everything counted begins anew.
func (s *observed) restart() {
	s.t.Helper()
	closeJournal(s.t, s.Journal)
	s.Journal = nil
	s.start()
}

// take appends callbacks, all of which must be taken.
func (s *observed) take(arrivals ...*bridge.Arrival) {
	s.t.Helper()
	add(s.t, s.Journal, arrivals...)
	synctest.Wait()
}

// out acknowledges and trims everything that waits in the outbox, and returns it in the order of Next.
func (s *observed) out() (all []*bridge.Event) {
	s.t.Helper()
	synctest.Wait()
	ctx, cancel := untilFailed(s.t, s.Journal)
	defer cancel()
	for s.outbox.Pending() > 0 {
		events, err := s.outbox.Next(ctx)
		if err != nil {
			s.t.Fatalf("%d events are pending and none comes: %v", s.outbox.Pending(), err)
		}
		for _, e := range events {
			s.outbox.Settle(e, bridge.Settlement{})
		}
		all = append(all, events...)
	}
	trim(s.t, s.Journal)
	return all
}

// lines returns what waits in the outbox as lines "stream sequence type marks". The first sequence of a lane counts as
// 1.
func (s *observed) lines() (lines []string) {
	s.t.Helper()
	for _, e := range s.out() {
		lines = append(lines, s.line(e))
	}
	return lines
}

func (s *observed) line(e *bridge.Event) string {
	if s.first[e.Lane] == 0 {
		s.first[e.Lane] = e.Sequence
	}
	return fmt.Sprintf(
		"%s %d %s %s",
		e.Lane.Stream,
		e.Sequence-s.first[e.Lane]+1,
		e.Type[strings.LastIndex(e.Type, ".")+1:],
		e.Marks,
	)
}

// wants fails unless exactly these lines come out of the outbox, in this order.
func (s *observed) wants(when string, want ...string) {
	s.t.Helper()
	if got := s.lines(); !slices.Equal(got, want) {
		s.t.Errorf("%s: got %q, want %q", when, got, want)
	}
}

// all lists a review queue, page by page.
func (s *observed) all(queue bridge.ReviewQueue) (all []bridge.Entry) {
	s.t.Helper()
	for q := (bridge.Query{}); ; {
		page := list(s.t, s.Journal, queue, q)
		all = append(all, page...)
		if len(page) < bridge.PageMax {
			return all
		}
		q.After = page[len(page)-1].Number
	}
}

// streams returns the streams of what lies on a review queue, in its order.
func (s *observed) streams(queue bridge.ReviewQueue) string {
	s.t.Helper()
	var names []string
	for _, e := range s.all(queue) {
		names = append(names, e.Lane[strings.LastIndex(e.Lane, "/")+1:])
	}
	return strings.Join(names, " ")
}

// keeps fails unless exactly these streams lie on a review queue, and everything that counts them says so.
func (s *observed) keeps(when string, queue bridge.ReviewQueue, want string) {
	s.t.Helper()
	if got := s.streams(queue); got != want {
		s.t.Errorf("%s: %s has %q, want %q", when, queue, got, want)
	}
	i, err := s.Inspect()
	if err != nil {
		s.t.Fatal(err)
	}
	counted, gauge := i.DeadLetters, "dead_letters"
	if queue == bridge.QuarantineQueue {
		counted, gauge = i.Quarantine, "quarantine_entries"
		indexed := 0
		for _, n := range i.Reasons {
			indexed += n
		}
		if uint64(indexed) != counted.Entries {
			s.t.Errorf("%s: %d entries are known by their reason, and %d counted", when, indexed, counted.Entries)
		}
	}
	n := uint64(len(strings.Fields(want)))
	if counted.Entries != n || (counted.Bytes == 0) != (n == 0) {
		s.t.Errorf("%s: %+v are counted on %s, want %d", when, counted, queue, n)
	}
	s.counts(when, gauge, n)
}

// counts fails unless a metric, of these label values if any, has this value.
func (s *observed) counts(when, name string, want uint64, labels ...string) {
	s.t.Helper()
	if got := s.metric(name, labels...); got != float64(want) {
		s.t.Errorf("%s: %s %v is %v, want %d", when, name, labels, got, want)
	}
}

// metric returns a metric's value, or that of one of its label values; 0 when it was never counted.
func (s *observed) metric(name string, labels ...string) (sum float64) {
	s.t.Helper()
	families, err := s.metrics.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "livebridge_"+name {
			continue
		}
		for _, m := range f.GetMetric() {
			if len(labels) == 0 || m.GetLabel()[0].GetValue() == labels[0] {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
		return sum
	}
	s.t.Fatalf("there is no metric %s", name)
	return 0
}

// unpublished returns the options of a journal that tells consumers nothing of its quarantine.
func unpublished() Options {
	o := memory()
	o.PublishQuarantine = false
	return o
}

// takeTogether appends n callbacks side by side, in any order, so that many share a commit.
func (s *observed) takeTogether(n int, callback func(i int) *bridge.Arrival) {
	s.t.Helper()
	var work sync.WaitGroup
	for i := range n {
		work.Go(func() {
			if err := s.Append(s.t.Context(), callback(i)); err != nil {
				s.t.Error(err)
			}
		})
	}
	work.Wait()
	synctest.Wait()
}
