package journal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
)

// doubtful is a callback for the quarantine.
func doubtful(stream string, session bridge.Millis, reason bridge.Reason) *bridge.Arrival {
	a := push(stream, session, bridge.PhasePublish)
	a.Reason = reason
	a.Raw = []byte(`{"raw":"` + stream + `"}`)
	return a
}

func list(t testing.TB, j bridge.ReviewQueues, s bridge.ReviewQueue, q bridge.Query) []bridge.Entry {
	t.Helper()
	entries, err := j.List(s, q)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// done returns the numbers of the outcomes that were carried out.
func done(t testing.TB, outcomes []bridge.Outcome, err error) []uint64 {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var numbers []uint64
	for _, o := range outcomes {
		if o.Problem == "" {
			numbers = append(numbers, o.Number)
		}
	}
	return numbers
}

func TestListQuarantine(t *testing.T) {
	o := memory()
	o.PublishQuarantine = false
	j := open(t, o)
	defer closeJournal(t, j)
	for i := range 5 {
		add(t, j, doubtful(fmt.Sprint("s", i), 1e12, bridge.ReasonExpired))
	}
	add(t, j, doubtful("s9", 1e12, bridge.ReasonTampered))
	unread := doubtful("", 1e12, bridge.ReasonMalformed)
	unread.Event.Lane, unread.Event.Data = bridge.Lane{Kind: bridge.KindRTCRecord}, nil
	add(t, j, unread)
	all := list(t, j, bridge.QuarantineQueue, bridge.Query{})
	if len(all) != 7 || all[0].Raw != nil || all[0].Lane != "push.example.com/live/s0" || all[0].Reason != "expired" ||
		all[0].Kind != "stream" || all[0].Scheme != "hmac-sha256" || all[0].ID != doubtful("s0", 1e12, "").Event.ID.String() {
		t.Fatalf("%d entries: %+v", len(all), all[0])
	}
	if e := all[6]; e.Lane != "" || len(e.Data) != 0 || e.Kind != "rtc-record" {
		t.Errorf("the unreadable one is %+v", e)
	}
	two := list(t, j, bridge.QuarantineQueue, bridge.Query{After: all[1].Number, Limit: 2, Raw: true})
	if len(two) != 2 || two[0].Number != all[2].Number || string(two[1].Raw) != `{"raw":"s3"}` {
		t.Errorf("the second page is %+v", two)
	}
	if some := list(t, j, bridge.QuarantineQueue, bridge.Query{Reason: "tampered"}); len(some) != 1 || some[0].Number != all[5].Number {
		t.Errorf("tampered: %+v", some)
	}
	if some := list(t, j, bridge.QuarantineQueue, bridge.Query{Lane: "push.example.com/live/s4"}); len(some) != 1 {
		t.Errorf("of the lane: %+v", some)
	}
	if dead := list(t, j, bridge.DeadLetterQueue, bridge.Query{}); len(dead) != 0 {
		t.Errorf("dead letters: %+v", dead)
	}
}

// TestRelease: what is released comes out as a replay, is known from then on, and is no entry any more, also after a
// restart.
func TestRelease(t *testing.T) {
	o := memory()
	o.PublishQuarantine = false
	j := open(t, o)
	add(t, j, push("a", 1e12, bridge.PhasePublish), doubtful("a", 2e12, bridge.ReasonExpired), doubtful("b", 1e12, bridge.ReasonTampered))
	unread := doubtful("", 1e12, bridge.ReasonMalformed)
	unread.Event.Lane = bridge.Lane{Kind: bridge.KindRTCRecord}
	add(t, j, unread)
	all := list(t, j, bridge.QuarantineQueue, bridge.Query{})
	a, b, unreadable := all[0].Number, all[1].Number, all[2].Number
	outcomes, err := j.Release(bridge.QuarantineQueue, []uint64{a, a, 77, unreadable})
	if got := done(t, outcomes, err); !slices.Equal(got, []uint64{a}) || len(outcomes) != 4 ||
		outcomes[1].Problem != problemNoEntry || outcomes[2].Problem != problemNoEntry || outcomes[3].Problem != problemNoLane {
		t.Fatalf("%+v", outcomes)
	}
	outcomes, err = j.Purge(bridge.QuarantineQueue, []uint64{b, unreadable, b})
	if got := done(t, outcomes, err); !slices.Equal(got, []uint64{b, unreadable}) {
		t.Fatalf("%+v", outcomes)
	}
	if n := j.meta.quarantine; n != (usage{}) || len(j.quarantine.known)+len(j.quarantine.signed)+j.quarantine.entries != 0 {
		t.Errorf("counted are %+v and %+v", n, j.quarantine)
	}
	add(t, j, push("a", 2e12, bridge.PhasePublish)) // known: nothing comes of it
	closeJournal(t, j)
	j = open(t, o)
	defer closeJournal(t, j)
	if left := list(t, j, bridge.QuarantineQueue, bridge.Query{}); len(left) != 0 {
		t.Errorf("left are %+v", left)
	}
	if got, want := drain(t, j, 2), []string{"a 1 publish ", "a 2 publish replayed"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if j.outbox.Pending() != 0 {
		t.Errorf("%d more", j.outbox.Pending())
	}
}

// TestReleaseUnderLoad releases every entry twice at once while callbacks come: each comes out once.
func TestReleaseUnderLoad(t *testing.T) {
	o := memory()
	o.PublishQuarantine = false
	j := open(t, o)
	defer closeJournal(t, j)
	for i := range 50 {
		add(t, j, doubtful(fmt.Sprint("q", i), 1e12, bridge.ReasonExpired))
	}
	var numbers []uint64
	for _, e := range list(t, j, bridge.QuarantineQueue, bridge.Query{}) {
		numbers = append(numbers, e.Number)
	}
	counts := make(chan int, 4)
	for range 4 {
		go func() {
			n := 0
			for _, number := range numbers {
				outcomes, err := j.Release(bridge.QuarantineQueue, []uint64{number})
				if err == nil && outcomes[0].Problem == "" {
					n++
				}
			}
			counts <- n
		}()
	}
	for i := range 100 {
		add(t, j, push(fmt.Sprint("s", i), 1e12, bridge.PhasePublish))
	}
	if n := <-counts + <-counts + <-counts + <-counts; n != 50 || j.outbox.Pending() != 150 {
		t.Errorf("%d were released, %d events wait", n, j.outbox.Pending())
	}
}

// TestReleaseIsDurable takes the power away after Release has returned.
func TestReleaseIsDurable(t *testing.T) {
	o := memory()
	o.PublishQuarantine = false
	j := open(t, o)
	add(t, j, doubtful("a", 1e12, bridge.ReasonExpired), doubtful("b", 1e12, bridge.ReasonExpired))
	all := list(t, j, bridge.QuarantineQueue, bridge.Query{})
	_, err := j.Release(bridge.QuarantineQueue, []uint64{all[0].Number})
	if err == nil {
		_, err = j.Purge(bridge.QuarantineQueue, []uint64{all[1].Number})
	}
	if err != nil {
		t.Fatal(err)
	}
	disk := o.FS.(*vfs.MemFS).CrashClone(vfs.CrashCloneCfg{})
	_ = j.Close()
	o.FS = disk
	j = open(t, o)
	defer closeJournal(t, j)
	if left := list(t, j, bridge.QuarantineQueue, bridge.Query{}); len(left) != 0 || j.outbox.Pending() != 1 {
		t.Errorf("%d entries are back, %d events wait", len(left), j.outbox.Pending())
	}
}

func TestRetryDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		j := open(t, o)
		add(t, j, push("a", 1e12, bridge.PhasePublish), push("b", 1e12, bridge.PhasePublish))
		events, err := j.outbox.Next(soon(t))
		if err != nil || len(events) != 2 {
			t.Fatal(events, err)
		}
		for _, e := range events {
			j.outbox.Settle(e, bridge.Settlement{DeadLetter: bridge.RejectionTooLarge, Detail: "2 MB"})
		}
		synctest.Wait()
		all := list(t, j, bridge.DeadLetterQueue, bridge.Query{Reason: "too_large"})
		if len(all) != 2 || ordinal(all[0].Sequence) != 1 || all[0].Reason != "too_large" || all[0].Detail != "2 MB" || all[0].Raw != nil {
			t.Fatalf("%+v", all)
		}
		outcomes, err := j.Release(bridge.DeadLetterQueue, []uint64{all[0].Number, all[0].Number})
		if got := done(t, outcomes, err); len(got) != 1 {
			t.Errorf("%+v", outcomes)
		}
		outcomes, err = j.Purge(bridge.DeadLetterQueue, []uint64{all[0].Number, all[1].Number})
		if got := done(t, outcomes, err); !slices.Equal(got, []uint64{all[1].Number}) {
			t.Errorf("%+v", outcomes)
		}
		if j.meta.dead != (usage{}) {
			t.Errorf("counted are %+v", j.meta.dead)
		}
		if got := drain(t, j, 1); !strings.HasSuffix(got[0], " 2 publish replayed") {
			t.Errorf("%q", got)
		}
		closeJournal(t, j)
	})
}

