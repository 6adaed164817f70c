package partitions

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap/zaptest"

	"livebridge/bridge"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// intakeOf makes the streams of an intake of one partition.
func intakeOf(t *testing.T, url string, replicas int) Options {
	t.Helper()
	js := natstest.Connect(t, url)
	for _, c := range []jetstream.StreamConfig{
		{Name: "INTAKE", Subjects: []string{"INTAKE.*"}, AllowMsgTTL: true},
		{Name: "STATE", Subjects: []string{"STATE.>"}, AllowMsgTTL: true, AllowAtomicPublish: true, MaxMsgsPerSubject: 1},
		{Name: "OUT", Sources: []*jetstream.StreamSource{{Name: "STATE", FilterSubject: "STATE.*.e.>"}}},
	} {
		c.Replicas = replicas
		transporttest.Eventually(t, "all servers take "+c.Name, func() bool {
			_, err := js.CreateStream(t.Context(), c)
			return err == nil
		})
	}
	return Options{
		Connection: func() (*nats.Conn, jetstream.JetStream) { return js.Conn(), js },
		Log:        zaptest.NewLogger(t), Intake: "INTAKE", State: "STATE", Count: 1, AckTimeout: 5 * time.Second,
		Encode: func(e *bridge.Event) Event {
			return Event{Subject: e.Lane.Stream, Header: nats.Header{}, Data: e.AppendStructured(nil)}
		},
		EventsLive: time.Hour, BatchMessages: BatchMessages, BatchBytes: BatchBytes,
		Committed: func(int, Committed) {}, Fenced: func(int) {},
	}
}

// started is the intake of a server of its own, which is always there, however slow.
func started(t *testing.T) Options {
	o := intakeOf(t, natstest.Start(t, &server.Options{}).URL, 1)
	o.AckTimeout = time.Minute
	return o
}

// rows is what a replica has of a state.
type rows map[string]string

func (s rows) put(some []bridge.Row, _ uint64) error {
	for _, r := range some {
		if r.Value == nil {
			delete(s, string(r.Key))
		} else {
			s[string(r.Key)] = string(r.Value)
		}
	}
	return nil
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// taken takes the partition with its state from a position.
func taken(t *testing.T, o Options, from uint64, into rows) *partition {
	t.Helper()
	p, err := New(o).Take(within(t), 0, from, into.put)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p.(*partition)
}

// write commits rows; an empty value removes one. It keeps want.
func write(t *testing.T, p *partition, want rows, keysAndValues ...string) uint64 {
	t.Helper()
	var c bridge.PartitionCommit
	for i := 0; i < len(keysAndValues); i += 2 {
		row := bridge.Row{Key: []byte(keysAndValues[i])}
		if value := keysAndValues[i+1]; value != "" {
			row.Value = []byte(value)
		}
		c.Rows = append(c.Rows, row)
	}
	_ = want.put(c.Rows, 0)
	at, err := p.Commit(within(t), c)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func check(t *testing.T, got, want rows) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Errorf("the state has %d rows, and %d were committed: %.300v", len(got), len(want), got)
	}
}

// TestPartitionProgress: owners have epochs of their own, and say how much lies behind what they have read.
func TestPartitionProgress(t *testing.T) {
	t.Parallel()
	o := started(t)
	first := taken(t, o, 0, rows{})
	_, js := o.Connection()
	for range 5 {
		natstest.Must(js.Publish(within(t), "INTAKE.0", []byte("input")))
	}
	second := taken(t, o, 0, rows{})
	if second.Epoch() <= first.Epoch() {
		t.Errorf("the second owner has the epoch %d, and the first has %d", second.Epoch(), first.Epoch())
	}
	f := <-second.intake.fetched
	r := reading{i: second.intake}
	if r.take(f); second.Behind() != 4 {
		t.Errorf("behind the first of 5 inputs lie %d", second.Behind())
	}
	for end := false; !end; {
		var err error
		if _, end, err = second.Read(within(t), 0); err != nil {
			t.Fatal(err)
		}
	}
	if second.Behind() > 0 {
		t.Errorf("at the end, %d lie behind it", second.Behind())
	}
}

// TestRowsInParts: a row may be larger than a message, and grow, shrink and go.
func TestRowsInParts(t *testing.T) {
	t.Parallel()
	o, want := started(t), make(rows)
	p := taken(t, o, 0, make(rows))
	large := func(size int, c string) string { return strings.Repeat(c, size) }
	kept := make(rows)
	var from uint64
	for n, value := range []string{large(3<<20, "a"), "b", large(5<<20, "c"), "", large(2<<20, "d"), large(4<<20, "e")} {
		from = write(t, p, want, "large", value, "small", fmt.Sprint(n))
		if kept = make(rows); n == 3 {
			maps.Copy(kept, want)
		}
		got := make(rows)
		p = taken(t, o, 0, got)
		check(t, got, want)
	}
	maps.Copy(kept, want)
	write(t, p, want, "small", "", "large", large(3<<20, "f"))
	taken(t, o, from, kept)
	check(t, kept, want)
}

