package embedded

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
	"time"

	"livebridge/transports/nats"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"

	"github.com/nats-io/nats.go/jetstream"
)

// powerSeeds is how many drawn remains TestPowerLoss starts on:
//
//	go test ./transports/nats/embedded -run PowerLoss -power.seeds 2000
var powerSeeds = flag.Uint64("power.seeds", 8, "remains of a power loss that are drawn")

// powerLosses are those of one server that lives twice. Before the third, something may happen.
func powerLosses(t *testing.T, something func(b *bridgeRun)) []powerLoss {
	t.Helper()
	b := &bridgeRun{disk: newPowerDisk(t, t.TempDir()), received: make(map[string]bool), failed: new(atomic.Bool)}
	b.e = startOn(t, b.disk)
	b.publish(t, 6)
	b.consume(t, 4)
	b.recordStored(t)
	out := []powerLoss{b.cutPower(t, "nothing is durable")}
	b.checkpoint(t)
	out = append(out, b.cutPower(t, "all is durable"))
	b.publish(t, 18)
	b.consume(t, 20)
	b.recordStored(t)
	something(b)
	out = append(out, b.cutPower(t, "blocks are not durable"))
	b.checkpoint(t)
	transporttest.Close(t, b.e)
	out = append(out, b.cutPower(t, "stopped"))
	out[2].addFileOf(out[3], "nats/jetstream/LIVE/streams/LIVE_EVENTS/msgs", indexFile)
	b.e = startOn(t, b.disk)
	out = append(out, b.cutPower(t, "started again"))
	b.publish(t, 10)
	b.consume(t, 30)
	b.recordStored(t)
	out = append(out, b.cutPower(t, "started again, and blocks are not durable"))
	transporttest.Close(t, b.e)
	return out
}

// addFileOf adds a file that another loss has: the server writes it now and then.
func (l powerLoss) addFileOf(other powerLoss, dir, name string) {
	i := other.written.dirs[dir][name]
	l.written.dirs[dir][name], l.written.files[i] = i, other.written.files[i]
}

// TestPowerLoss takes the power from an embedded server at several times, and starts on what is left: with all that
// was not synced gone, with all of it there, with each file missing that could be, with each that could be there
// alone, and with remains that are drawn. What had been checkpointed is there, what had not is published again, every
// lane is in order, and a durable consumer gets everything.
func TestPowerLoss(t *testing.T) {
	t.Parallel()
	all := powerLosses(t, func(*bridgeRun) {})
	for _, l := range all {
		fates := map[string]survival{"nothing more": nothingUnsynced{}, "everything": everythingWritten{}}
		for _, path := range l.unsynced() {
			fates["without "+path] = allExcept(path)
			if !testing.Short() {
				fates["only "+path] = onlyName(path)
			}
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
			again := l.recover(t, randomly{random})
			again.recover(t, randomly{random})
		})
	}
}

// TestEmptyPosition: a power loss can leave a consumer's position without content. The consumer begins again, and skips
// nothing.
func TestEmptyPosition(t *testing.T) {
	t.Parallel()
	l := powerLosses(t, func(*bridgeRun) {})[1]
	dir := "nats/jetstream/LIVE/streams/LIVE_EVENTS/obs/app"
	i := l.written.dirs[dir][positionFile]
	l.synced.dirs[dir] = map[string]uint64{"meta.inf": l.written.dirs[dir]["meta.inf"],
		"meta.sum": l.written.dirs[dir]["meta.sum"]}
	l.synced.files[i], l.written.files[i] = nil, []byte{}
	l.recover(t, everythingWritten{})
}

