package journal

import (
	"fmt"
	"reflect"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"livebridge/bridge"
)

// whole is an arrival of which every member has a value of its own, that its record must keep.
func whole(kind bridge.Kind, n byte) *bridge.Arrival {
	return &bridge.Arrival{
		Event: bridge.Event{
			ID: bridge.ID{1, 2, 3, n, 15: 0xff}, Type: "com.huaweicloud.live.record.start",
			Lane:     bridge.Lane{Kind: kind, Domain: "push.example.com", App: "a b", Stream: "ä/1"},
			Occurred: 9e11 + 123, Scheme: bridge.SchemeMD5, Data: fmt.Appendf(nil, `{"n":%d}`, n),
		},
		Signature: bridge.Signature{Sum: [16]byte{9, n}},
		Raw:       []byte{0, 0xff, '{', n},
	}
}

// TestWholeNotice compares every byte of what tells consumers of a quarantined callback: of every kind, with a lane and
// without, with a body that could be read and without, at once and after a restart.
func TestWholeNotice(t *testing.T) {
	const lane = "push.example.com/a%20b/%C3%A4%2F1"
	for name, c := range map[string]struct {
		kind    bridge.Kind
		reason  bridge.Reason
		change  func(e *bridge.Event)
		subject string
		data    string
	}{
		"of a stream": {bridge.KindStream, bridge.ReasonExpired,
			func(e *bridge.Event) { e.Session, e.Phase = 9e11, bridge.PhaseDone }, lane,
			`{"body":{"n":1},"kind":"stream","lane":"` + lane + `","reason":"expired","received":"2000-01-01T00:00:00.007Z"}`},
		"of a recording": {bridge.KindRecord, bridge.ReasonTampered, func(*bridge.Event) {}, lane,
			`{"body":{"n":1},"kind":"record","lane":"` + lane + `","reason":"tampered","received":"2000-01-01T00:00:00.007Z"}`},
		"without a body": {bridge.KindSnapshot, bridge.ReasonUnknownEvent, func(e *bridge.Event) { e.Data = nil }, lane,
			`{"kind":"snapshot","lane":"` + lane + `","reason":"unknown_event","received":"2000-01-01T00:00:00.007Z"}`},
		"without a lane": {bridge.KindRTCRecord, bridge.ReasonMalformed,
			func(e *bridge.Event) { e.Data, e.Lane = nil, bridge.Lane{Kind: e.Lane.Kind} }, "",
			`{"kind":"rtc-record","reason":"malformed","received":"2000-01-01T00:00:00.007Z"}`},
		"of a lane without a stream": {bridge.KindRTCRecord, bridge.ReasonExpired,
			func(e *bridge.Event) { e.Lane.App, e.Lane.Stream = "", "" }, "push.example.com//",
			`{"body":{"n":1},"kind":"rtc-record","lane":"push.example.com//","reason":"expired",` +
				`"received":"2000-01-01T00:00:00.007Z"}`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, w := memory(), &wall{}
				w.ahead.Store(int64(7 * time.Millisecond))
				o.Wall = w.now
				s := observe(t, o)
				a := whole(c.kind, 1)
				c.change(&a.Event)
				a.Reason = c.reason
				s.take(a)
				want := bridge.Event{
					ID: a.Event.ID, Type: bridge.TypeQuarantined, Lane: bridge.Lane{Kind: c.kind}, Recorded: bridge.MillisOf(w.now()),
					Scheme: a.Event.Scheme, Reason: c.reason, Subject: c.subject, Data: []byte(c.data),
				}
				s.comesAlso("a notice", want)
			})
		})
	}
}

// comesAlso fails unless one event waits, which is this one but for its sequence, and does so after a restart too.
func (s *observed) comesAlso(what string, want bridge.Event) {
	s.t.Helper()
	events, err := s.outbox.Next(soon(s.t))
	if err != nil || len(events) != 1 {
		s.t.Fatalf("%s: %d events, %v", what, len(events), err)
	}
	want.Sequence = events[0].Sequence
	if !reflect.DeepEqual(*events[0], want) || want.Sequence == 0 {
		s.t.Errorf("%s is\n%+v\n%s, want\n%+v\n%s", what, *events[0], events[0].Data, want, want.Data)
	}
	s.outbox.Settle(events[0], bridge.Settlement{Retry: time.Second})
	s.restart()
	again := s.out()
	if len(again) != 1 || !reflect.DeepEqual(*again[0], want) {
		s.t.Errorf("%s is after a restart\n%+v, want\n%+v", what, again[0], want)
	}
}

