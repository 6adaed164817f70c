package nats

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"livebridge/bridge"
)

// powerSeeds is how many drawn remains TestPowerLoss starts on: go test ./transports/nats -run PowerLoss -power.seeds 2000
var powerSeeds = flag.Uint64("power.seeds", 8, "remains of a power loss that are drawn")

// largeEvent is the n-th event of a lane. Eleven of them fill a block of the server's.
func largeEvent(lane string, n uint64) *bridge.Event {
	e := event(lane, n)
	e.Data = fmt.Appendf(nil, `{"lane":%q,"n":%d,"more":%q}`, lane, n, strings.Repeat("x", 2000))
	return e
}

// smallBlocks makes the server's blocks as small as they can be; four of them fill the stream.
func smallBlocks(o *Options) { o.MaxBytes = 127_000 }

// bridgeLife is what the bridge and one consumer know while an embedded server lives and dies.
type bridgeLife struct {
	disk      *powerDisk
	failed    *atomic.Bool // a test that began before this one
	e         *Embedded
	published []*bridge.Event   // acknowledged, in this order
	durable   int               // so many of them before a checkpoint that went well
	received  map[string]bool   // the consumer has processed it
	acked     uint64            // the last sequence that it has acknowledged
	stored    map[uint64]string // what the stream had under each sequence when the power went
}

// loss is a life that ends with the power.
type loss struct {
	name string
	bridgeLife
	outage
}

// lose notes what there is when the power goes. The life goes on, as if it had not.
func (b *bridgeLife) lose(t *testing.T, name string) loss {
	t.Helper()
	b.awaitPosition(t)
	l := loss{name: name, bridgeLife: *b, outage: b.disk.cut(t)}
	l.published, l.received = slices.Clone(b.published), maps.Clone(b.received)
	return l
}

