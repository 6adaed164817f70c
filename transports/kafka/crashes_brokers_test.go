//go:build brokers

package kafka

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"livebridge/transports/kafka/kafkatest"
	"livebridge/transports/transporttest"
)

var (
	crashKills = flag.Int("replicas.kills", 6, "how often TestReplicaCrashes kills or stops something")
	crashNodes = flag.Int("replicas.nodes", 1, "brokers of TestReplicaCrashes, of which one at a time is killed")
)

const (
	crashLanes = 40
	crashOwner = 2 // processes at a time
)

// TestReplicaCrashes kills owners, stops them past their session and lets them go on as zombies, and kills the broker,
// while callbacks come in. Every input becomes one event, in the order of its lane, and the state agrees.
func TestReplicaCrashes(t *testing.T) {
	c := kafkatest.Start(t, kafkatest.Options{Nodes: *crashNodes,
		Properties: map[string]string{"group.min.session.timeout.ms": "1000"}})
	opts := crashOptions(joined(c.Brokers()), "crashes")
	feed := startFeed(t, openReplicas(t, opts))
	s := &shooter{t: t, cluster: c, dir: t.TempDir(), env: asOwner + "=" + opts.Brokers + " " + opts.Topic}
	for range crashOwner {
		s.start()
	}
	for n := range *crashKills {
		<-time.After(time.Duration(500+rand.IntN(1500)) * time.Millisecond)
		s.shoot(n)
	}
	want := feed.stop()
	got := s.awaitEvents(opts, want)
	checkCounts(t, got, want)
	checkCounted(t, opts, want)
	if n := c.CountCommitted(t, opts.Topic); n != int(total(want)) {
		t.Errorf("Java's consumer counts %d events of %d inputs", n, total(want))
	}
	t.Logf("%d inputs, %d kills of owners, %d zombies, %d kills of brokers", total(want), s.kills, s.zombies, s.brokers)
}

func total(of map[string]uint64) (n uint64) {
	for _, each := range of {
		n += each
	}
	return n
}

// feeder appends inputs of lanes, one after the other of each.
type feeder struct {
	cancel context.CancelFunc
	work   sync.WaitGroup
	mu     sync.Mutex
	last   map[string]uint64 // acknowledged, by lane
}

func startFeed(t *testing.T, r *Replicas) *feeder {
	ctx, cancel := context.WithCancel(context.Background())
	f := &feeder{cancel: cancel, last: make(map[string]uint64)}
	t.Cleanup(func() { f.stop() })
	for i := range crashLanes {
		f.work.Go(func() {
			lane := fmt.Sprint("lane-", i)
			for n := uint64(1); ctx.Err() == nil; n++ {
				for r.Append(context.Background(), i%crashPartitions, fmt.Appendf(nil, "%s %d", lane, n)) != nil {
					<-time.After(20 * time.Millisecond) // the provider repeats it: it may be there twice
				}
				f.mu.Lock()
				f.last[lane] = n
				f.mu.Unlock()
				<-time.After(50 * time.Millisecond)
			}
		})
	}
	return f
}

// stop returns what was acknowledged.
func (f *feeder) stop() map[string]uint64 {
	f.cancel()
	f.work.Wait()
	return f.last
}

// shooter starts and kills processes.
type shooter struct {
	t       *testing.T
	cluster *kafkatest.Cluster
	dir     string
	env     string
	running []*exec.Cmd
	started int

	kills, zombies, brokers int
}

func (s *shooter) start() {
	s.t.Helper()
	s.started++
	out, err := os.Create(filepath.Join(s.dir, fmt.Sprint("owner-", s.started)))
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	program, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), s.env), out, out
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.running = append(s.running, cmd)
	s.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
}

// shoot does one of three things to what runs.
func (s *shooter) shoot(n int) {
	victim := s.running[0]
	switch n % 4 {
	case 3:
		s.brokers++
		i := rand.IntN(len(s.cluster.Brokers()))
		s.cluster.Kill(i)
		s.cluster.Begin(s.t, i)
		s.cluster.Await(s.t, i)
	case 1:
		s.zombies++
		s.signal(victim, syscall.SIGSTOP)
		<-time.After(crashSession + time.Second)
		s.signal(victim, syscall.SIGCONT)
		s.running = append(s.running[1:], victim)
	default:
		s.kills++
		s.signal(victim, syscall.SIGKILL)
		_ = victim.Wait()
		s.running = s.running[1:]
		s.start()
	}
}

func (s *shooter) signal(victim *exec.Cmd, what syscall.Signal) {
	if err := victim.Process.Signal(what); err != nil {
		s.t.Errorf("an owner is gone: %v", err)
	}
}

// awaitEvents returns the events of each partition once as many are there as inputs were acknowledged.
func (s *shooter) awaitEvents(o Options, want map[string]uint64) (got [][]transporttest.Record) {
	s.t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; <-time.After(200 * time.Millisecond) {
		n := 0
		got = nil
		for p := range crashPartitions {
			got = append(got, committedOf(s.t, o, o.Topic, p))
			n += len(got[p])
		}
		if n >= int(total(want)) {
			return got
		}
		if time.Now().After(end) {
			s.t.Errorf("%d events of %d inputs; the owners say:%s", n, total(want), s.said())
			return got
		}
	}
}

// said is the end of what each owner has written.
func (s *shooter) said() (out string) {
	for i := range s.started {
		text, _ := os.ReadFile(filepath.Join(s.dir, fmt.Sprint("owner-", i+1)))
		out += fmt.Sprintf("\nowner %d: %s", i+1, text[max(0, len(text)-1500):])
	}
	return out
}

// checkCounts checks that each lane's events are its inputs, each once and in order.
func checkCounts(t *testing.T, got [][]transporttest.Record, want map[string]uint64) {
	t.Helper()
	last := make(map[string]uint64)
	for p, records := range got {
		for _, r := range records {
			var e struct {
				Subject  string `json:"subject"`
				Sequence string `json:"sequence"`
			}
			if err := json.Unmarshal(r.Payload, &e); err != nil {
				t.Fatal(err)
			}
			lane := e.Subject[strings.LastIndex(e.Subject, "/")+1:]
			n, err := strconv.ParseUint(e.Sequence, 10, 64)
			if err != nil || n != last[lane]+1 {
				t.Fatalf("partition %d: %s has %q after %d", p, lane, e.Sequence, last[lane])
			}
			last[lane] = n
		}
	}
	for lane, n := range want {
		if last[lane] != n {
			t.Errorf("%s has %d events of %d inputs", lane, last[lane], n)
		}
	}
}

// checkCounted checks that the state has what the events say.
func checkCounted(t *testing.T, o Options, want map[string]uint64) {
	t.Helper()
	r, state := openReplicas(t, o), make(counter)
	for p := range crashPartitions {
		if err := r.State(t.Context(), p, 0, state.put); err != nil {
			t.Fatal(err)
		}
	}
	for lane, n := range want {
		if state[lane] != n {
			t.Errorf("the state has %d of %s, and %d were acknowledged", state[lane], lane, n)
		}
	}
}