// TestStaleSummary: the server's summary of a stream is on the disk, a block of which it speaks is not as it says, and
// all of it is too old for the server to look for repeats in it. Nothing is reserved: the block that skips sequences
// would be enough to make the server read the others.
func TestStaleSummary(t *testing.T) {
	t.Parallel()
	const window = 100 * time.Millisecond
	l := powerLosses(t, func(b *bridgeRun) {
		js := adminOf(t, b.e)
		config := natstest.Must(js.Stream(t.Context(), "LIVE_EVENTS")).CachedInfo().Config
		config.Duplicates = window
		natstest.Must(js.UpdateStream(t.Context(), config))
		b.stored, b.e.state.Reserved = nil, nil
		if err := b.e.store.writeState(b.e.state); err != nil {
			t.Fatal(err)
		}
	})[2]
	<-time.After(window) // has to pass
	l.recover(t, allExcept("nats/jetstream/LIVE/streams/LIVE_EVENTS/msgs/1.blk"))
}

// recover starts on what is left, publishes what was not checkpointed again, as the outbox does, and judges. It
// returns a loss of that life.
func (l powerLoss) recover(t *testing.T, f survival) powerLoss {
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
	l.restore(t, root, f)
	b := l.bridgeRun
	b.published, b.received = slices.Clone(l.published), maps.Clone(l.received)
	b.disk = newPowerDisk(t, root)
	b.e = startOn(t, b.disk)
	defer transporttest.Close(t, b.e)
	position := b.position(t)
	b.republish(t)
	b.publish(t, 1)
	if b.check(t, position); t.Failed() {
		t.FailNow()
	}
	b.consume(t, len(b.published))
	b.checkpoint(t)
	b.publish(t, 1)
	b.recordStored(t)
	return b.cutPower(t, "again")
}

// position is up to where the consumer has been served, as the server remembers it.
func (b *bridgeRun) position(t *testing.T) uint64 {
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
func (b *bridgeRun) republish(t *testing.T) {
	t.Helper()
	for _, lane := range []string{"c", "b", "a"} {
		for _, e := range b.published[b.durable:] {
			if e.Lane.Stream != lane {
				continue
			}
			if err := transporttest.Publish(t, b.e, e); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// check checks the stream.
func (b *bridgeRun) check(t *testing.T, position uint64) {
	t.Helper()
	before, next := b.stored, make(map[string]int)
	var want [256][]string
	for _, e := range b.published {
		lane := e.Lane.Stream[0]
		want[lane] = append(want[lane], string(e.AppendStructured(nil)))
	}
	b.recordStored(t)
	full, seen := b.full(t), make(map[string]bool)
	for _, sequence := range slices.Sorted(maps.Keys(b.stored)) {
		text := b.stored[sequence]
		if was, found := before[sequence]; found && was != text {
			t.Errorf("%d is given to another event; the consumer has been served up to %d", sequence, position)
		}
		lane := laneIn(text)
		at := slices.Index(want[lane[0]], text)
		if full && !seen[lane] && at > 0 {
			next[lane] = at
			for _, removed := range want[lane[0]][:at] {
				b.received[removed] = true
			}
		}
		seen[lane] = true
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

// full reports whether the stream has reached its limit, which removes the oldest events: a repeat that comes after the
// server's duplicate window is stored a second time, and on a busy machine all may be so late.
func (b *bridgeRun) full(t *testing.T) bool {
	t.Helper()
	info := natstest.Must(adminOf(t, b.e).Stream(t.Context(), "LIVE_EVENTS")).CachedInfo()
	return info.State.Bytes+uint64(len(largeEvent("a", 1).Data))*2 > uint64(info.Config.MaxBytes)
}

// laneIn returns the lane that largeEvent has written into an event.
func laneIn(text string) string {
	_, rest, _ := strings.Cut(text, `"lane":"`)
	return rest[:1]
}

// unsynced names what may be as it was or as it was written. The stream of quarantine notices is empty, and left to
// chance.
func (l powerLoss) unsynced() []string {
	var out []string
	for dir, names := range l.written.dirs {
		for name, is := range names {
			path := filepath.Join(dir, name)
			if _, isDir := l.written.dirs[path]; isDir || strings.Contains(path, nats.QuarantineStream) {
				continue
			}
			if l.synced.dirs[dir][name] != is || !bytes.Equal(l.synced.files[is], l.written.files[is]) {
				out = append(out, path)
			}
		}
	}
	return slices.Sorted(slices.Values(out))
}
