package nats

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// powerSeeds is how many drawn remains TestPowerLoss starts on: go test ./transports/nats -run PowerLoss -power.seeds
// 2000
var powerSeeds = flag.Uint64("power.seeds", 8, "remains of a power loss that are drawn")

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

// TestPowerLoss takes the power from an embedded server at several times, and starts on what is left: with all that
// was not synced gone, with all of it there, with each file missing that could be, with each that could be there
// alone, and with remains that are drawn. What had been checkpointed is there, what had not is published again, every
// lane is in order, and a durable consumer gets everything.
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

// TestEmptyPosition: a power loss can leave a consumer's position without content. The consumer begins again, and skips nothing.
func TestEmptyPosition(t *testing.T) {
	t.Parallel()
	l := losses(t)[1]
	dir := "nats/jetstream/LIVE/streams/LIVE_EVENTS/obs/app"
	i := l.written.dirs[dir][positionFile]
	l.synced.dirs[dir] = map[string]uint64{"meta.inf": l.written.dirs[dir]["meta.inf"], "meta.sum": l.written.dirs[dir]["meta.sum"]}
	l.synced.files[i], l.written.files[i] = nil, []byte{}
	l.recover(t, everything{})
}

// recover starts on what is left, publishes what was not checkpointed again, as the outbox does, and judges. It
// returns a loss of that life.
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

// republish publishes what was not checkpointed again: a lane's events in order, and the lanes in another order than
// before.
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

// unsynced names what may be as it was or as it was written. The stream of quarantine notices is empty, and left to
// chance.
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
