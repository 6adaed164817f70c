package fallback

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/processor/processortest"
	"livebridge/bridge/store"
)

const budget = 800 * time.Millisecond

// intake is an intake log in memory that can be away, slow, or refuse what a stream sends.
type intake struct {
	mu      sync.Mutex
	away    bool
	slow    time.Duration
	refused func(name string) bool
	taken   []string
}

func (i *intake) Partitions() int { return 4 }

// Append takes an input after the delay, even if nobody waits for the answer any more.
func (i *intake) Append(ctx context.Context, _ int, input []byte) error {
	text := nameOf(input)
	i.mu.Lock()
	away, slow, refused := i.away, i.slow, i.refused != nil && i.refused(text)
	i.mu.Unlock()
	if refused {
		return bridge.Rejected(bridge.RejectionTooLarge, "too large")
	}
	if away {
		<-ctx.Done()
		return bridge.Unavailable("%w", ctx.Err())
	}
	if slow > 0 {
		time.Sleep(slow)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.taken = append(i.taken, text)
	return ctx.Err()
}

func (i *intake) set(change func(*intake)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change(i)
}

// all returns what the log has.
func (i *intake) all() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.taken)
}

// firsts returns what the log has of a stream, each once, in the order in which it came first.
func (i *intake) firsts(stream string) (firsts []string) {
	for _, text := range i.all() {
		if text[:1] == stream && !slices.Contains(firsts, text) {
			firsts = append(firsts, text)
		}
	}
	return firsts
}

// named is the input of a push: of stream a and session 3 it is a3.
func named(stream string, session int) []byte {
	arrival := processortest.Push(stream, bridge.Millis(session), bridge.PhasePublish)
	return processor.AppendInput(nil, &processor.Input{Action: processor.Arrive, Arrival: arrival})
}

func nameOf(input []byte) string {
	in, err := processor.ReadInput(input)
	if err != nil {
		panic(err)
	}
	return fmt.Sprint(in.Arrival.Event.Lane.Stream, int64(in.Arrival.Event.Session))
}

// begin returns a log on an intake and a queue on a disk.
func begin(t *testing.T, i *intake, fs store.FS) (*Log, *store.Queue) {
	t.Helper()
	q, err := store.OpenQueue(store.QueueOptions{Dir: "intake", FS: fs, MaxBytes: 1 << 20, Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	l, err := New(Options{Intake: i, Queue: q, Budget: budget, Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	return l, q
}

func memory() *vfs.MemFS { return vfs.NewMem() }

func closed(t *testing.T, q *store.Queue) {
	t.Helper()
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
}
