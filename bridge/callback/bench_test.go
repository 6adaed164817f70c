package callback_test

import (
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/callback"
)

// benchmarkBody measures what the hot path does with one body: Decode, Event, Release.
func benchmarkBody(b *testing.B, kind bridge.Kind, body string) {
	raw, policy := []byte(body), callback.Policy{UserArgs: callback.Redact}
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		c, err := callback.Decode(kind, raw)
		if err != nil {
			b.Fatal(err)
		}
		c.Event(policy, callback.Nonce{}, fixedNow)
		c.Release()
	}
}

func BenchmarkStream(b *testing.B)   { benchmarkBody(b, bridge.KindStream, vendorStream) }
func BenchmarkRecord(b *testing.B)   { benchmarkBody(b, bridge.KindRecord, vendorRecord) }
func BenchmarkSnapshot(b *testing.B) { benchmarkBody(b, bridge.KindSnapshot, snapshotBody) }

// BenchmarkUnrecognized is a stream body of a provider that has added two members.
func BenchmarkUnrecognized(b *testing.B) {
	benchmarkBody(b, bridge.KindStream, `{"codec":"h264","tags":{"b":[1,2.50],"a":null},`+vendorStream[1:])
}
