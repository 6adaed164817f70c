package lease

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// asReplica makes this program a replica instead of the tests: its value is the server's URL and the replica's ID.
const asReplica = "LIVEBRIDGE_TEST_LEASES"

func TestMain(m *testing.M) {
	if url, id, found := strings.Cut(os.Getenv(asReplica), " "); found {
		fmt.Fprintln(os.Stderr, "replica ends:", runReplica(url, id))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const (
	serverPartitions = 6
	serverLease      = 5 * time.Second
)

func atServer(id string, js jetstream.JetStream, lease time.Duration) Options {
	return Options{ID: id, Partitions: serverPartitions, Time: lease, Log: zap.NewNop(),
		Bucket: &KeyValue{JetStream: func() jetstream.JetStream { return js }, Config: Config("LEASES", 1)}}
}

// runReplica prints its partitions whenever they change, until it is killed.
func runReplica(url, id string) error {
	conn, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		return err
	}
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	l := Join(atServer(id, js, serverLease))
	for {
		switch partitions, err := l.Next(context.Background()); {
		case errors.Is(err, errLeft):
			return err
		case err == nil:
			_, _ = fmt.Fprintln(os.Stdout, partitions)
		}
	}
}

// replica is a process of a test.
type replica struct {
	cmd *exec.Cmd
	mu  sync.Mutex
	has string
}

func launch(t *testing.T, url, id string) *replica {
	t.Helper()
	r := &replica{cmd: exec.Command(os.Args[0])}
	r.cmd.Env, r.cmd.Stderr = append(os.Environ(), asReplica+"="+url+" "+id), os.Stderr
	out, err := r.cmd.StdoutPipe()
	if err == nil {
		err = r.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			r.mu.Lock()
			r.has = lines.Text()
			r.mu.Unlock()
		}
	}()
	t.Cleanup(func() { _ = r.cmd.Process.Kill(); _ = r.cmd.Wait() })
	return r
}

func (r *replica) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// count is how many partitions it has said that it has.
func (r *replica) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(strings.Fields(strings.Trim(r.has, "[]")))
}

func share(rs ...*replica) bool {
	for _, r := range rs {
		if r.count() != serverPartitions/len(rs) {
			return false
		}
	}
	return true
}

// TestProcesses: replicas that are killed, and that are stopped and resumed, lose their partitions to the others; who
// was resumed knows that it has lost them, and gets its share again.
func TestProcesses(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, &server.Options{})
	a, b, c := launch(t, s.URL, "a"), launch(t, s.URL, "b"), launch(t, s.URL, "c")
	transporttest.Eventually(t, "all have a third", func() bool { return share(a, b, c) })
	a.signal(t, syscall.SIGKILL)
	transporttest.Eventually(t, "two have a half", func() bool { return share(b, c) })
	b.signal(t, syscall.SIGSTOP)
	transporttest.Eventually(t, "one has all", func() bool { return share(c) })
	b.signal(t, syscall.SIGCONT)
	transporttest.Eventually(t, "two have a half", func() bool { return share(b, c) })
	s.Kill()
	transporttest.Eventually(t, "none has any without a server", func() bool { return b.count()+c.count() == 0 })
	s.Restart(t)
	transporttest.Eventually(t, "two have a half", func() bool { return share(b, c) })
}

// TestServer: leases at a server go to the others at once when a replica leaves, and its bucket may be deleted.
func TestServer(t *testing.T) {
	t.Parallel()
	js := natstest.Start(t, &server.Options{}).JetStream(t)
	a, b := serverMember(t, js, "a"), serverMember(t, js, "b")
	transporttest.Eventually(t, "both have a half", func() bool {
		return len(a.partitions()) == serverPartitions/2 && len(b.partitions()) == serverPartitions/2
	})
	had, lapsed := b.partitions(), b.lapsed
	if err := js.DeleteKeyValue(t.Context(), "LEASES"); err != nil {
		t.Fatal(err)
	}
	transporttest.Eventually(t, "the bucket is there again", func() bool {
		kv, err := js.KeyValue(t.Context(), "LEASES")
		if err != nil {
			return false
		}
		keys, err := kv.Keys(t.Context())
		return err == nil && len(keys) == 2+serverPartitions
	})
	if !slices.Equal(b.partitions(), had) || b.lapsed > lapsed {
		t.Errorf("after the loss of the bucket it has %v, and had %v", b.partitions(), had)
	}
	begun := time.Now()
	if err := a.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	transporttest.Eventually(t, "the other has all", func() bool { return len(b.partitions()) == serverPartitions })
	if took := time.Since(begun); took >= Time { // or it was the end of the leases that gave them
		t.Errorf("they were given after %v", took)
	}
}

func serverMember(t *testing.T, js jetstream.JetStream, id string) *member {
	t.Helper()
	p := &member{client: &client{}, Leases: Join(atServer(id, js, Time))}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	go p.follow(ctx)
	t.Cleanup(p.kill)
	return p
}

// TestKeyValue: a key is written over its revision alone, and the watch tells what was there and what changes.
func TestKeyValue(t *testing.T) {
	t.Parallel()
	js := natstest.Start(t, &server.Options{}).JetStream(t)
	k := atServer("a", js, Time).Bucket
	if _, err := k.Put(t.Context(), Entry{Key: "x"}); err == nil {
		t.Error("it writes into a bucket that was not opened")
	}
	made, entries, err := k.Watch(t.Context(), 5*time.Second)
	if err != nil || made.IsZero() {
		t.Fatalf("%v %v", made, err)
	}
	if e := <-entries; e != (Entry{}) {
		t.Errorf("an empty bucket tells %v", e)
	}
	first, err := k.Put(t.Context(), Entry{Key: "x", Holder: "a"})
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []uint64{0, first + 1} {
		if _, err := k.Put(t.Context(), Entry{Key: "x", Holder: "b", Revision: wrong}); !errors.Is(err, ErrConflict) {
			t.Errorf("over revision %d: %v", wrong, err)
		}
	}
	second, err := k.Put(t.Context(), Entry{Key: "x", Revision: first})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []Entry{{Key: "x", Holder: "a", Revision: first}, {Key: "x", Revision: second}} {
		if e := <-entries; e != want {
			t.Errorf("the watch tells %v, want %v", e, want)
		}
	}
	if e, err := k.Get(t.Context(), "x"); e != (Entry{Key: "x", Revision: second}) || err != nil {
		t.Errorf("it reads %v, %v", e, err)
	}
	if e, err := k.Get(t.Context(), "y"); e != (Entry{Key: "y"}) || err != nil {
		t.Errorf("it reads %v, %v", e, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	again, entries, err := k.Watch(ctx, 5*time.Second)
	if err != nil || !again.Equal(made) {
		t.Fatalf("%v %v", again, err)
	}
	if e := <-entries; e.Key != "x" || e.Age <= 0 || e.Age > time.Minute {
		t.Errorf("the watch begins with %v", e)
	}
	cancel()
	for range entries { // until it is closed
	}
}
