package journal

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
	"livebridge/bridge/processor"
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
	if some := list(t, j, bridge.QuarantineQueue, bridge.Query{Reason: "tampered"}); len(some) != 1 ||
		some[0].Number != all[5].Number {
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
	add(
		t,
		j,
		push("a", 1e12, bridge.PhasePublish),
		doubtful("a", 2e12, bridge.ReasonExpired),
		doubtful("b", 1e12, bridge.ReasonTampered),
	)
	unread := doubtful("", 1e12, bridge.ReasonMalformed)
	unread.Event.Lane = bridge.Lane{Kind: bridge.KindRTCRecord}
	add(t, j, unread)
	all := list(t, j, bridge.QuarantineQueue, bridge.Query{})
	a, b, unreadable := all[0].Number, all[1].Number, all[2].Number
	outcomes, err := j.Release(bridge.QuarantineQueue, []uint64{a, a, 77, unreadable})
	if got := done(t, outcomes, err); !slices.Equal(got, []uint64{a}) || len(outcomes) != 4 ||
		outcomes[1].Problem == "" || outcomes[2].Problem != outcomes[1].Problem ||
		!strings.Contains(outcomes[3].Problem, "no lane") {
		t.Fatalf("%+v", outcomes)
	}
	outcomes, err = j.Purge(bridge.QuarantineQueue, []uint64{b, unreadable, b})
	if got := done(t, outcomes, err); !slices.Equal(got, []uint64{b, unreadable}) {
		t.Fatalf("%+v", outcomes)
	}
	if i, err := j.Inspect(); err != nil || i.Quarantine != (bridge.Usage{}) || len(i.Reasons) != 0 {
		t.Errorf("counted are %+v of %v, %v", i.Quarantine, i.Reasons, err)
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
		if len(all) != 2 || ordinal(all[0].Sequence) != 1 || all[0].Reason != "too_large" || all[0].Detail != "2 MB" ||
			all[0].Raw != nil {
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
		if j.processor.Counters().DeadLetters != (processor.Usage{}) {
			t.Errorf("counted are %+v", j.processor.Counters().DeadLetters)
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
