package status

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge"
)

// TestManyLookAtOnce: however many look, the journal is read once a second.
func TestManyLookAtOnce(t *testing.T) {
	e := newExample(t, nil)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { e.get(t, "/"); e.get(t, "/api/v1/status") })
	}
	all.Wait()
	if n := e.journal.reads.Load(); n != 1 {
		t.Errorf("the open sessions were read %d times", n)
	}
	e.later(freshFor)
	e.get(t, "/")
	if n := e.journal.reads.Load(); n != 2 {
		t.Errorf("a second later they were read %d times", n)
	}
}

// TestWhatTakesLongIsReadLessOften: reading takes at most a twentieth of the time.
func TestWhatTakesLongIsReadLessOften(t *testing.T) {
	now, reads := noon, 0
	clock := func() time.Time { return now }
	read := func() (int, error) {
		reads++
		now = now.Add(3 * time.Second)
		return reads, nil
	}
	var k kept[int]
	for _, c := range []struct {
		wait time.Duration
		want int
	}{{0, 1}, {time.Second, 1}, {58 * time.Second, 1}, {time.Second, 2}, {59 * time.Second, 2}} {
		now = now.Add(c.wait)
		if got, err := k.get(clock, read); got != c.want || err != nil {
			t.Errorf("after %v: %d, not %d", c.wait, got, c.want)
		}
	}
}

// TestHealth: each thing that is wrong is a reason, and the worst decides.
func TestHealth(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*example)
		level Level
		text  string
	}{
		"nothing": {func(*example) {}, LevelOK, ""},
		"journal": {func(e *example) { e.fail("journal is full") }, LevelDown, "journal is full"},
		"broker":  {func(e *example) { e.connected.Store(false) }, LevelDegraded, "broker"},
		"both": {func(e *example) { e.fail("journal is full"); e.connected.Store(false) }, LevelDown,
			"Events wait in the outbox"},
		"dead letters": {func(e *example) { e.journal.stats.DeadLetters.Entries = 1 }, LevelDegraded, "dead letters"},
		"disk": {func(e *example) { e.journal.stats.MaxBytes = 3 << 20 }, LevelDegraded,
			"100 % of JOURNAL_MAX_BYTES"},
		"certificate": {func(e *example) { e.later(50 * 24 * time.Hour) }, LevelDegraded,
			"LIVEBRIDGE_TLS_CERT_FILE expires on 2026-11-14"},
		"replicas": {func(e *example) { e.topic.InSync = 2 }, LevelDegraded, "2 of 3 replicas"},
		"lost":     {func(e *example) { e.samples.ring[sampleCount-1].Lost = 0.1 }, LevelDegraded, "503"},
		"unreadable": {func(e *example) { e.journal.err = errors.New("disk broken") }, LevelDegraded,
			"open sessions: disk broken"},
	} {
		e := newExample(t, nil)
		c.spoil(e)
		h := e.gather.current().Health
		var texts []string
		for _, r := range h.Reasons {
			texts = append(texts, r.Text)
		}
		all := strings.Join(texts, "\n")
		if h.Level != c.level || !strings.Contains(all, c.text) || (c.text == "") != (all == "") {
			t.Errorf("%s: %s: %s", name, h.Level, all)
		}
	}
}

// TestManySessions: the latest are shown, and the number of all.
func TestManySessions(t *testing.T) {
	e := newExample(t, nil)
	for i := range 3 * maxSessions {
		e.journal.sessions = append(e.journal.sessions, bridge.OpenSession{Domain: "d", App: "a", Stream: "s",
			Session: bridge.MillisOf(noon.Add(time.Duration(i) * time.Second))})
	}
	s := e.gather.current().Sessions
	if s.Total != 3*maxSessions+5 || len(s.Shown) != maxSessions || !s.Shown[0].Since.After(s.Shown[1].Since) {
		t.Errorf("%d of %d are shown, the first %+v", len(s.Shown), s.Total, s.Shown[0])
	}
}

// TestJournalDoesNotAnswer: the page is shown all the same, and says so; one read waits, however many look.
func TestJournalDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer, reads := make(chan struct{}), 0
		read := func() (int, error) { reads++; <-answer; return 7, nil }
		var k kept[int]
		for range 3 {
			if value, err := k.get(time.Now, read); value != 0 || !errors.Is(err, errSlow) {
				t.Errorf("%d, %v", value, err)
			}
		}
		close(answer)
		if value, err := k.get(time.Now, read); value != 7 || err != nil || reads != 1 {
			t.Errorf("%d, %v, after %d reads", value, err, reads)
		}
	})
}
