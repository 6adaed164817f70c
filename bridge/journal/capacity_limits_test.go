package journal

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"livebridge/bridge"
)

// settle hands out what may go and settles it by stream; what is not named is acknowledged. It returns the lines.
func (s *observed) settle(by map[string]bridge.Settlement) (lines []string) {
	s.t.Helper()
	events, err := s.outbox.Next(soon(s.t))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range events {
		lines = append(lines, s.line(e))
		s.outbox.Settle(e, by[e.Lane.Stream])
	}
	synctest.Wait()
	return lines
}

// TestDeadLettersStayUntilTheyArePurged: the first DEAD_LETTERS_MAX stay; a further one is tried again at the head of
// its lane, as it was, until one of them goes. A restart changes nothing.
func TestDeadLettersStayUntilTheyArePurged(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		t.Run(fmt.Sprintf("restarts %v", restarts), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := memory()
				o.DeadLettersMax = 2
				s := observe(t, o)
				dead := map[string]bridge.Settlement{
					"a": {DeadLetter: "large"},
					"b": {DeadLetter: "large"},
					"c": {DeadLetter: "large"},
				}
				only := func(stream string) map[string]bridge.Settlement {
					return map[string]bridge.Settlement{stream: dead[stream]}
				}
				session := bridge.MillisOf(time.Now())
				for _, stream := range []string{"a", "b", "c"} {
					s.take(push(stream, session, bridge.PhasePublish), push(stream, session, bridge.PhaseDone))
				}
				if got := s.settle(dead); fmt.Sprint(got) != "[a 1 publish  b 1 publish  c 1 publish ]" {
					t.Fatalf("got %q", got)
				}
				s.keeps("three", bridge.DeadLetterQueue, "a b")
				if got := s.settle(nil); len(got) != 2 {
					t.Errorf("got %q: the lanes of the dead letters go on, and the third's does not", got)
				}
				trim(t, s.Journal)
				if restarts {
					s.restart()
					s.keeps("restarted", bridge.DeadLetterQueue, "a b")
				}
				for range 2 {
					if got := s.settle(only("c")); fmt.Sprint(got) != "[c 1 publish ]" {
						t.Errorf("the third is tried as %q", got)
					}
					s.keeps("tried again", bridge.DeadLetterQueue, "a b")
				}
				must(s.Purge(bridge.DeadLetterQueue, []uint64{s.all(bridge.DeadLetterQueue)[0].Number}))
				s.settle(only("c"))
				s.keeps("with a place", bridge.DeadLetterQueue, "b c")
				s.wants("its lane goes on", "c 2 publish_done ")
				s.restart()
				s.keeps("at the end", bridge.DeadLetterQueue, "b c")
				s.wants("at the end")
			})
		})
	}
}

// TestEverythingTakesRoom: what outbox, held, quarantine and dead letters take together is limited by
// JOURNAL_MAX_BYTES: with so many bytes nothing more is taken, with one less it is; right after a start too. Operators
// may do what makes room.
func TestEverythingTakesRoom(t *testing.T) {
	session := bridge.MillisOf(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	for name, c := range map[string]struct {
		fill func(s *observed)
		free func(s *observed)
	}{
		"outbox": {func(s *observed) { s.take(push("a", session, bridge.PhasePublish)) }, func(s *observed) { s.out() }},
		"held": {func(s *observed) { s.take(ended("a", 1)) },
			func(s *observed) { time.Sleep(s.o.Limits.HoldDone); s.out() }},
		"quarantine": {func(s *observed) { s.take(suspect("a", 0, bridge.ReasonExpired)) },
			func(s *observed) { purge(s, 0) }},
		"dead letters": {func(s *observed) {
			s.take(push("a", session, bridge.PhasePublish))
			s.settle(map[string]bridge.Settlement{"a": {DeadLetter: "large"}})
			trim(s.t, s.Journal)
		}, func(s *observed) {
			must(s.Purge(bridge.DeadLetterQueue, []uint64{s.all(bridge.DeadLetterQueue)[0].Number}))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := unpublished()
				o.Limits.HoldDone = time.Hour
				s := observe(t, o)
				if s.counts("empty", "journal_bytes", 0); s.Ready() != nil {
					t.Fatal(s.Ready())
				}
				c.fill(s)
				i, err := s.Inspect()
				if err != nil || i.Bytes == 0 || i.Bytes != i.Outbox.Bytes+i.Held.Bytes+i.Quarantine.Bytes+i.DeadLetters.Bytes {
					t.Fatalf("%+v, %v", i, err)
				}
				s.counts("filled", "journal_bytes", i.Bytes)
				s.o.MaxBytes = i.Bytes + 1
				s.restart()
				if err := s.Ready(); err != nil {
					t.Errorf("with a byte of room: %v", err)
				}
				s.o.MaxBytes = i.Bytes
				closeJournal(t, s.Journal)
				j := open(t, s.o)
				if err := j.Ready(); !errors.Is(err, bridge.ErrFull) { // before anything is written
					t.Errorf("right after the start: %v", err)
				}
				closeJournal(t, j)
				s.start()
				s.refuses("without a byte of room", "JOURNAL_MAX_BYTES")
				c.free(s)
				s.counts("freed", "journal_bytes", 0)
				s.take(push("b", session, bridge.PhasePublish))
			})
		})
	}
}

