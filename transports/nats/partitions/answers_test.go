package partitions

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"livebridge/bridge"
	"livebridge/transports/nats/natstest"
)

// scripted answers batches in place of a stream.
type scripted struct {
	mu      sync.Mutex
	batches map[string]int // messages of each, by id
	commits int
}

// answerWith answers the commits of batches with these codes, one after the other: 0 is success, below 0 no answer.
func answerWith(t *testing.T, conn *nats.Conn, codes ...int) *scripted {
	t.Helper()
	s := &scripted{batches: make(map[string]int)}
	sub, err := conn.Subscribe("STATE.>", func(m *nats.Msg) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.batches[m.Header.Get(headerBatchID)]++
		if m.Reply == "" {
			return
		}
		s.commits++
		switch code := codes[s.commits-1]; {
		case code == 0:
			_ = m.Respond([]byte(`{"stream":"STATE","seq":77}`))
		case code > 0:
			_ = m.Respond(fmt.Appendf(nil, `{"error":{"code":400,"err_code":%d,"description":"no"}}`, code))
		}
	})
	if err == nil {
		err = conn.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sub.Unsubscribe() })
	return s
}

// unstarted is an intake whose state is no stream.
func unstarted(t *testing.T) (Options, *nats.Conn) {
	o := started(t)
	_, js := o.Connection()
	if err := js.DeleteStream(t.Context(), "STATE"); err != nil {
		t.Fatal(err)
	}
	return o, js.Conn()
}

func scriptedPartition(o Options) *partition {
	return newPartition(New(o), 0, cursor{epoch: 1, owner: 2, partitions: 1}, 5)
}

// TestWhatWasNotStoredIsSentAgain: answers that say that nothing was stored cost a repetition of the whole commit, also
// the one that the only writer gets when it is fast.
func TestWhatWasNotStoredIsSentAgain(t *testing.T) {
	t.Parallel()
	o, conn := unstarted(t)
	s := answerWith(t, conn, 10164, 10176, 10210, 10008, 10164, 0)
	p := scriptedPartition(o)
	at, err := p.Commit(within(t), bridge.PartitionCommit{Rows: []bridge.Row{{Key: []byte("a"), Value: []byte("b")}}})
	if err != nil || at != 77 {
		t.Fatalf("%d, %v", at, err)
	}
	if len(s.batches) != 6 {
		t.Errorf("%d batches were sent", len(s.batches))
	}
	for id, n := range s.batches {
		if n != 2 {
			t.Errorf("batch %s has %d messages", id, n)
		}
	}
}

// TestNoResponders: while the stream has no leader its owner waits, and goes on.
func TestNoResponders(t *testing.T) {
	t.Parallel()
	o, conn := unstarted(t)
	time.AfterFunc(50*time.Millisecond, func() { answerWith(t, conn, 0) })
	if _, err := scriptedPartition(o).Commit(within(t), bridge.PartitionCommit{}); err != nil {
		t.Error(err)
	}
}

// TestUnansweredCommitCloses: what became of it is seen by whoever takes the partition.
func TestUnansweredCommitCloses(t *testing.T) {
	t.Parallel()
	o, conn := unstarted(t)
	s := answerWith(t, conn, -1, 0)
	o.AckTimeout = 100 * time.Millisecond
	p := scriptedPartition(o)
	for range 2 {
		if _, err := p.Commit(within(t), bridge.PartitionCommit{}); err == nil || errors.Is(err, bridge.ErrFenced) {
			t.Errorf("the answer is %v", err)
		}
	}
	if s.mu.Lock(); s.commits != 1 {
		t.Errorf("it was sent %d times", s.commits)
	}
	s.mu.Unlock()
}

