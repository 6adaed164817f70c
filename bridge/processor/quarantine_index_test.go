package processor

import (
	"testing"

	"livebridge/bridge"
)

// TestOldestExpiresFirst: across the reasons entries go by number, and nothing is kept of them.
func TestOldestExpiresFirst(t *testing.T) {
	q := newQuarantineIndex(10)
	reasons := []bridge.Reason{bridge.ReasonExpired, bridge.ReasonTampered, bridge.ReasonMalformed}
	for n := uint64(1); n <= 6; n++ {
		q.put(QuarantineRecord{Number: n, Received: bridge.Millis(n), Sum: [16]byte{byte(n)},
			What: QuarantineID{ID: bridge.ID{byte(n)}, Reason: reasons[n%3]}})
	}
	for n := uint64(1); n <= 5; n++ {
		if e, found := q.expire(6); !found || e.Number != n {
			t.Errorf("entry %d (%v) expires, want %d", e.Number, found, n)
		}
	}
	if e, found := q.expire(6); found {
		t.Errorf("entry %d expires at its instant", e.Number)
	}
	if len(q.signed) != 1 || len(q.known) != 1 {
		t.Errorf("%d signatures and %d names are kept of one entry", len(q.signed), len(q.known))
	}
}

// TestReasonsInQuarantine: only the reasons that entries have are counted.
func TestReasonsInQuarantine(t *testing.T) {
	p := &Processor{quarantine: newQuarantineIndex(10)}
	e := QuarantineRecord{Number: 1, What: QuarantineID{Reason: bridge.ReasonExpired}}
	p.quarantine.put(e)
	p.quarantine.take(e)
	p.quarantine.put(QuarantineRecord{Number: 2, What: QuarantineID{Reason: bridge.ReasonTampered}})
	var s bridge.JournalStats
	p.Count(&s)
	if len(s.Reasons) != 1 || s.Reasons[string(bridge.ReasonTampered)] != 1 {
		t.Errorf("reasons %v", s.Reasons)
	}
}

// TestNoticeWithoutABody: a callback that could not be decoded has none.
func TestNoticeWithoutABody(t *testing.T) {
	e := &bridge.Event{Lane: bridge.Lane{Kind: bridge.KindRTCRecord}, Reason: bridge.ReasonMalformed}
	want := `{"kind":"rtc-record","reason":"malformed","received":"1970-01-01T00:00:00.000Z"}`
	if got := string(appendNoticeData(nil, e, "")); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
