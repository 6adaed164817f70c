package nats

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/bridge"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// smallIntake has an intake of two partitions that takes so many messages; 0: any number.
func smallIntake(t *testing.T, messages int64) (Options, jetstream.JetStream) {
	t.Helper()
	o := trimmed(t)
	o.Partitions = 2
	js := natstest.Connect(t, o.URL)
	want := o.intakeOfReplicas().want
	want.MaxMsgs = messages
	natstest.Must(js.CreateStream(t.Context(), want))
	return o, js
}

// decide reads inputs of a partition until so many have come, and commits that they are decided.
func decide(t *testing.T, p bridge.Partition, n int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); n > 0; {
		records, _, err := p.Read(t.Context(), time.Second)
		if err != nil || time.Now().After(end) {
			t.Fatalf("%d inputs are missing, %v", n, err)
		}
		if n -= len(records); len(records) > 0 {
			next := records[len(records)-1].Position + 1
			if _, err := p.Commit(t.Context(), bridge.PartitionCommit{Next: next}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// fill appends inputs to a partition until the intake refuses one, and returns how many it has taken.
func fill(t *testing.T, r *Replicas, partition, most int) int {
	t.Helper()
	for n := range most {
		if err := r.Append(t.Context(), partition, fmt.Append(nil, n)); err != nil {
			if bridge.IsRejected(err) {
				t.Fatal(err)
			}
			return n
		}
	}
	return most
}

// TestFullIntake: an intake that is full of callbacks that were decided takes others, whoever has decided them, and
// keeps those that were not.
func TestFullIntake(t *testing.T) {
	t.Parallel()
	o, _ := smallIntake(t, 60)
	r := openReplicas(t, o)
	if n := fill(t, r, 1, 10); n != 10 {
		t.Fatalf("it has taken %d inputs", n)
	}
	p, err := r.Take(t.Context(), 1, 0, ignore)
	if err == nil {
		_, err = p.Commit(t.Context(), bridge.PartitionCommit{Next: 2 << 16}) // behind the first message
	}
	if err == nil {
		err = p.Close()
	}
	if err == nil {
		p, err = r.Take(t.Context(), 0, 0, ignore)
	}
	if err != nil {
		t.Fatal(err)
	}
	appended := func(r *Replicas, partition int) {
		transporttest.Eventually(t, "the intake takes an input", func() bool {
			return r.Append(t.Context(), partition, nil) == nil
		})
	}
	for range 3 {
		n := fill(t, r, 0, 30)
		decide(t, p, n)
		appended(r, 0)
		decide(t, p, 1)
	}
	o.trimInterval = time.Hour // the next owner is another replica
	stopped := openReplicas(t, o)
	_ = r.Close(t.Context())
	if p, err = stopped.Take(t.Context(), 0, 0, ignore); err != nil {
		t.Fatal(err)
	}
	decide(t, p, fill(t, stopped, 0, 100))
	if stopped.Append(t.Context(), 0, nil) == nil {
		t.Fatal("the intake is not full")
	}
	o.trimInterval = 20 * time.Millisecond
	last := openReplicas(t, o)
	for partition := range 2 {
		if p, err = last.Take(t.Context(), partition, 0, ignore); err != nil {
			t.Fatal(err)
		}
	}
	appended(last, 1)
	decide(t, p, 10) // of the other partition, which nobody has read before
}

// TestIntakeKeepsWhatIsDecided: one that has room keeps it, for a state that is restored from a backup.
func TestIntakeKeepsWhatIsDecided(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]int64{"no limit": 0, "less than half full": 100} {
		t.Run(name, func(t *testing.T) {
			o, js := smallIntake(t, limit)
			o.trimInterval = time.Hour
			r := openReplicas(t, o)
			p, err := r.Take(t.Context(), 0, 0, ignore)
			if err != nil {
				t.Fatal(err)
			}
			decide(t, p, fill(t, r, 0, 20))
			if err := r.trimAll(); err != nil {
				t.Fatal(err)
			}
			if n := messagesIn(t, js, o.Stream+intakeSuffix); n < 20 {
				t.Errorf("the intake has %d messages", n)
			}
		})
	}
}

// TestTrimIntakeRight: the right that the handbook names for it is needed, and enough.
func TestTrimIntakeRight(t *testing.T) {
	t.Parallel()
	all := replicating()
	s := natstest.Start(t, all.options())
	o, _ := replicaUser(t, s.URL)
	admin := o
	admin.User, admin.trimInterval = "admin", time.Hour
	js := natstest.Connect(t, o.URL, nats.UserInfo("admin", "secret"))
	want := admin.intakeOfReplicas().want
	want.MaxMsgs = 10
	natstest.Must(js.CreateStream(t.Context(), want))
	a := openGroup(t, admin, "livebridge")
	fill(t, a, 3, 9)
	for _, right := range []string{"", "$JS.API.STREAM.PURGE.LIVE_EVENTS_INTAKE"} {
		all.allExcept(right).give(t, s)
		o.trimInterval = time.Hour
		r := openGroup(t, o, "livebridge")
		r.processed[3].Store(2)
		if err := r.trimAll(); (err == nil) != (right == "") {
			t.Errorf("without %q: %v", right, err)
		}
	}
}