// TestWholeEntry compares every member of what an operator sees of the quarantine, with the body as received and
// without, at once and after a restart, and what comes out when it is released.
func TestWholeEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, w := unpublished(), &wall{}
		w.ahead.Store(int64(7 * time.Millisecond))
		o.Wall = w.now
		s := observe(t, o)
		a, unread := whole(bridge.KindRecord, 1), whole(bridge.KindRTCRecord, 2)
		a.Reason, unread.Reason = bridge.ReasonTampered, bridge.ReasonMalformed
		unread.Event.Lane, unread.Event.Data, unread.Event.Scheme = bridge.Lane{
			Kind: bridge.KindRTCRecord,
		}, nil, bridge.SchemeRTC
		s.take(a, unread)
		want := []bridge.Entry{{
			Reason: "tampered", Received: "2000-01-01T00:00:00.007Z", ID: "010203010000000000000000000000ff", Kind: "record",
			Lane: "push.example.com/a%20b/%C3%A4%2F1", Type: "com.huaweicloud.live.record.start", Scheme: "md5",
			Data: a.Event.Data, Raw: a.Raw,
		}, {
			Reason: "malformed", Received: "2000-01-01T00:00:00.007Z", ID: "010203020000000000000000000000ff",
			Kind: "rtc-record",
			Type: "com.huaweicloud.live.record.start", Scheme: "rtc-hmac-sha256", Raw: unread.Raw,
		}}
		s.listsAlso(bridge.QuarantineQueue, want)
		w.ahead.Add(int64(time.Minute))
		must(s.Release(bridge.QuarantineQueue, numbersOf(s, 0)))
		event := a.Event
		event.Recorded, event.Marks = 946684800007, bridge.MarkReplayed
		s.comesAlso("a released entry", event)
	})
}

// listsAlso fails unless a review queue has these entries, but for their numbers, which rise by one; also after a
// restart.
func (s *observed) listsAlso(queue bridge.ReviewQueue, want []bridge.Entry) {
	s.t.Helper()
	first := uint64(0)
	for _, when := range []string{"at once", "after a restart"} {
		for _, raw := range []bool{true, false} {
			got := list(s.t, s.Journal, queue, bridge.Query{Raw: raw})
			if len(got) != len(want) {
				s.t.Fatalf("%s: %d entries", when, len(got))
			}
			if first == 0 {
				first = got[0].Number
			}
			for i, e := range want {
				e.Number = first + uint64(i)
				if !raw {
					e.Raw = nil
				}
				if fmt.Sprintf("%+v", got[i]) != fmt.Sprintf("%+v", e) {
					s.t.Errorf("%s, raw %v: %s has\n%+v, want\n%+v", when, raw, queue, got[i], e)
				}
			}
		}
		s.restart()
	}
}

// TestWholeDeadLetter is the same for a dead letter: an event, and the notice of a quarantined callback.
func TestWholeDeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, w := memory(), &wall{}
		w.ahead.Store(int64(7 * time.Millisecond))
		o.Wall = w.now
		s := observe(t, o)
		a, b := whole(bridge.KindRecord, 1), whole(bridge.KindSnapshot, 2)
		b.Reason = bridge.ReasonExpired
		s.take(a, b)
		events, err := s.outbox.Next(soon(t))
		if err != nil || len(events) != 2 {
			t.Fatal(events, err)
		}
		for _, e := range events {
			s.outbox.Settle(e, bridge.Settlement{DeadLetter: bridge.RejectionTooLarge, Detail: "2 MB: " + e.Lane.Kind.String()})
		}
		synctest.Wait()
		trim(t, s.Journal)
		s.listsAlso(bridge.DeadLetterQueue, []bridge.Entry{{
			Reason: "too_large", Detail: "2 MB: record", Received: "2000-01-01T00:00:00.007Z",
			ID: "010203010000000000000000000000ff", Kind: "record",
			Lane: "push.example.com/a%20b/%C3%A4%2F1", Type: "com.huaweicloud.live.record.start", Scheme: "md5",
			Sequence: events[0].Sequence, Data: a.Event.Data,
		}, {
			Reason: "too_large", Detail: "2 MB: snapshot", Received: "2000-01-01T00:00:00.007Z",
			ID: "010203020000000000000000000000ff-expired", Kind: "snapshot",
			Type: bridge.TypeQuarantined, Scheme: "md5", Sequence: events[1].Sequence, Data: events[1].Data,
		}})
		w.ahead.Add(int64(time.Minute))
		must(s.Release(bridge.DeadLetterQueue, []uint64{s.all(bridge.DeadLetterQueue)[0].Number}))
		event := a.Event
		event.Recorded, event.Marks = 946684800007, bridge.MarkReplayed
		s.comesAlso("a dead letter", event)
		s.restart()
		must(s.Release(bridge.DeadLetterQueue, []uint64{s.all(bridge.DeadLetterQueue)[0].Number}))
		notice := *events[1]
		notice.Marks = bridge.MarkReplayed
		s.comesAlso("a dead notice", notice)
	})
}

