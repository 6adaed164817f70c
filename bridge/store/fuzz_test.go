package store

import (
	"bytes"
	"fmt"
	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/record"
	"slices"
	"testing"
)

// What can be read of a value is written again as it was understood, and nothing makes a reader panic. The corpora that
// have been found are in testdata/fuzz; go test runs them.

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
	f.Add(
		quarantineRecord(&processor.QuarantineRecord{What: processor.QuarantineID{Reason: bridge.ReasonExpired}, Bytes: 300}),
	)
	f.Fuzz(func(t *testing.T, value []byte) {
		key := numberKey(nil, tableQuarantineIndex, 5)
		e, err := readQuarantineRecord(key, value)
		if err != nil {
			return
		}
		if again, err := readQuarantineRecord(key, quarantineRecord(&e)); err != nil || again != e {
			t.Errorf("%+v became %+v, %v", e, again, err)
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
		if got, err := laneOfKey(key); err != nil || got != l {
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
	f.Add(
		(&meta{commit: 7, counters: processor.Counters{
			Buckets: []processor.Bucket{{Number: 1, First: 2, Last: 3, Count: 4}}}}).append(
			nil,
		),
	)
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
