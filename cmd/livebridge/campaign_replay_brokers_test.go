//go:build brokers

package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/store"
)

// compareReplay has one processor read the intake of a partition from its beginning up to where the state has come, and
// compares what it emits with what is out, in its order, and its state with the one that was committed, row by row.
func compareReplay(t *testing.T, partition int, intake, committed, events []campaignRecord) {
	t.Helper()
	state := make(rows)
	for _, r := range committed {
		if len(r.key) > 0 { // else it is the transport's own
			state.put(bridge.Row{Key: r.key, Value: r.value})
		}
	}
	at := readStateRow(t, state["m"])
	again, emitted := replayIntake(t, intake, at)
	if len(emitted) != len(events) {
		t.Errorf("partition %d: %d events are out, the intake implies %d", partition, len(events), len(emitted))
	}
	for i := range min(len(emitted), len(events)) {
		if !bytes.Equal(emitted[i], events[i].value) {
			t.Fatalf("partition %d: event %d is out as\n%s\nthe intake implies\n%s", partition, i, events[i].value, emitted[i])
		}
	}
	again["m"], state["m"] = wholeState(readStateRow(t, again["m"])), wholeState(at)
	again, state = again.apart(), state.apart()
	if !maps.EqualFunc(state, again, bytes.Equal) {
		t.Errorf("partition %d: the state differs from what the intake implies:\n%s", partition, rowsApart(state, again))
	}
	t.Logf("partition %d: %d inputs, %d events and %d rows of the state are equal", partition, len(intake), len(events),
		len(state))
}

// rows is a state.
type rows map[string][]byte

func (s rows) put(r bridge.Row) {
	if r.Value == nil {
		delete(s, string(r.Key))
	} else {
		s[string(r.Key)] = r.Value
	}
}

// apart returns the rows with each name in a row of its own, since it does not matter which commits wrote them.
func (s rows) apart() rows {
	out := make(rows)
	for key, value := range s {
		width := map[byte]int{'i': 16, 's': 48}[key[0]]
		if width == 0 {
			out[key] = value
			continue
		}
		for n := 1; n < len(value); n += width {
			out[key[:9]+string(value[n:n+width])] = nil
		}
	}
	return out
}

// rowsApart lists some of the rows that differ.
func rowsApart(a, b rows) (text string) {
	all := slices.Concat(slices.Collect(maps.Keys(a)), slices.Collect(maps.Keys(b)))
	slices.Sort(all)
	for _, key := range slices.Compact(all) {
		x, inA := a[key]
		y, inB := b[key]
		if inA != inB || !bytes.Equal(x, y) && len(text) < 2000 {
			text += fmt.Sprintf("%q: %q (%v), %q (%v)\n", key, x, inA, y, inB)
		}
	}
	return text
}

func newCache(t *testing.T) *store.Cache {
	t.Helper()
	cache, err := store.OpenCache(store.CacheOptions{Dir: "replay", FS: vfs.NewMem(), OpenFiles: 64, Now: time.Now,
		Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	return cache
}

// readStateRow reads the row about the partition as a whole.
func readStateRow(t *testing.T, value []byte) store.State {
	t.Helper()
	if value == nil {
		return store.State{}
	}
	cache := newCache(t)
	if err := cache.Apply([]bridge.Row{{Key: []byte("m"), Value: value}}, 1); err != nil {
		t.Fatal(err)
	}
	return *cache.State()
}

// wholeState is what two states have in common that were committed in different batches.
func wholeState(s store.State) []byte {
	return fmt.Appendf(nil, "%d %d %d %+v", s.Next, s.Results, s.SignaturesBelow, s.Counters)
}

// replayIntake decides the inputs up to a state, one by one, and returns the rows and the events that follow.
func replayIntake(t *testing.T, intake []campaignRecord, up store.State) (rows, [][]byte) {
	t.Helper()
	r := &replayer{cache: newCache(t), rows: make(rows)}
	hold := campaignHold.String()
	settings, err := load(with("TRANSPORT", "kafka", "HOLD_DONE", hold, "HOLD_NEXT", hold))
	if err == nil {
		r.p, err = processor.New(settings.clusterOptions().Limits, r.cache, processor.Counters{}, processor.Kept{},
			processor.Moment{})
	}
	for i := 0; err == nil && i < len(intake) && intake[i].position < up.Next; i++ {
		err = r.take(&intake[i])
	}
	if err == nil { // housekeeping has been done up to the last commit
		now := time.UnixMilli(int64(up.Recorded))
		err = r.apply(processor.Input{Action: processor.Forget, Now: processor.MomentOf(now.Sub(r.began), now)}, up.Next)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r.rows, r.emitted
}

// replayer is one processor with its state.
type replayer struct {
	cache   *store.Cache
	p       *processor.Processor
	began   time.Time
	rows    rows
	emitted [][]byte
	commits uint64
}

// take decides a record of the intake. A tick has no input.
func (r *replayer) take(record *campaignRecord) error {
	if r.commits == 0 {
		r.began = record.at
		r.p.Counters().Floor = processor.FirstFloor(bridge.MillisOf(record.at))
	}
	const tick = 0x82
	if record.value[0] == tick {
		return r.commit(&processor.Effects{Counters: *r.p.Counters()}, record.position+1)
	}
	in, err := processor.ReadInput(record.value)
	if err != nil {
		return err
	}
	in.Now = processor.MomentOf(record.at.Sub(r.began), record.at)
	return r.apply(*in, record.position+1)
}

func (r *replayer) apply(in processor.Input, next uint64) error {
	var eff processor.Effects
	return errors.Join(r.p.Apply(in, &eff), r.commit(&eff, next))
}

// commit has the state show the effects.
func (r *replayer) commit(eff *processor.Effects, next uint64) error {
	changed, err := r.cache.Rows(eff, next, nil)
	if err != nil {
		return err
	}
	for _, row := range changed {
		r.rows.put(row)
	}
	for _, e := range eff.Emitted {
		r.emitted = append(r.emitted, e.AppendStructured(nil))
	}
	r.commits++
	r.p.Committed()
	return r.cache.Apply(changed, r.commits)
}