// TestQuarantineAge: an entry goes when it is older than it may become, and is counted.
func TestQuarantineAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		o.PublishQuarantine, o.QuarantineMaxAge = false, time.Hour
		j := open(t, o)
		add(t, j, doubtful("a", 1e12, bridge.ReasonExpired), doubtful("b", 1e12, bridge.ReasonTampered))
		time.Sleep(40 * time.Minute)
		closeJournal(t, j)
		j = open(t, o)
		defer closeJournal(t, j)
		add(t, j, doubtful("c", 1e12, bridge.ReasonExpired))
		time.Sleep(20*time.Minute - 2*time.Second)
		if n := len(list(t, j, bridge.QuarantineQueue, bridge.Query{})); n != 3 {
			t.Errorf("%d entries before their time is over", n)
		}
		time.Sleep(5 * time.Second)
		left := list(t, j, bridge.QuarantineQueue, bridge.Query{})
		if len(left) != 1 || !strings.HasSuffix(left[0].Lane, "/c") {
			t.Errorf("left are %+v", left)
		}
		if n := counted(t, j, "livebridge_quarantine_evicted_total"); n != 2 {
			t.Errorf("%v are counted", n)
		}
	})
}

// counted returns the value of a counter without labels.
func counted(t testing.TB, j *Journal, name string) float64 {
	t.Helper()
	families, err := j.opts.Registerer.(*prometheus.Registry).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	return -1
}