// TestSlotsAreUsedAgain: the state has as many keys as it had rows at one time, however many came and went, and who has
// kept it from before a removal that is forgotten is told so.
func TestSlotsAreUsedAgain(t *testing.T) {
	t.Parallel()
	o, want := started(t), make(rows)
	p := taken(t, o, 0, make(rows))
	const alive = 20
	var positions []uint64
	for n := range 10 * alive {
		var pairs []string
		if n >= alive {
			pairs = append(pairs, fmt.Sprint(n-alive), "")
		}
		positions = append(positions, write(t, p, want, append(pairs, fmt.Sprint(n), "x")...))
		if n%50 == 49 {
			got := make(rows)
			p = taken(t, o, 0, got)
			check(t, got, want)
		}
	}
	_, js := o.Connection()
	stream := natstest.Must(js.Stream(t.Context(), "STATE"))
	info := natstest.Must(stream.Info(t.Context(), jetstream.WithSubjectFilter("STATE.0.s.r.*")))
	if n := len(info.State.Subjects); n > alive+1 {
		t.Errorf("the state has %d slots for %d rows", n, alive)
	}
	for _, c := range []struct {
		from uint64
		gone bool
	}{{positions[0], true}, {positions[len(positions)-5], true}, {positions[len(positions)-1], false}, {1 << 40, true}} {
		err := New(o).State(within(t), 0, c.from, make(rows).put)
		if gone := errors.Is(err, bridge.ErrStateGone); gone != c.gone || !gone && err != nil {
			t.Errorf("from %d of %d: %v", c.from, positions[len(positions)-1], err)
		}
	}
}

// TestRemovalsAreSeen: who reads on from a position hears of rows that were removed since.
func TestRemovalsAreSeen(t *testing.T) {
	t.Parallel()
	o, want := started(t), make(rows)
	p := taken(t, o, 0, make(rows))
	write(t, p, want, "a", "1", "b", "1", "c", "1")
	kept := maps.Clone(want)
	from := write(t, p, want, "c", "2")
	kept["c"] = "2"
	write(t, p, want, "a", "", "b", "", "d", "1")
	other := maps.Clone(kept)
	if err := New(o).State(within(t), 0, from, other.put); err != nil {
		t.Fatal(err)
	}
	check(t, other, want)
	p = taken(t, o, from, kept) // which knows the slots all the same
	check(t, kept, want)
	write(t, p, want, "a", "3", "c", "3", "d", "")
	got := make(rows)
	taken(t, o, 0, got)
	check(t, got, want)
}

// TestLargeCommitIsFinished: a commit that is written down is carried out by whoever takes the partition next, from
// wherever its owner has come to.
func TestLargeCommitIsFinished(t *testing.T) {
	t.Parallel()
	const most = 12
	for _, done := range []int{0, 1, 3, 5} {
		o, want := started(t), make(rows)
		o.BatchMessages = most
		p := taken(t, o, 0, make(rows))
		write(t, p, want, "row 1", "before", "gone", "x")
		c := bridge.PartitionCommit{Next: 77, Events: transporttest.Events(10, 1, 3)}
		c.Rows = []bridge.Row{{Key: []byte("gone")}}
		for n := range 30 {
			c.Rows = append(c.Rows, bridge.Row{Key: fmt.Append(nil, "row ", n), Value: bytes.Repeat([]byte("x"), n)})
		}
		_ = want.put(c.Rows, 0)
		plan := natstest.Must(p.plan(c))
		written := plan.cursor
		pieces := natstest.Must(p.pieces(plan.messages))
		written.pieces = uint64(len(pieces))
		if err := p.commit(within(t), pieces, &written); err != nil {
			t.Fatal(err)
		}
		for n := range done { // and then it is gone
			next := p.cursor
			next.done += most - 1
			if err := p.commit(within(t), plan.messages[n*(most-1):(n+1)*(most-1)], &next); err != nil {
				t.Fatal(err)
			}
		}
		awaitSourced(t, o, plan.messages[:done*(most-1)]) // so that what is sent again comes out again
		got := make(rows)
		q := taken(t, o, 0, got)
		check(t, got, want)
		if q.cursor.next != 77 || q.cursor.pieces != 0 {
			t.Errorf("the cursor is %+v", q.cursor)
		}
		checkEvents(t, o, c.Events)
	}
}

// awaitSourced waits until the output has the events among messages.
func awaitSourced(t *testing.T, o Options, messages []*nats.Msg) {
	t.Helper()
	want := uint64(0)
	for _, m := range messages {
		if strings.Contains(m.Subject, ".e.") {
			want++
		}
	}
	_, js := o.Connection()
	out := natstest.Must(js.Stream(t.Context(), "OUT"))
	transporttest.Eventually(t, "the output has what was sent", func() bool {
		return natstest.Must(out.Info(t.Context())).State.Msgs == want
	})
}

// checkEvents checks that these events come out, each once.
func checkEvents(t *testing.T, o Options, want []*bridge.Event) {
	t.Helper()
	_, js := o.Connection()
	last := natstest.Must(natstest.Must(js.Stream(t.Context(), o.State)).GetLastMsgForSubject(t.Context(), "STATE.*.e.>"))
	out := natstest.Must(js.Stream(t.Context(), "OUT"))
	transporttest.Eventually(t, "the output has all events", func() bool {
		m, err := out.GetLastMsgForSubject(t.Context(), last.Subject)
		return err == nil && strings.Fields(m.Header.Get("Nats-Stream-Source"))[1] == fmt.Sprint(last.Sequence)
	})
	all := natstest.Messages(t, js, "OUT")
	for i, e := range want {
		if i >= len(all) || string(all[i].Data()) != string(e.AppendStructured(nil)) {
			t.Fatalf("of %d events, event %d of %d is another one", len(all), i, len(want))
		}
	}
	if len(all) != len(want) {
		t.Errorf("there are %d events, and %d were committed", len(all), len(want))
	}
}
