// Package membership shares the partitions of a topic out among the members of a Kafka consumer group.
package membership

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
)

const (
	heartbeat = 500 * time.Millisecond // others learn of a member that leaves or comes within it
	// Session is how long a member that is killed holds its partitions.
	Session      = 10 * time.Second
	rebalance    = 10 * time.Second       // a member that does not join again within it is out
	requests     = 10 * time.Second       // of the group; the library adds the above to those that wait for others
	joinPause    = 200 * time.Millisecond // after an error; the library's 5 s keep a zombie away too long
	confirmPause = time.Second            // before a partition that was lost to nobody is handed out again
)

// Options configure a Group. All are required.
type Options struct {
	Session time.Duration // of the members
	ID      string        // of the group
	Topic   string
	Brokers []string
	Dialer  *kafka.Dialer
	Client  func() *kafka.Client // for one request
	Log     *zap.Logger
}

// Group is this process's membership. It implements bridge.Membership.
type Group struct {
	opts  Options
	group *kafka.ConsumerGroup

	mu      sync.Mutex
	held    []int             // partitions of the last generation
	current *kafka.Generation // nil: none yet
	again   chan struct{}     // has something when the partitions are to be handed out again
	next    map[int]uint64    // offsets to report, by partition

	left    chan struct{}  // closed by Leave
	leaving sync.Once      // of left
	reports sync.WaitGroup // the goroutine that reports
}

// Join begins to join the group, in the background.
func Join(o Options) (*Group, error) {
	g := &Group{opts: o, again: make(chan struct{}, 1), left: make(chan struct{}), next: make(map[int]uint64)}
	var err error
	g.group, err = kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: o.ID, Topics: []string{o.Topic}, Brokers: o.Brokers, Dialer: o.Dialer,
		GroupBalancers:    []kafka.GroupBalancer{sticky{g.holding}},
		HeartbeatInterval: heartbeat, SessionTimeout: o.Session, RebalanceTimeout: rebalance, JoinGroupBackoff: joinPause,
		Timeout: requests, StartOffset: kafka.FirstOffset,
	})
	if err == nil {
		g.reports.Go(g.report)
	}
	return g, err
}

func (g *Group) partitions() []int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.held)
}

func (g *Group) holding() holding {
	h := holding{partitions: g.partitions()}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.current != nil {
		h.generation = g.current.ID
	}
	return h
}

// Next implements bridge.Membership. It returns at every change of the group, even if the partitions stay the same:
// those that were given up because of another owner are then this member's once more. After Leave it returns an error
// at once.
func (g *Group) Next(ctx context.Context) ([]int, error) {
	for {
		generation, err := g.generation(ctx)
		switch {
		case errors.Is(err, kafka.GroupAuthorizationFailed):
			return nil, fmt.Errorf("KAFKA_USER is not permitted to use the consumer group %s: allow READ on the group: %w",
				g.opts.ID, err)
		case err != nil:
			return nil, err
		case generation != nil:
			return g.take(generation), nil
		case g.confirm(ctx):
			return g.partitions(), nil
		}
	}
}

// generation waits for the next generation. Nil: the partitions of the current one are to be handed out again.
func (g *Group) generation(ctx context.Context) (*kafka.Generation, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		generation *kafka.Generation
		err        error
	}
	results := make(chan result, 1)
	go func() {
		generation, err := g.group.Next(ctx)
		results <- result{generation, err}
	}()
	select {
	case r := <-results:
		return r.generation, r.err
	case <-g.again:
		cancel()
		r := <-results // which may have come at the same time
		if errors.Is(r.err, context.Canceled) {
			r.err = nil
		}
		return r.generation, r.err
	}
}

// take makes a generation the current one.
func (g *Group) take(generation *kafka.Generation) []int {
	held := make([]int, 0, len(generation.Assignments[g.opts.Topic]))
	for _, a := range generation.Assignments[g.opts.Topic] {
		held = append(held, a.ID)
	}
	slices.Sort(held)
	g.mu.Lock()
	g.held, g.current = held, generation
	g.mu.Unlock()
	g.opts.Log.Info("partitions assigned by the consumer group", zap.Ints("partitions", held),
		zap.Int32("generation", generation.ID), zap.String("member", generation.MemberID))
	return slices.Clone(held)
}

// Lost says that an owner of this process was fenced. If the group then still counts this member among its own, the
// partitions are handed out again: whoever fenced it may be a zombie that has died, and nothing else would tell.
func (g *Group) Lost() {
	time.AfterFunc(confirmPause, func() {
		select {
		case g.again <- struct{}{}:
		default:
		}
	})
}

// confirm asks the group whether this member's generation is the current one. Else a new one is under way.
func (g *Group) confirm(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, requests)
	defer cancel()
	err := g.heartbeat(ctx)
	var code kafka.Error
	if err != nil && !errors.As(err, &code) && !errors.Is(err, errNoGeneration) {
		g.Lost() // no answer: ask again
	}
	return err == nil
}

// Holds asks the group whether it counts this member as the owner of a partition: its generation is the current one,
// and gave it the partition.
func (g *Group) Holds(ctx context.Context, partition int) bool {
	return slices.Contains(g.partitions(), partition) && g.heartbeat(ctx) == nil
}

var errNoGeneration = errors.New("this member has no generation yet")

// heartbeat asks once whether this member's generation is the current one.
func (g *Group) heartbeat(ctx context.Context) error {
	g.mu.Lock()
	current := g.current
	g.mu.Unlock()
	if current == nil {
		return errNoGeneration
	}
	answer, err := g.opts.Client().Heartbeat(ctx, &kafka.HeartbeatRequest{
		GroupID: current.GroupID, GenerationID: current.ID, MemberID: current.MemberID,
	})
	if err == nil {
		err = answer.Error
	}
	return err
}

// Leave implements bridge.Membership.
func (g *Group) Leave(ctx context.Context) error {
	g.leaving.Do(func() { close(g.left) })
	g.reports.Wait()
	left := make(chan error, 1)
	go func() { left <- g.group.Close() }()
	select {
	case err := <-left:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
