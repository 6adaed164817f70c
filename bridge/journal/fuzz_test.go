package journal

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/record"
)

// What can be read of a value is written again as it was understood, and nothing makes a reader panic. The corpora that
// have been found are in testdata/fuzz; go test runs them.

// FuzzReadArrival is the same for a callback that waits to be decided.
func FuzzReadArrival(f *testing.F) {
	f.Add(appendArrival(nil, whole(bridge.KindRecord, 1)))
	f.Add(appendArrival(nil, &bridge.Arrival{Identity: &bridge.Identity{Session: -1, Ordered: bridge.ID{1}, Data: []byte("{}")}}))
	f.Fuzz(func(t *testing.T, value []byte) {
		a, err := readArrival(value)
		if err != nil {
			return
		}
		if again, err := readArrival(appendArrival(nil, a)); err != nil || !reflect.DeepEqual(again, a) {
			t.Errorf("%+v became %+v, %v", a, again, err)
		}
	})
}

// FuzzReadCommand is the same for what an operator asks for.
func FuzzReadCommand(f *testing.F) {
	for _, cmd := range []command{
		{op: opRelease, queue: bridge.QuarantineQueue, numbers: []uint64{1, 1 << 60}},
		{op: opReplay, replay: bridge.ReplayQuery{Kind: "stream", Lane: "d/a/s", Cursor: []byte{'o', 0xff}, UpTo: 9}},
	} {
		f.Add(cmd.append(nil))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		cmd, err := readCommand(value)
		if err != nil {
			return
		}
		if again, err := readCommand(cmd.append(nil)); err != nil || !reflect.DeepEqual(again, cmd) {
			t.Errorf("%+v became %+v, %v", cmd, again, err)
		}
	})
}

// FuzzReadPending is the same for an event of the outbox.
func FuzzReadPending(f *testing.F) {
	f.Add(appendPending(nil, 7, &bridge.Event{Type: "a", Sequence: 3, Data: []byte("{}")}))
	f.Fuzz(func(t *testing.T, value []byte) {
		commit, e, err := readPending(value, nil)
		if err != nil {
			return
		}
		number, again, err := readPending(appendPending(nil, commit, e), nil)
		if err != nil || number != commit || fmt.Sprint(again) != fmt.Sprint(e) {
			t.Errorf("%d %v became %d %v, %v", commit, e, number, again, err)
		}
	})
}

// FuzzReadEventBatch is the same for all that a commit has emitted.
func FuzzReadEventBatch(f *testing.F) {
	pending := appendPending(nil, 7, &bridge.Event{Type: "a", Sequence: 3, Data: []byte("{}")})
	f.Add(record.AppendText(record.AppendText(nil, pending), pending))
	f.Add(record.AppendText(nil, pending[:5]))
	f.Fuzz(func(t *testing.T, value []byte) {
		var records, again [][]byte
		var written []byte
		err := eachRecord(value, func(i int, row []byte) error {
			if i != len(records) {
				t.Fatalf("record %d is numbered %d", len(records), i)
			}
			records, written = append(records, row), record.AppendText(written, row)
			return nil
		})
		if err != nil {
			return
		}
		err = eachRecord(written, func(_ int, row []byte) error { again = append(again, row); return nil })
		if err != nil || !slices.EqualFunc(again, records, bytes.Equal) {
			t.Errorf("%q became %q, %v", records, again, err)
		}
	})
}

// FuzzReadQuarantineRecord is the same for what the limits of the quarantine need to know.
func FuzzReadQuarantineRecord(f *testing.F) {
	f.Add(quarantineRecord{what: quarantineID{reason: bridge.ReasonExpired}, bytes: 300}.append(nil))
	f.Fuzz(func(t *testing.T, value []byte) {
		key := numberKey(nil, tableQuarantineIndex, 5)
		e, err := readQuarantineRecord(key, value)
		if err != nil {
			return
		}
		if again, err := readQuarantineRecord(key, e.append(nil)); err != nil || again != e {
			t.Errorf("%+v became %+v, %v", e, again, err)
		}
	})
}

// FuzzReadEntry is the same for an entry of the quarantine and a dead letter.
func FuzzReadEntry(f *testing.F) {
	f.Add(record.AppendEvent(record.AppendText(nil, "body"), &bridge.Event{Type: "a", Data: []byte("{}")}))
	f.Add(record.AppendEvent(record.AppendText(record.AppendText(nil, "too_large"), "2 MB"), &bridge.Event{Type: "a", Data: []byte("{}")}))
	f.Fuzz(func(t *testing.T, value []byte) {
		for _, queue := range []bridge.ReviewQueue{bridge.QuarantineQueue, bridge.DeadLetterQueue} {
			key := numberKey(nil, tableDeadLetter, 5)
			e, err := readEntry(queue, key, value)
			if err != nil {
				continue
			}
			head := record.AppendText(record.AppendText(nil, e.reason), e.detail)
			if queue == bridge.QuarantineQueue {
				head = record.AppendText(nil, e.raw)
			}
			again, err := readEntry(queue, key, record.AppendEvent(head, e.event))
			if err != nil || again.reason != e.reason || again.detail != e.detail || string(again.raw) != string(e.raw) || fmt.Sprint(again.event) != fmt.Sprint(e.event) {
				t.Errorf("%+v became %+v, %v", e, again, err)
			}
		}
	})
}

// FuzzLaneKey: the key of a lane is read back as that lane, so no two lanes share a key, and holds no byte that ends
// it.
func FuzzLaneKey(f *testing.F) {
	f.Add("push.example.com", "live", "room1")
	f.Add("", "a/b", "%2F\x00\x01")
	f.Fuzz(func(t *testing.T, domain, app, stream string) {
		l := bridge.Lane{Kind: bridge.KindStream, Domain: domain, App: app, Stream: stream}
		key := laneKey(nil, l)
		if got, err := laneOf(key); err != nil || got != l {
			t.Errorf("%+v became %+v, %v", l, got, err)
		}
		for _, b := range key[2:] {
			if b < 0x21 || b > 0x7e {
				t.Errorf("%+v has the byte %#x in its key", l, b)
			}
		}
	})
}

// FuzzReadMeta: what can be read of a meta value is written again as it was understood, and nothing makes it panic.
func FuzzReadMeta(f *testing.F) {
	f.Add((&meta{commit: 7, buckets: []bucket{{number: 1, first: 2, last: 3, count: 4}}}).append(nil))
	f.Fuzz(func(t *testing.T, value []byte) {
		m, err := readMeta(value)
		if err != nil {
			return
		}
		again, err := readMeta(m.append(nil))
		if err != nil || string(again.append(nil)) != string(m.append(nil)) {
			t.Errorf("%+v became %+v, %v", m, again, err)
		}
	})
}

// FuzzReadLane is the same for a lane's state.
func FuzzReadLane(f *testing.F) {
	l := lane{touched: 5}
	l.state.Sequence = 9
	f.Add(l.appendState(nil, startClock(time.Now)))
	f.Fuzz(func(t *testing.T, value []byte) {
		var l lane
		c := startClock(time.Now)
		if l.readState(value, c, memory().Limits) != nil {
			return
		}
		var again lane
		if err := again.readState(l.appendState(nil, c), c, memory().Limits); err != nil || again.state.Last != l.state.Last ||
			again.state.Sequence != l.state.Sequence || len(again.state.Held) != len(l.state.Held) {
			t.Errorf("%+v became %+v, %v", l, again, err)
		}
	})
}
