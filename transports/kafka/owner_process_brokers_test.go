//go:build brokers

package kafka

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
)

// asOwner makes this program an owner of partitions instead of the tests: its value is the brokers and the topic.
const asOwner = "LIVEBRIDGE_TEST_OWNER"

func TestMain(m *testing.M) {
	if brokers, topic, found := strings.Cut(os.Getenv(asOwner), " "); found {
		fmt.Fprintln(os.Stderr, "owner ends:", runOwner(brokers, topic))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// crashOptions are those of the owners and of what feeds and checks them.
func crashOptions(brokers, topic string) Options {
	o := DefaultOptions()
	o.Brokers, o.Topic, o.Partitions, o.session = brokers, topic, crashPartitions, crashSession
	return o
}

const (
	crashPartitions = 4
	crashSession    = 2 * time.Second
	ownerPatience   = 30 * time.Second // for what it asks a broker that may be down
)

// runOwner owns what the group gives it, until it is killed.
func runOwner(brokers, topic string) error {
	o := crashOptions(brokers, topic)
	var err error
	if o.Log, err = zap.NewDevelopment(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := OpenReplicas(ctx, o, groupOf(o))
	if err != nil {
		return err
	}
	m, err := r.Join()
	if err != nil {
		return err
	}
	owners := &owners{replicas: r, cancels: make(map[int]context.CancelFunc)}
	for {
		partitions, err := m.Next(context.Background())
		if errors.Is(err, context.Canceled) {
			return err
		}
		if err == nil {
			owners.assign(partitions)
		}
	}
}

// owners are the partitions that a process works on.
type owners struct {
	replicas *Replicas
	mu       sync.Mutex
	cancels  map[int]context.CancelFunc
}

// assign begins what is not worked on, and ends the rest. What stays goes on.
func (o *owners) assign(partitions []int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	given := make(map[int]bool)
	for _, p := range partitions {
		given[p] = true
		if o.cancels[p] == nil {
			ctx, cancel := context.WithCancel(context.Background())
			o.cancels[p] = cancel
			go o.run(ctx, p)
		}
	}
	for p, cancel := range o.cancels {
		if !given[p] {
			cancel()
		}
	}
}

// run owns a partition until it is taken over or given away.
func (o *owners) run(ctx context.Context, partition int) {
	for ctx.Err() == nil {
		err := count(ctx, o.replicas, partition)
		fmt.Fprintln(os.Stderr, "partition", partition, err)
		if errors.Is(err, bridge.ErrFenced) {
			break
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cancels[partition]()
	delete(o.cancels, partition)
}

// count makes an event of every input that is the next one of its lane. Others are repeated.
func count(ctx context.Context, r *Replicas, partition int) error {
	state := make(counter)
	p, err := r.Take(ctx, partition, 0, state.put)
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }()
	for {
		records, _, err := p.Read(ctx, 100*time.Millisecond)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			continue
		}
		asking, cancel := context.WithTimeout(context.Background(), ownerPatience)
		_, err = p.Commit(asking, state.apply(records))
		cancel()
		if err != nil {
			return err
		}
	}
}

func (c counter) apply(records []bridge.IntakeRecord) (out bridge.PartitionCommit) {
	changed := make(map[string]bool)
	for _, r := range records {
		lane, number, _ := strings.Cut(string(r.Value), " ")
		n, err := strconv.ParseUint(number, 10, 64)
		if out.Next = r.Position + 1; err != nil || n != c[lane]+1 {
			continue
		}
		c[lane], changed[lane] = n, true
		out.Events = append(out.Events, &bridge.Event{Type: "test", Sequence: n, Recorded: r.Recorded,
			Lane: bridge.Lane{Kind: bridge.KindStream, Domain: "d", App: "a", Stream: lane}, Data: []byte(`{}`)})
	}
	for lane := range changed {
		out.Rows = append(out.Rows, bridge.Row{Key: []byte(lane), Value: strconv.AppendUint(nil, c[lane], 10)})
	}
	return out
}
