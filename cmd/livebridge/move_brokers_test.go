//go:build brokers

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/transports/kafka/kafkatest"
)

// TestIntakeThereAndBackOnKafka is the same as TestIntakeThereAndBack on a real broker.
func TestIntakeThereAndBackOnKafka(t *testing.T) {
	brokers := strings.Join(kafkatest.Start(t, kafkatest.Options{}).Brokers(), ",")
	moverOn(t, brokers).thereAndBack()
}

// What the memory of BenchmarkMove has.
const (
	movedIdentities = 1_000_000
	movedSignatures = 100_000
	movedLanes      = 100_000
)

// BenchmarkMove takes the memory of a service with a million ids to the partitions of one real broker, and back.
func BenchmarkMove(b *testing.B) {
	for _, partitions := range []int{3, 12} {
		b.Run(fmt.Sprint("partitions=", partitions), func(b *testing.B) {
			brokers := strings.Join(kafkatest.Start(b, kafkatest.Options{JVM: []string{"-Xmx512m"}}).Brokers(), ",")
			s, err := load(with("DATA_DIR", b.TempDir(), "TRANSPORT", "kafka", "KAFKA_BROKERS", brokers, "INTAKE", "broker",
				"KAFKA_PARTITIONS", fmt.Sprint(partitions), "MIN_FREE_BYTES", "1MiB"))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				benchMove(b, s)
			}
		})
	}
}

func benchMove(b *testing.B, s *settings) {
	begun := time.Now()
	lap := func(what string) {
		b.ReportMetric(time.Since(begun).Seconds(), what)
		begun = time.Now()
	}
	fillMemory(b, s)
	lap("s-fill")
	i := &importer{s: s, log: zap.NewNop(), wait: 10 * time.Minute}
	r := &replica{settings: s, transport: s.transport(), log: zap.NewNop()}
	shared, err := r.transport.share(b.Context(), r.log)
	if err == nil {
		lap("s-connect")
		err = r.handOver(b.Context(), shared)
	}
	if err != nil {
		b.Fatal(err)
	}
	lap("s-hand-over")
	for n, step := range i.steps() {
		if err := step(b.Context()); err != nil {
			b.Fatal(err)
		}
		if n == 2 {
			lap("s-decided")
		}
	}
	lap("s-import")
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	if err := shared.Close(ctx); err != nil {
		b.Error(err)
	}
	if err := i.close(); err != nil {
		b.Error(err)
	}
}

// fillMemory makes a journal that remembers much.
func fillMemory(b *testing.B, s *settings) {
	o := s.journalOptions()
	j, err := createJournal(o)
	if err != nil {
		b.Fatal(err)
	}
	pieces := processor.NewPacker([16]byte{1}, j.Remember)
	for n := range uint64(movedIdentities) {
		m := processor.Memory{Identities: []bridge.ID{hashed(n)}}
		if n < movedSignatures {
			expires := uint64(time.Now().Add(time.Hour).UnixMilli()) / 600_000
			m.Signatures = []processor.Signature{{Name: processor.Name{Signature: true, Part: expires, Sum: hashed(n)}}}
		}
		if n < movedLanes {
			l := processor.LaneState{Touched: bridge.MillisOf(time.Now()), Name: bridge.Lane{Kind: bridge.KindStream,
				Domain: "push.example.com", App: "live", Stream: fmt.Sprint("room", n)}}
			l.State.Sequence = n + 1
			m.Lanes = []processor.LaneState{l}
		}
		if err := pieces.Add(&m); err != nil {
			b.Fatal(err)
		}
	}
	if err := pieces.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
}

// hashed spreads a number like an id.
func hashed(n uint64) (sum [16]byte) {
	binary.BigEndian.PutUint64(sum[:], n*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(sum[8:], n)
	return sum
}
