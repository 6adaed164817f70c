package embedded

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"livebridge/bridge"
	"livebridge/transports/nats"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// largeEvent is the n-th event of a lane. Eleven of them fill a block of the server's.
func largeEvent(lane string, n uint64) *bridge.Event {
	e := natstest.Event(lane, n)
	e.Data = fmt.Appendf(nil, `{"lane":%q,"n":%d,"more":%q}`, lane, n, strings.Repeat("x", 2000))
	return e
}

// smallBlocks makes the server's blocks as small as they can be; four of them fill the stream.
func smallBlocks(o *nats.Options) { o.MaxBytes = 127_000 }

// bridgeRun is what the bridge and one consumer know while an embedded server lives and dies.
type bridgeRun struct {
	disk      *powerDisk
	failed    *atomic.Bool // a test that began before this one
	e         *Publisher
	published []*bridge.Event   // acknowledged, in this order
	durable   int               // so many of them before a checkpoint that went well
	received  map[string]bool   // the consumer has processed it
	acked     uint64            // the last sequence that it has acknowledged
	stored    map[uint64]string // what the stream had under each sequence when the power went
}

// powerLoss is a life that ends with the power.
type powerLoss struct {
	name string
	bridgeRun
	powerCut
}

// cutPower notes what there is when the power goes. The life goes on, as if it had not.
func (b *bridgeRun) cutPower(t *testing.T, name string) powerLoss {
	t.Helper()
	b.awaitPosition(t)
	l := powerLoss{name: name, bridgeRun: *b, powerCut: b.disk.cut(t)}
	l.published, l.received = slices.Clone(b.published), maps.Clone(b.received)
	return l
}

func startOn(t *testing.T, d *powerDisk) *Publisher {
	t.Helper()
	o := nats.DefaultOptions()
	smallBlocks(&o)
	o.CheckInterval = time.Hour // whatever a test has made of the stream
	e, err := Start(Options{
		StoreDir: filepath.Join(d.root, "nats"), Listen: "127.0.0.1:0", watch: time.Hour, sync: d.sync,
	}, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// publish has n more events acknowledged, of three lanes in turn.
func (b *bridgeRun) publish(t *testing.T, n int) {
	t.Helper()
	for range n {
		i := len(b.published)
		e := largeEvent(string(rune('a'+i%3)), uint64(i/3+1))
		if err := transporttest.Publish(t, b.e, e); err != nil {
			t.Fatal(err)
		}
		b.published = append(b.published, e)
	}
}

func (b *bridgeRun) checkpoint(t *testing.T) {
	t.Helper()
	b.awaitPosition(t)
	if err := b.e.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.durable = len(b.published)
}

// consumer is a durable one, made if it is not there.
func (b *bridgeRun) consumer(t *testing.T) jetstream.Consumer {
	t.Helper()
	c, err := consumerJS(t, b.e).CreateOrUpdateConsumer(t.Context(), "LIVE_EVENTS", jetstream.ConsumerConfig{
		Durable: "app", AckPolicy: jetstream.AckExplicitPolicy, AckWait: 500 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// consume processes messages until the consumer has done so with the first n events.
func (b *bridgeRun) consume(t *testing.T, n int) {
	t.Helper()
	c := b.consumer(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, e := range b.published[:n] {
		for !b.received[string(e.AppendStructured(nil))] {
			m, err := c.Next(jetstream.FetchContext(ctx))
			if err != nil {
				t.Fatalf("the consumer skips %s %d: %v", e.Lane.Stream, e.Sequence, err)
			}
			b.received[string(m.Data())] = true
			b.acked = natstest.Must(m.Metadata()).Sequence.Stream
			if err := m.DoubleAck(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// awaitPosition waits until the server has written, though not synced, where the consumer is. It does so ten times a
// second.
func (b *bridgeRun) awaitPosition(t *testing.T) {
	t.Helper()
	const header = 2
	file := filepath.Join(b.disk.root, "nats", "jetstream", "LIVE", "streams", "LIVE_EVENTS", "obs", "app", "o.dat")
	for end := time.Now().Add(20 * time.Second); ; {
		text, err := os.ReadFile(file)
		if err == nil && len(text) > header {
			_, n := binary.Uvarint(text[header:]) // the consumer's own count
			if floor, _ := binary.Uvarint(text[header+n:]); floor >= b.acked && atRest(file) {
				return
			}
		}
		if time.Now().After(end) {
			t.Fatalf("%s does not say that %d has been acknowledged: %v", file, b.acked, err)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// recordStored keeps which event has which sequence of the stream.
func (b *bridgeRun) recordStored(t *testing.T) {
	t.Helper()
	b.stored = make(map[uint64]string)
	for _, m := range natstest.Messages(t, adminOf(t, b.e), "LIVE_EVENTS") {
		b.stored[natstest.Must(m.Metadata()).Sequence.Stream] = string(m.Data())
	}
}

// atRest reports that the server, which writes a position ten times a second at the most, has nothing more to write.
func atRest(file string) bool {
	info, err := os.Stat(file)
	return err == nil && time.Since(info.ModTime()) > 200*time.Millisecond
}