// refuses fails unless callbacks are refused because of a limit, and nothing of them is kept.
func (s *observed) refuses(when, limit string) {
	s.t.Helper()
	before := s.outbox.Pending()
	for _, err := range []error{s.Ready(), s.Append(s.t.Context(), push("refused", 9e11, bridge.PhasePublish))} {
		if !errors.Is(err, bridge.ErrFull) || !strings.Contains(err.Error(), limit) {
			s.t.Errorf("%s: %v, want one that names %s", when, err, limit)
		}
	}
	if synctest.Wait(); s.outbox.Pending() != before {
		s.t.Errorf("%s: %d events wait, %d did before", when, s.outbox.Pending(), before)
	}
}

// diskOfUnknownSize is a disk whose free space cannot be read any more.
type diskOfUnknownSize struct {
	vfs.FS
	broken *atomic.Bool
}

func (d diskOfUnknownSize) GetDiskUsage(string) (vfs.DiskUsage, error) {
	if d.broken.Load() {
		return vfs.DiskUsage{AvailBytes: 1 << 60}, errors.New("input/output error")
	}
	return vfs.DiskUsage{AvailBytes: 1 << 60}, nil
}

// TestDiskIsFullAtTheStart: nothing is taken from the first moment on, what waits is published, and operators may
// purge. A disk whose free space cannot be read counts as full.
func TestDiskIsFullAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, free := unpublished(), &atomic.Uint64{}
		disk := o.FS
		s := observe(t, o)
		s.take(
			push("a", 9e11, bridge.PhasePublish),
			suspect("b", 0, bridge.ReasonExpired),
			suspect("c", 0, bridge.ReasonExpired),
		)
		free.Store(o.MinFreeBytes - 1)
		s.o.FS = smallDisk{disk, free}
		s.restart()
		s.refuses("a byte too few", "MIN_FREE_BYTES")
		s.counts("a byte too few", "disk_free_bytes", o.MinFreeBytes-1)
		s.wants("published all the same", "a 1 publish ")
		purge(s, 0)
		s.keeps("purged", bridge.QuarantineQueue, "c")
		free.Store(o.MinFreeBytes)
		s.restart()
		s.take(push("d", 9e11, bridge.PhasePublish))
		broken := &atomic.Bool{}
		s.o.FS = diskOfUnknownSize{disk, broken}
		s.restart()
		broken.Store(true)
		time.Sleep(2 * measureInterval)
		s.refuses("unknown", "MIN_FREE_BYTES")
		s.wants("published all the same", "d 1 publish ")
		s.o.FS = disk // has no such number
		s.restart()
		s.take(push("e", 9e11, bridge.PhasePublish))
	})
}

// TestOldestEvent: the age of the outbox is that of the oldest event, waiting or under way, and 0 when there is none.
func TestOldestEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := observe(t, memory())
		s.counts("empty", "outbox_oldest_age_seconds", 0)
		s.take(recording("a", 1))
		time.Sleep(3 * time.Second)
		s.take(recording("b", 1))
		s.counts("waiting", "outbox_oldest_age_seconds", 3)
		s.settle(map[string]bridge.Settlement{"b": {Retry: time.Minute}})
		s.counts("the other", "outbox_oldest_age_seconds", 0)
		time.Sleep(2 * time.Second)
		s.counts("the other, later", "outbox_oldest_age_seconds", 2)
	})
}