// TestFenceBeforeReading: what is read before the fence may change until it is there.
func TestFenceBeforeReading(t *testing.T) {
	t.Parallel()
	o := started(t)
	p := taken(t, o, 0, make(rows))
	at := write(t, p, make(rows), "a", "1")
	_, js := o.Connection()
	seen := make(chan string, 100)
	observer := natstest.Connect(t, js.Conn().ConnectedUrl()).Conn()
	_, err := observer.Subscribe(">", func(m *nats.Msg) { seen <- m.Subject })
	if err == nil {
		err = observer.Flush() // from here on it sees everything
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []uint64{0, at} {
		q := taken(t, o, from, make(rows))
		if q.cursor.epoch != p.cursor.epoch+1 || q.cursor.owner == p.cursor.owner {
			t.Errorf("the cursor %+v follows %+v", q.cursor, p.cursor)
		}
		p = q
		for fenced := false; ; {
			subject := receive(t, seen)
			fenced = fenced || subject == "STATE.0.s.c"
			if reads, is := strings.CutPrefix(subject, "$JS.API.CONSUMER.CREATE.STATE."); is &&
				strings.HasSuffix(reads, ".STATE.0.s.>") { // and not the server's, of what is sourced
				if !fenced {
					t.Error("the state is read before the fence")
				}
				break
			}
		}
	}
}

func receive(t *testing.T, from <-chan string) string {
	t.Helper()
	select {
	case s := <-from:
		return s
	case <-time.After(20 * time.Second):
		t.Fatal("nothing comes")
		return ""
	}
}

// TestOtherNumberOfPartitions: streams have moved, so it is refused.
func TestOtherNumberOfPartitions(t *testing.T) {
	t.Parallel()
	o := started(t)
	taken(t, o, 0, make(rows))
	o.Count = 2
	for _, err := range []error{
		takeError(t, o), New(o).State(within(t), 0, 0, make(rows).put),
	} {
		if err == nil || !strings.Contains(err.Error(), "had 1 partitions, and now it has 2") {
			t.Errorf("the answer is %v", err)
		}
	}
}

func takeError(t *testing.T, o Options) error {
	_, err := New(o).Take(within(t), 0, 0, make(rows).put)
	return err
}

// TestIntakeMadeAnew: an owner that has read more than there is begins anew, and whoever decides is told of positions
// that come again.
func TestIntakeMadeAnew(t *testing.T) {
	t.Parallel()
	o := started(t)
	p := taken(t, o, 0, make(rows))
	if _, err := p.Commit(within(t), bridge.PartitionCommit{Next: 1000 << inputBits}); err != nil {
		t.Fatal(err)
	}
	_, js := o.Connection()
	natstest.Must(js.Publish(t.Context(), "INTAKE.0", []byte("input")))
	records, _, err := taken(t, o, 0, make(rows)).Read(within(t), 10*time.Second)
	if err != nil || len(records) != 1 || string(records[0].Value) != "input" {
		t.Errorf("it reads %v, %v", records, err)
	}
}

// TestEndAfterInputs: the end is told behind everything that was in the intake, of however many Reads.
func TestEndAfterInputs(t *testing.T) {
	t.Parallel()
	o := intakeOf(t, natstest.Start(t, &server.Options{}).URL, 1)
	p := taken(t, o, 0, make(rows))
	_, js := o.Connection()
	const inputs = 3 * readAhead
	for range inputs {
		natstest.Must(js.PublishAsync("INTAKE.0", make([]byte, 10)))
	}
	<-js.PublishAsyncComplete()
	for read := 0; ; {
		records, end, err := p.Read(within(t), 0)
		if err != nil {
			t.Fatal(err)
		}
		if read += len(records); end && read < inputs {
			t.Fatalf("the end is told after %d of %d inputs", read, inputs)
		}
		if end {
			return
		}
	}
}

// TestTicksOfOthers: an owner that was taken over may still write ticks, with numbers that this one has not come to.
func TestTicksOfOthers(t *testing.T) {
	t.Parallel()
	o := started(t)
	p := taken(t, o, 0, make(rows))
	for end := false; !end; { // Read says nothing of the end when the tick takes longer
		var err error
		if _, end, err = p.Read(within(t), time.Second); err != nil {
			t.Fatal(err)
		}
	}
	_, js := o.Connection()
	foreign := nats.NewMsg("INTAKE.0")
	foreign.Header.Set(headerTick, "other-1000000")
	natstest.Must(js.PublishMsg(t.Context(), foreign))
	natstest.Must(js.Publish(t.Context(), "INTAKE.0", []byte("input")))
	records, _, err := p.Read(within(t), 10*time.Second)
	if err != nil || len(records) != 1 || p.intake.seen > p.intake.ticked {
		t.Errorf("after tick %d it has seen tick %d, and %v, %v", p.intake.ticked, p.intake.seen, records, err)
	}
}

// TestFencedOwner: who was taken over is told so, and leaves nothing behind.
func TestFencedOwner(t *testing.T) {
	t.Parallel()
	o, want := started(t), make(rows)
	fenced := 0
	o.Fenced = func(int) { fenced++ }
	p := taken(t, o, 0, make(rows))
	write(t, p, want, "a", "1")
	q := taken(t, o, 0, make(rows))
	zombie := bridge.PartitionCommit{Rows: []bridge.Row{{Key: []byte("a"), Value: []byte("zombie")}}}
	if _, err := p.Commit(within(t), zombie); !errors.Is(err, bridge.ErrFenced) || fenced != 1 {
		t.Errorf("it is answered %v; told %d times", err, fenced)
	}
	write(t, q, want, "b", "2")
	got := make(rows)
	taken(t, o, 0, got)
	check(t, got, want)
}
