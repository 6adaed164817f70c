package cluster

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/cluster/clustertest"
	"livebridge/bridge/processor"
)

// exploreEvery is how many courses TestExplore passes over to the next one it takes, of those in which two things
// happen; 1 takes all of them: go test ./bridge/cluster -run Explore -explore.every 1
var exploreEvery = flag.Int("explore.every", 97, "take one course of so many")

// deviation is what happens to a request that would otherwise proceed.
type deviation struct {
	at   int // the number of the request
	what string
}

// happenings is everything that can happen to a request. Switched, the replica stops there and another one takes over,
// or goes on; it goes on itself when that one has come to an end, as a zombie.
func happenings() map[string]clustertest.Verdict {
	return map[string]clustertest.Verdict{
		"refuse": clustertest.Refuse, "lose": clustertest.Lose,
		"crash before": clustertest.CrashBefore, "crash after": clustertest.CrashAfter,
		"switch": clustertest.Proceed,
	}
}

func whats() []string { return []string{"refuse", "lose", "crash before", "crash after", "switch"} }

// TestExplore has replicas decide a script, and everything happen to each of their requests, alone, and to each two of
// them: crashes before and after, refusals, lost answers, and zombies that stop there and go on later. What comes out,
// and the state, must be what one processor makes of the log.
func TestExplore(t *testing.T) {
	t.Parallel()
	exploreAll(t, usual(), limits())
}

// TestExploreSessions does the same with events of sessions.
func TestExploreSessions(t *testing.T) {
	t.Parallel()
	exploreAll(t, pushes(), following())
}

func exploreAll(t *testing.T, s *script, of processor.Options) {
	t.Helper()
	want := s.reference(t, of)
	first := explore(t, s, want, nil)
	t.Logf("%d requests when nothing happens", first)
	courses := make(chan []deviation)
	var explored atomic.Int64
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for c := range courses {
				explore(t, s, want, c)
				explored.Add(1)
			}
		})
	}
	n := 0
	for at := range first {
		for _, what := range whats() {
			one := deviation{at, what}
			courses <- []deviation{one}
			for second := at + 1; second < first+12 && !t.Failed(); second++ {
				for _, what := range whats() {
					if n++; n%*exploreEvery == 0 {
						courses <- []deviation{one, {second, what}}
					}
				}
			}
		}
	}
	close(courses)
	workers.Wait()
	t.Logf("%d courses", explored.Load())
}

// explore takes one course, and returns how many requests there were.
func explore(t *testing.T, s *script, want *reference, course []deviation) (requests int) {
	t.Helper()
	w := newWorldOf(t, s, want.Options)
	defer w.stop()
	verdicts := happenings()
	w.active.start()
	for rest := course; !w.settled(); requests++ {
		verdict := clustertest.Proceed
		if len(rest) > 0 && rest[0].at == requests {
			verdict = verdicts[rest[0].what]
			w.note("%s", rest[0].what)
			if rest[0].what == "switch" {
				w.change()
			}
			rest = rest[1:]
		}
		w.note("%d: %v", w.active.broker.ID(), *w.active.request)
		w.active.step(verdict)
		w.carryOn()
		if requests > 1000 {
			t.Errorf("course %v does not end", course)
			break
		}
	}
	if diff := w.compare(want); diff != "" {
		t.Errorf("course %v:\n%s\n%s", course, diff, strings.Join(w.log, "\n"))
	}
	return requests
}

func (w *world) note(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

// stop ends all replicas.
func (w *world) stop() {
	for _, p := range w.all {
		p.stop()
	}
}

// other returns the replica that is not active.
func (w *world) other() *player {
	if w.active == w.all[0] {
		return w.all[1]
	}
	return w.all[0]
}

// change makes the other replica the active one: it goes on where it has stopped, or takes over.
func (w *world) change() {
	w.active = w.other()
	if w.active.request == nil {
		w.active.start()
	}
}

// carryOn has somebody work on once the active replica's ownership has ended: the other one, if it has not come to an
// end, else the same anew. What an owner must not end with fails the test.
func (w *world) carryOn() {
	for w.active.request == nil {
		err := w.active.err
		w.note("%d ended: %v", w.active.broker.ID(), err)
		var failed *bridge.PublishError
		if !errors.Is(err, errCrashed) && !errors.Is(err, bridge.ErrFenced) && !errors.As(err, &failed) {
			w.t.Errorf("an owner has ended by %v\n%s", err, strings.Join(w.log, "\n"))
		}
		if w.other().request != nil || errors.Is(err, bridge.ErrFenced) {
			w.change()
			continue
		}
		w.active.start()
	}
}

// settled reports whether everything has happened. A script goes on when the active replica has nothing to do. At its
// end zombies go on; what they find out ends them.
func (w *world) settled() bool {
	if w.active.rests() && w.active.request.Fenced { // it would find out with its next commit
		w.active.stop()
		w.change()
	}
	if !w.active.rests() || w.next() {
		return false
	}
	if zombie := w.other(); zombie.request != nil && !zombie.rests() {
		w.active = zombie
		return false
	}
	return true
}

// compare returns how output and state differ from what one processor makes of the script.
func (w *world) compare(want *reference) string {
	got, expected := text(w.broker.Output(0)), text(want.committed)
	var diff []string
	for i := range max(len(got), len(expected)) {
		if i >= len(got) || i >= len(expected) || got[i] != expected[i] {
			diff = append(diff, "got  "+strings.Join(got[min(i, len(got)):], "\n     "),
				"want "+strings.Join(expected[min(i, len(expected)):], "\n     "))
			return strings.Join(diff, "\n")
		}
	}
	return w.compareState(want)
}