// TestOffline: without the service an operator sees and moves the same, holds stay, and nothing happens that was not
// asked for.
func TestOffline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		o.PublishQuarantine, o.Limits.HoldNext, o.Limits.HoldDone = false, 50*time.Millisecond, 50*time.Millisecond
		if _, err := OpenOffline(o, ReadOnly); !errors.Is(err, ErrNoJournal) {
			t.Fatalf("without a journal: %v", err)
		}
		j := open(t, o)
		if _, err := OpenOffline(o, ReadOnly); !errors.Is(err, ErrInUse) {
			t.Errorf("beside the service: %v", err)
		}
		add(t, j, push("a", 9e11, bridge.PhasePublish), doubtful("b", 9e11, bridge.ReasonExpired), doubtful("c", 9e11, bridge.ReasonExpired))
		add(t, j, push("d", 9e11, bridge.PhaseDone)) // held
		closeJournal(t, j)

		q, err := OpenOffline(o, ReadOnly)
		if err != nil {
			t.Fatal(err)
		}
		all := list(t, q, bridge.QuarantineQueue, bridge.Query{Raw: true})
		i, err := q.Inspect()
		if err != nil || len(all) != 2 || i.Quarantine.Entries != 2 || i.Reasons["expired"] != 2 || i.Outbox.Entries != 1 ||
			i.Held.Entries != 1 || i.LanesHeld != 1 || i.Lanes != 2 || i.Format != formatVersion || i.Identities != 2 {
			t.Errorf("%d entries, %+v, %v", len(all), i, err)
		}
		closeJournal(t, q)

		if q, err = OpenOffline(o, ReadWrite); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * o.Limits.HoldDone) // nothing to wait for: a hold would have ended
		outcomes, err := q.Release(bridge.QuarantineQueue, []uint64{all[0].Number, all[0].Number})
		if got := done(t, outcomes, err); len(got) != 1 {
			t.Errorf("released: %+v", outcomes)
		}
		outcomes, err = q.Purge(bridge.QuarantineQueue, []uint64{all[0].Number, all[1].Number})
		if got := done(t, outcomes, err); !slices.Equal(got, []uint64{all[1].Number}) {
			t.Errorf("purged: %+v", outcomes)
		}
		if i, err := q.Inspect(); err != nil || i.Held.Entries != 1 || i.Outbox.Entries != 2 || i.Quarantine.Bytes != 0 {
			t.Errorf("%+v, %v", i, err)
		}
		closeJournal(t, q)

		j = open(t, o)
		defer closeJournal(t, j)
		got := drain(t, j, 3)
		slices.Sort(got)
		if want := []string{"a 1 publish ", "b 1 publish replayed", "d 1 publish_done start_unseen"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// TestReplay replays what the outbox has, over more than one page, once: neither what comes meanwhile nor the replays
// themselves.
func TestReplay(t *testing.T) {
	j := open(t, memory())
	defer closeJournal(t, j)
	arrivals := many(bridge.PageMax/2+10, 2)
	add(t, j, arrivals...)
	replayed := 0
	for q := (bridge.ReplayQuery{}); ; {
		r, err := j.Replay(q)
		if err != nil {
			t.Fatal(err)
		}
		replayed += r.Replayed
		if q.Cursor, q.UpTo = r.Cursor, r.UpTo; q.Cursor == nil {
			break
		}
		add(t, j, push("zzz", 1e12, bridge.PhasePublish), push("zzz", 1e12, bridge.PhaseDone))
	}
	if replayed != len(arrivals) || j.outbox.Pending() != 2*len(arrivals)+2 {
		t.Errorf("%d of %d replayed, %d wait", replayed, len(arrivals), j.outbox.Pending())
	}
	lane := arrivals[0].Event.Lane
	r, err := j.Replay(bridge.ReplayQuery{Kind: "stream", Lane: lane.Subject()})
	if err != nil || r.Replayed != 2 || r.Cursor != nil {
		t.Errorf("of one lane: %+v, %v", r, err)
	}
	for i := range r.Emitted {
		r.Emitted[i].Sequence = ordinal(r.Emitted[i].Sequence)
	}
	want := []bridge.Emission{{Kind: "stream", Lane: lane.Subject(), Sequence: 5}, {Kind: "stream", Lane: lane.Subject(), Sequence: 6}}
	if !slices.Equal(r.Emitted, want) {
		t.Errorf("emitted %+v, want %+v", r.Emitted, want)
	}
	for _, bad := range []bridge.ReplayQuery{{Kind: "stream"}, {Lane: "a/b/c"}, {Kind: "streams", Lane: "a/b/c"}, {Kind: "stream", Lane: "a/b"}} {
		if _, err := j.Replay(bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

// TestReplayBesideCallbacks: a replay has all that was emitted up to the commit that it names, though event batches are
// written while it goes on.
func TestReplayBesideCallbacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		stall := stalls(&o)
		j := open(t, o)
		defer closeJournal(t, j)
		add(t, j, many(2, 4)...)
		before, err := j.Inspect()
		if err != nil {
			t.Fatal(err)
		}
		last := before.Commit
		release := stall(j) // until both of the others wait
		var work sync.WaitGroup
		work.Go(func() {
			if r, err := j.Replay(bridge.ReplayQuery{}); err != nil || r.Replayed != 8 || r.UpTo != last {
				t.Errorf("%+v, %v: want the 8 events up to commit %d", r, err, last)
			}
		})
		synctest.Wait()
		work.Go(func() { add(t, j, push("late", 1e12, bridge.PhasePublish)) })
		synctest.Wait()
		release()
		work.Wait()
	})
}

// TestCommandsAfterTheEnd: a command is refused, and nothing hangs or panics, once the journal has closed.
func TestCommandsAfterTheEnd(t *testing.T) {
	j := open(t, memory())
	closeJournal(t, j)
	if _, err := j.Release(bridge.QuarantineQueue, []uint64{1}); !errors.Is(err, bridge.ErrStopping) {
		t.Errorf("Release: %v", err)
	}
	if _, err := j.List(bridge.QuarantineQueue, bridge.Query{}); !errors.Is(err, bridge.ErrStopping) {
		t.Errorf("List: %v", err)
	}
}
