package committed

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/segmentio/kafka-go/protocol"
)

// made is a batch as a log would have it.
type made struct {
	first, last int64 // last: 0 for first and the records
	attributes  int16
	times       [2]int64 // the first and the greatest
	producer    int64
	keys        []string
	values      []string
}

const lz4 = 3

// bytes encodes the batch with the library, which writes no header of a log.
func (m made) bytes(t testing.TB) []byte {
	t.Helper()
	var records []protocol.Record
	for i := range m.values {
		r := protocol.Record{Value: protocol.NewBytes([]byte(m.values[i])),
			Headers: []protocol.Header{{Key: "name", Value: []byte("of it")}}}
		if len(m.keys) > i {
			r.Key = protocol.NewBytes([]byte(m.keys[i]))
		}
		records = append(records, r)
	}
	empty := len(records) == 0
	if empty { // as compaction leaves it
		records = []protocol.Record{{}}
	}
	var b bytes.Buffer
	set := protocol.RecordSet{Version: 2, Attributes: protocol.Attributes(m.attributes & compressionBits),
		Records: protocol.NewRecordReader(records...)}
	if _, err := set.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	out := b.Bytes()[4:]
	if empty {
		out = out[:batchHeader]
		binary.BigEndian.PutUint32(out[8:], batchHeader-batchBase)
		binary.BigEndian.PutUint32(out[57:], 0)
	}
	binary.BigEndian.PutUint64(out, uint64(m.first))
	binary.BigEndian.PutUint16(out[21:], uint16(m.attributes))
	if m.last > 0 {
		binary.BigEndian.PutUint32(out[23:], uint32(m.last-m.first))
	}
	binary.BigEndian.PutUint64(out[27:], uint64(m.times[0]))
	binary.BigEndian.PutUint64(out[35:], uint64(m.times[1]))
	binary.BigEndian.PutUint64(out[43:], uint64(m.producer))
	return sealed(out)
}

// sealed gives a batch its checksum.
func sealed(b []byte) []byte {
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

// data is a batch of a producer's transaction.
func data(first, producer int64, values ...string) made {
	return made{first: first, attributes: transactionBit, producer: producer, values: values}
}

// marker ends a producer's transaction: kind is 0 for an abort and 1 for a commit.
func marker(first, producer int64, kind byte) made {
	return made{first: first, attributes: transactionBit | controlBit, producer: producer,
		keys: []string{string([]byte{0, 0, 0, kind})}, values: []string{"\x00\x00\x00\x00\x00\x00"}}
}

const (
	abort  = 0
	commit = 1
)

func log(t testing.TB, batches ...made) (out []byte) {
	for _, b := range batches {
		out = append(out, b.bytes(t)...)
	}
	return out
}

// TestCommittedRecords: of a response come the committed records alone, each once, and Next is behind everything.
func TestCommittedRecords(t *testing.T) {
	for _, c := range []struct {
		name    string
		log     []byte
		aborted []abortedTransaction
		from    int64
		want    []string
		next    int64
	}{
		{"no transactions", log(t, made{first: 0, producer: -1, values: []string{"a", "b"}}), nil, 0, []string{"a", "b"}, 2},
		{"committed and aborted", log(t, data(0, 1, "a"), marker(1, 1, commit), data(2, 1, "no"), marker(3, 1, abort),
			data(4, 1, "b"), marker(5, 1, commit)), []abortedTransaction{{1, 2}}, 0, []string{"a", "b"}, 6},
		// Brokers list the transactions by their last offset.
		{"two producers", log(t, data(0, 1, "no"), data(1, 2, "no"), marker(2, 2, abort), data(3, 2, "a"),
			marker(4, 1, abort), marker(5, 2, commit)), []abortedTransaction{{2, 1}, {1, 0}}, 0, []string{"a"}, 6},
		{"compacted to a marker", log(t, marker(3, 1, abort), data(4, 1, "a"), marker(5, 1, commit)),
			[]abortedTransaction{{1, 0}}, 0, []string{"a"}, 6},
		{"emptied by compaction", log(t, made{first: 0, last: 9, producer: 1}, data(10, 1, "a")), nil, 0, []string{"a"}, 11},
		{"emptied alone", log(t, made{first: 0, last: 9, producer: 1}), nil, 0, nil, 10},
		{"from the middle", log(t, data(0, 1, "no", "no", "a", "b")), nil, 2, []string{"a", "b"}, 4},
		{"outside of the aborted transaction", log(t, data(0, 1, "no"), made{first: 1, producer: 1, values: []string{"a"}}),
			[]abortedTransaction{{1, 0}}, 0, []string{"a"}, 2},
		{"compressed", log(t, made{attributes: lz4, values: []string{"a", "b", "c"}}), nil, 0, []string{"a", "b", "c"}, 3},
		{"cut off", log(t, data(0, 1, "a"), data(1, 1, "no"))[:150], nil, 0, []string{"a"}, 1},
		{"nothing", nil, nil, 7, nil, 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &Reader{Next: c.from}
			got, err := r.read(&response{records: c.log, aborted: c.aborted})
			var values []string
			for _, record := range got {
				values = append(values, string(record.Value))
			}
			if err != nil || !slices.Equal(values, c.want) || r.Next != c.next {
				t.Errorf("%q and next %d, %v; want %q and %d", values, r.Next, err, c.want, c.next)
			}
		})
	}
}