func startOn(t *testing.T, d *powerDisk) *Embedded {
	t.Helper()
	o := DefaultOptions()
	smallBlocks(&o)
	e, err := StartEmbedded(EmbeddedOptions{
		StoreDir: filepath.Join(d.root, "nats"), Listen: "127.0.0.1:0", watch: time.Hour, sync: d.sync,
	}, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// publish has n more events acknowledged, of three lanes in turn.
func (b *bridgeLife) publish(t *testing.T, n int) {
	t.Helper()
	for range n {
		i := len(b.published)
		e := largeEvent(string(rune('a'+i%3)), uint64(i/3+1))
		if err := publish(t, b.e, e); err != nil {
			t.Fatal(err)
		}
		b.published = append(b.published, e)
	}
}

func (b *bridgeLife) checkpoint(t *testing.T) {
	t.Helper()
	if err := b.e.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.durable = len(b.published)
}

// consumer is a durable one, made if it is not there.
func (b *bridgeLife) consumer(t *testing.T) jetstream.Consumer {
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
func (b *bridgeLife) consume(t *testing.T, n int) {
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
			b.acked = must(m.Metadata()).Sequence.Stream
			if err := m.DoubleAck(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// awaitPosition waits until the server has written, though not synced, where the consumer is. It does so ten times a second.
func (b *bridgeLife) awaitPosition(t *testing.T) {
	t.Helper()
	const header = 2
	file := filepath.Join(b.disk.root, "nats", "jetstream", "LIVE", "streams", "LIVE_EVENTS", "obs", "app", "o.dat")
	for end := time.Now().Add(20 * time.Second); ; {
		text, err := os.ReadFile(file)
		if err == nil && len(text) > header {
			_, n := binary.Uvarint(text[header:]) // the consumer's own count
			if floor, _ := binary.Uvarint(text[header+n:]); floor >= b.acked {
				return
			}
		}
		if time.Now().After(end) {
			t.Fatalf("%s does not say that %d has been acknowledged: %v", file, b.acked, err)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// note keeps which event has which sequence of the stream.
func (b *bridgeLife) note(t *testing.T) {
	t.Helper()
	b.stored = make(map[uint64]string)
	for _, m := range messages(t, adminOf(t, b.e), "LIVE_EVENTS") {
		b.stored[must(m.Metadata()).Sequence.Stream] = string(m.Data())
	}
}

// losses are those of one server that lives twice.
func losses(t *testing.T) []loss {
	t.Helper()
	b := &bridgeLife{disk: newPowerDisk(t, t.TempDir()), received: make(map[string]bool), failed: new(atomic.Bool)}
	b.e = startOn(t, b.disk)
	b.publish(t, 6)
	b.consume(t, 4)
	out := []loss{b.lose(t, "nothing is durable")}
	b.checkpoint(t)
	out = append(out, b.lose(t, "all is durable"))
	b.publish(t, 18)
	b.consume(t, 20)
	b.note(t)
	out = append(out, b.lose(t, "blocks are not durable"))
	b.checkpoint(t)
	closePublisher(t, b.e)
	out = append(out, b.lose(t, "stopped"))
	out[2].lend(out[3], "nats/jetstream/LIVE/streams/LIVE_EVENTS/msgs", indexFile)
	b.e = startOn(t, b.disk)
	out = append(out, b.lose(t, "started again"))
	b.publish(t, 10)
	b.consume(t, 30)
	b.note(t)
	out = append(out, b.lose(t, "started again, and blocks are not durable"))
	closePublisher(t, b.e)
	return out
}

// lend adds a file that another loss has: the server writes it now and then.
func (l loss) lend(other loss, dir, name string) {
	i := other.written.dirs[dir][name]
	l.written.dirs[dir][name], l.written.files[i] = i, other.written.files[i]
}

// TestPowerLoss takes the power from an embedded server at several times, and starts on what is left: with all that was not
// synced gone, with all of it there, with each file missing that could be, with each that could be there alone, and with
// remains that are drawn. What had been checkpointed is there, what had not is published again, every lane is in order, and
// a durable consumer gets everything.
func TestPowerLoss(t *testing.T) {
	all := losses(t)
	for _, l := range all {
		fates := map[string]fate{"nothing more": nothingMore{}, "everything": everything{}}
		for _, path := range l.unsynced() {
			fates["without "+path], fates["only "+path] = without(path), only(path)
		}
		for name, f := range fates {
			t.Run(l.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				l.recover(t, f)
			})
		}
	}
	for seed := range *powerSeeds {
		random := rand.New(rand.NewPCG(seed, 11))
		l := all[random.IntN(len(all))]
		t.Run(fmt.Sprint("seed ", seed, " ", l.name), func(t *testing.T) {
			t.Parallel()
			again := l.recover(t, anything{random})
			again.recover(t, anything{random})
		})
	}
}

// recover starts on what is left, publishes what was not checkpointed again, as the outbox does, and judges. It returns a
// loss of that life.
func (l loss) recover(t *testing.T, f fate) loss {
	t.Helper()
	if l.failed.Load() {
		t.Skip("another has failed, and each takes its time to")
	}
	defer func() {
		if t.Failed() {
			l.failed.Store(true)
		}
	}()
	root := t.TempDir()
	l.leave(t, root, f)
	b := l.bridgeLife
	b.published, b.received = slices.Clone(l.published), maps.Clone(l.received)
	b.disk = newPowerDisk(t, root)
	b.e = startOn(t, b.disk)
	defer closePublisher(t, b.e)
	position := b.position(t)
	b.republish(t)
	b.publish(t, 1)
	if b.judge(t, position); t.Failed() {
		t.FailNow()
	}
	b.consume(t, len(b.published))
	b.checkpoint(t)
	b.publish(t, 1)
	b.note(t)
	return b.lose(t, "again")
}

// position is up to where the consumer has been served, as the server remembers it.
func (b *bridgeLife) position(t *testing.T) uint64 {
	t.Helper()
	c, err := consumerJS(t, b.e).Consumer(t.Context(), "LIVE_EVENTS", "app")
	if errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	return c.CachedInfo().Delivered.Stream
}

// republish publishes what was not checkpointed again: a lane's events in order, and the lanes in another order than before.
func (b *bridgeLife) republish(t *testing.T) {
	t.Helper()
	for _, lane := range []string{"c", "b", "a"} {
		for _, e := range b.published[b.durable:] {
			if e.Lane.Stream != lane {
				continue
			}
			if err := publish(t, b.e, e); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// judge looks at the stream.
func (b *bridgeLife) judge(t *testing.T, position uint64) {
	t.Helper()
	before, next := b.stored, make(map[string]int)
	var want [256][]string
	for _, e := range b.published {
		lane := e.Lane.Stream[0]
		want[lane] = append(want[lane], string(e.AppendStructured(nil)))
	}
	b.note(t)
	for _, sequence := range slices.Sorted(maps.Keys(b.stored)) {
		text := b.stored[sequence]
		if was, found := before[sequence]; found && sequence <= position && was != text {
			t.Errorf("the consumer has been served up to %d, and %d is given to another event", position, sequence)
		}
		lane := laneIn(text)
		at := slices.Index(want[lane[0]], text)
		if at < 0 || at > next[lane] {
			t.Fatalf("lane %s has event %d where %d is expected", lane, at+1, next[lane]+1)
		}
		next[lane] = max(next[lane], at+1)
	}
	for _, lane := range []string{"a", "b", "c"} {
		if next[lane] != len(want[lane[0]]) {
			t.Errorf("lane %s has %d of %d events", lane, next[lane], len(want[lane[0]]))
		}
	}
}

// laneIn returns the lane that largeEvent has written into an event.
func laneIn(text string) string {
	_, rest, _ := strings.Cut(text, `"lane":"`)
	return rest[:1]
}

// unsynced names what may be as it was or as it was written. The stream of quarantine notices is empty, and left to chance.
func (l loss) unsynced() []string {
	var out []string
	for dir, names := range l.written.dirs {
		for name, is := range names {
			path := filepath.Join(dir, name)
			if _, isDir := l.written.dirs[path]; isDir || strings.Contains(path, QuarantineStream) {
				continue
			}
			if l.synced.dirs[dir][name] != is || !bytes.Equal(l.synced.files[is], l.written.files[is]) {
				out = append(out, path)
			}
		}
	}
	return slices.Sorted(slices.Values(out))
}
