package producer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go/protocol"
)

// values are records of this size, which compress about as well as events do.
func values(count, size int) (out []Record) {
	random := rand.New(rand.NewPCG(1, 2))
	for n := range count {
		text := fmt.Sprintf(`{"n":%d,"id":"%x"}`, n, random.Uint64())
		out = append(out, Record{Key: fmt.Append(nil, n), Value: []byte(strings.Repeat(text, 1+size/len(text))[:size])})
	}
	return out
}

// TestEncoder: what is encoded with each compression is read by the library, which checks the checksum.
func TestEncoder(t *testing.T) {
	for _, compression := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		e, err := NewEncoder(false, compression)
		if err != nil {
			t.Fatal(err)
		}
		for _, records := range [][]Record{values(1, 1), values(1000, 400), values(3, 200_000)} {
			set, err := e.Bytes(records)
			if err != nil {
				t.Fatal(err)
			}
			e.Transactional(set, 7, 3, 9)
			if got := decoded(t, set); got != texts(records) {
				t.Errorf("%s: %d records became %.100q", compression, len(records), got)
			}
		}
	}
}

// TestLZ4Blocks: a batch does not ask its readers for more memory than other clients' do.
func TestLZ4Blocks(t *testing.T) {
	e, err := NewEncoder(false, "lz4")
	if err != nil {
		t.Fatal(err)
	}
	set, err := e.Bytes(values(10, 100))
	if err != nil {
		t.Fatal(err)
	}
	const blockDescriptor, blocksOf64KiB = 5, 4 << 4 // LZ4 frame format, "Frame Descriptor"
	if got := set[offsetRecords+blockDescriptor]; got != blocksOf64KiB {
		t.Errorf("block descriptor %#x, want %#x", got, blocksOf64KiB)
	}
}

// texts are the keys and values.
func texts(records []Record) string {
	var b strings.Builder
	for _, r := range records {
		fmt.Fprintf(&b, "%s=%s\n", r.Key, r.Value)
	}
	return b.String()
}

func decoded(t *testing.T, set []byte) string {
	t.Helper()
	var read protocol.RecordSet
	if _, err := read.ReadFrom(bytes.NewReader(set)); err != nil {
		t.Fatal(err)
	}
	var out []Record
	for {
		r, err := read.Records.ReadRecord()
		if errors.Is(err, io.EOF) {
			return texts(out)
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, Record{Key: readAll(t, r.Key), Value: readAll(t, r.Value)})
	}
}

func readAll(t *testing.T, b protocol.Bytes) []byte {
	t.Helper()
	all, err := protocol.ReadAll(b)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// BenchmarkEncode encodes batches of 400-byte records with lz4.
func BenchmarkEncode(b *testing.B) {
	for _, count := range []int{1, 10, 500} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			e, err := NewEncoder(false, "lz4")
			if err != nil {
				b.Fatal(err)
			}
			records := values(count, 400)
			var set bytes.Buffer
			b.ReportAllocs()
			for b.Loop() {
				if err := e.Encode(&set, records); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
