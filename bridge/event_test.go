package bridge

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestMillisString(t *testing.T) {
	const layout = "2006-01-02T15:04:05.000Z07:00"
	for _, m := range []Millis{0, 1, -1, 951782399999, 951782400000, 1587954134007, 253402300799999, 253402300800000,
		-62167219200000, -62167219200001} {
		if got, want := m.String(), time.UnixMilli(int64(m)).UTC().Format(layout); got != want {
			t.Errorf("%d is %s, want %s", m, got, want)
		}
	}
	for range 100_000 {
		m := Millis(rand.Int64N(1 << 48))
		if got, want := m.String(), time.UnixMilli(int64(m)).UTC().Format(layout); got != want {
			t.Fatalf("%d is %s, want %s", m, got, want)
		}
	}
}

func BenchmarkAppendStructured(b *testing.B) {
	e := Event{ID: ID{1}, Type: "com.huaweicloud.live.stream.publish", Session: 1587954134000, Occurred: 1587954134000,
		Recorded: 1587954134678,
		Lane:     Lane{Kind: KindStream, Domain: "push.example.com", App: "live", Stream: "room1"}, Sequence: 7,
		Scheme: SchemeHMAC, Data: []byte("{}")}
	var text []byte
	for b.Loop() {
		text = e.AppendStructured(text[:0])
	}
}