// TestEveryRecordSurvives: an event is the same to the byte wherever it lay when the journal was closed, or the power
// went: in an event batch, under its lane, or held.
func TestEveryRecordSurvives(t *testing.T) {
	for name, c := range map[string]struct {
		memory int
		held   bool
	}{"in an event batch": {1 << 10, false}, "under its lane": {1, false}, "held": {1 << 10, true}} {
		for _, crash := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, crash %v", name, crash), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					o, w := memory(), &wall{}
					w.ahead.Store(int64(7 * time.Millisecond))
					o.Wall, o.OutboxMemory = w.now, c.memory
					s := observe(t, o)
					a := whole(bridge.KindStream, 1)
					a.Event.Session, a.Event.Phase = 9e11+4, bridge.PhaseDone
					want := a.Event
					want.Recorded, want.Marks = 946684800007, bridge.MarkStartUnseen
					if !c.held {
						a.Event.Phase = bridge.PhaseNone
						want.Phase, want.Marks = bridge.PhaseNone, bridge.MarkUnsequenced
					}
					s.take(a)
					disk := s.o.FS.(*vfs.MemFS)
					if crash {
						s.o.FS = disk.CrashClone(vfs.CrashCloneCfg{})
					}
					w.ahead.Add(int64(time.Second))
					s.restart()
					time.Sleep(s.o.Limits.HoldDone)
					synctest.Wait()
					s.comesAlso("the event", want)
				})
			})
		}
	}
}

// TestStatsSurvive: what the journal counts of itself, of which nothing is 0, is the same after a restart.
func TestStatsSurvive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := memory()
		o.FS = smallDisk{o.FS, &atomic.Uint64{}}
		o.FS.(smallDisk).free.Store(1 << 40)
		s := observe(t, o)
		s.take(
			whole(bridge.KindRecord, 1),
			ended("a", 1),
			ended("a", 2),
			ended("b", 2),
			suspect("c", 1, bridge.ReasonExpired),
			suspect(
				"d",
				1,
				bridge.ReasonTampered,
			),
			suspect("e", 1, bridge.ReasonTampered),
			recording("f", 1),
			recording("f", 2),
			recording("g", 1),
		)
		s.settle(map[string]bridge.Settlement{"f": {DeadLetter: "large"}})
		trim(t, s.Journal)
		before := s.stats()
		want := bridge.JournalStats{
			Format:     before.Format,
			Outbox:     before.Outbox,
			Held:       before.Held,
			LanesHeld:  2,
			Lanes:      6,
			Quarantine: before.Quarantine,
			Reasons: map[string]int{
				"expired":  1,
				"tampered": 2,
			},
			DeadLetters: before.DeadLetters,
			Identities:  7,
			MaxBytes:    o.MaxBytes,
			FreeBytes:   1 << 40,
			Bytes:       before.Outbox.Bytes + before.Held.Bytes + before.Quarantine.Bytes + before.DeadLetters.Bytes,
		}
		if !reflect.DeepEqual(before, want) || before.Outbox.Entries != 3 || before.Held.Entries != 3 ||
			before.Quarantine.Entries != 3 ||
			before.DeadLetters.Entries != 1 {
			t.Errorf("it is\n%+v, want\n%+v", before, want)
		}
		s.restart()
		if after := s.stats(); !reflect.DeepEqual(after, before) {
			t.Errorf("it was\n%+v, and is\n%+v", before, after)
		}
	})
}

// stats returns what is counted, but for what every commit changes, which must not be 0.
func (s *observed) stats() bridge.JournalStats {
	s.t.Helper()
	i, err := s.Inspect()
	if err != nil || i.Commit == 0 || i.StoreBytes == 0 {
		s.t.Fatalf("%+v, %v", i, err)
	}
	i.Commit, i.StoreBytes = 0, 0
	return i
}