// TestTimes: a log that appends says when, and otherwise it is the producer's word.
func TestTimes(t *testing.T) {
	for attributes, want := range map[int16]int64{0: 1000, logTimeBit: 5000, logTimeBit | lz4: 5000} {
		r := &Reader{}
		b := made{attributes: attributes, times: [2]int64{1000, 5000}, keys: []string{"k"}, values: []string{"a"}}
		got, err := r.read(&response{records: b.bytes(t)})
		if err != nil || len(got) != 1 || got[0].Time != want || string(got[0].Key) != "k" ||
			len(got[0].Headers) != 1 || got[0].Headers[0].Key != "name" || string(got[0].Headers[0].Value) != "of it" {
			t.Errorf("attributes %d: %v, %v", attributes, got, err)
		}
	}
}

// TestDamagedBatches: what is no batch is an error that does not pass, and moves nothing.
func TestDamagedBatches(t *testing.T) {
	whole := func() []byte { return data(0, 1, "a", "b").bytes(t) }
	for name, damage := range map[string]func(b []byte) []byte{
		"a bit":          func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"an old format":  func(b []byte) []byte { b[16] = 1; return b },
		"no length":      func(b []byte) []byte { binary.BigEndian.PutUint32(b[8:], 5); return b },
		"negative":       func(b []byte) []byte { binary.BigEndian.PutUint32(b[8:], 1<<31); return b },
		"more records":   func(b []byte) []byte { binary.BigEndian.PutUint32(b[57:], 3); return sealed(b) },
		"offsets go up":  func(b []byte) []byte { binary.BigEndian.PutUint32(b[23:], 1<<31); return sealed(b) },
		"no compression": func(b []byte) []byte { b[22] |= 7; return sealed(b) },
		"not compressed": func(b []byte) []byte { b[22] |= lz4; return sealed(b) },
	} {
		t.Run(name, func(t *testing.T) {
			r := &Reader{Topic: "events", Next: 0}
			got, err := r.read(&response{records: damage(whole())})
			if err == nil || len(got) > 0 || r.Next != 0 {
				t.Errorf("%v, %v, next %d", got, err, r.Next)
			}
		})
	}
	r := &Reader{}
	b := whole()
	b[len(b)-1] ^= 1
	if _, err := r.read(&response{records: b}); !errors.Is(err, errChecksum) || Passes(err) {
		t.Errorf("%v passes: %v", err, Passes(err))
	}
}

// FuzzResponse: no response of a broker makes the reader fall over, and none moves it back.
func FuzzResponse(f *testing.F) {
	f.Add(answer(f, 0, []abortedTransaction{{1, 0}}, log(f, data(0, 1, "a"), marker(1, 1, abort))))
	f.Add(answer(f, 1, nil, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := decodeResponse(b)
		if err != nil {
			return
		}
		r := &Reader{Next: 5}
		if records, err := r.read(got); r.Next < 5 || err != nil && len(records) > 0 {
			t.Errorf("next %d, %d records, %v", r.Next, len(records), err)
		}
	})
}

// FuzzRecords: no records of a batch do, whatever their compression.
func FuzzRecords(f *testing.F) {
	for _, attributes := range []int16{0, 1, 2, 3, 4} {
		b := made{attributes: attributes, keys: []string{"key"}, values: []string{"value", ""}}.bytes(f)
		f.Add(attributes, int32(2), b[batchHeader:])
	}
	f.Fuzz(func(t *testing.T, attributes int16, count int32, records []byte) {
		b := &batch{attributes: attributes, count: count, records: records}
		n := int32(0)
		if err := b.each(func(Record) { n++ }); err == nil && n != max(count, 0) {
			t.Errorf("%d of %d records without an error", n, count)
		}
		b.aborts()
	})
}

// answer is a response to a fetch, as a broker writes it.
func answer(t testing.TB, code int16, aborted []abortedTransaction, records []byte) []byte {
	t.Helper()
	b := make([]byte, 4+4+2+4) // the request's number, throttle time, error, session
	b = binary.BigEndian.AppendUint32(b, 1)
	b = append(binary.BigEndian.AppendUint16(b, 6), "events"...)
	b = binary.BigEndian.AppendUint32(b, 1)
	b = binary.BigEndian.AppendUint32(b, 3)
	b = binary.BigEndian.AppendUint16(b, uint16(code))
	b = append(b, make([]byte, 24)...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(aborted)))
	for _, a := range aborted {
		b = binary.BigEndian.AppendUint64(b, uint64(a.producer))
		b = binary.BigEndian.AppendUint64(b, uint64(a.first))
	}
	b = binary.BigEndian.AppendUint32(b, 0)
	return append(binary.BigEndian.AppendUint32(b, uint32(len(records))), records...)
}

// TestResponses: a response is of one partition, and whole.
func TestResponses(t *testing.T) {
	whole := answer(t, 3, []abortedTransaction{{1, 7}, {2, 5}}, []byte("records"))
	got, err := decodeResponse(whole)
	if err != nil || got.code != 3 || string(got.records) != "records" ||
		!slices.Equal(got.aborted, []abortedTransaction{{1, 7}, {2, 5}}) {
		t.Errorf("%+v, %v", got, err)
	}
	for n := range whole {
		if _, err := decodeResponse(whole[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes make a response", n, len(whole))
		}
	}
	broker := make([]byte, 14+4)
	broker[9] = 41
	if got, err := decodeResponse(broker); err != nil || got.code != 41 {
		t.Errorf("an error without a partition is %+v, %v", got, err)
	}
}
