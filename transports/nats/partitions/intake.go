package partitions

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"livebridge/bridge"
)

const (
	readAhead   = 512     // messages that wait to be read
	readRecords = 10_000  // that a Read returns at most
	readBytes   = 8 << 20 // likewise, but for the last record
)

// A tick is a message in the intake that is no input: who wrote it and reads it knows that nothing lies before it any
// more. It is gone soon.
const (
	headerTick = "Livebridge-Tick" // owner-number
	tickLives  = "60"              // seconds
)

// intake reads a partition of the intake ahead, while its owner commits.
type intake struct {
	p       *Partitions
	number  int
	subject string
	owner   string // of ticks
	log     follower
	next    uint64 // position that it begins at
	cancel  context.CancelFunc
	work    sync.WaitGroup

	fetched chan fetched

	// of the owner's goroutine
	ticked uint64    // the last tick that was written
	seen   uint64    // the last one that was read
	ended  time.Time // when one was seen last in time
	behind uint64    // inputs and messages, ticks among them, behind what was read last
}

// fetched is a message that was read ahead: a record, or a tick.
type fetched struct {
	record bridge.IntakeRecord
	tick   uint64 // 0: none
	behind uint64 // inputs of its message that lie behind it, and messages that lay there
}

// newIntake begins to read at a position.
func newIntake(p *Partitions, number int, next, owner uint64) *intake {
	ctx, cancel := context.WithCancel(context.Background())
	i := &intake{p: p, number: number, subject: p.opts.Intake + "." + strconv.Itoa(number),
		owner: strconv.FormatUint(owner, 36), cancel: cancel, fetched: make(chan fetched, readAhead)}
	i.next = next
	i.log = follower{connection: p.opts.Connection, stream: p.opts.Intake, subject: i.subject, next: messageAt(next)}
	i.work.Go(func() { i.run(ctx) })
	return i
}

// run reads until ctx ends.
func (i *intake) run(ctx context.Context) {
	defer i.log.close()
	i.begin(ctx)
	for {
		m, err := i.log.read(ctx)
		if err != nil {
			return
		}
		i.fetch(ctx, &m)
	}
}

// fetch hands over the inputs of a message, or a tick.
func (i *intake) fetch(ctx context.Context, m *message) {
	if text := m.Headers().Get(headerTick); text != "" {
		if tick := i.tickOf(text); tick > 0 {
			i.hand(ctx, fetched{behind: m.left, tick: tick})
		}
		return
	}
	inputs := unbundle(m.Data())
	for n, value := range inputs {
		r := bridge.IntakeRecord{Position: positionOf(m.sequence, n, len(inputs)), Recorded: bridge.MillisOf(m.time),
			Value: value}
		if r.Position >= i.next {
			i.hand(ctx, fetched{behind: m.left + uint64(len(inputs)-1-n), record: r})
		}
	}
}

// hand waits until what was read is taken, or ctx ends.
func (i *intake) hand(ctx context.Context, f fetched) {
	select {
	case i.fetched <- f:
	case <-ctx.Done():
	}
}

// begin goes on at the beginning of an intake that does not have the position: it was made anew, or has lost its end.
func (i *intake) begin(ctx context.Context) {
	for wait := firstPause; ctx.Err() == nil; wait = pause(ctx, wait) {
		asking, cancel := context.WithTimeout(ctx, followTimeout)
		_, js := i.p.opts.Connection()
		stream, err := js.Stream(asking, i.log.stream)
		cancel()
		if err != nil {
			continue
		}
		have := stream.CachedInfo().State
		if needs(i.next) > have.LastSeq {
			i.p.opts.Log.Error("inputs are lost from the intake: its stream was recreated or has lost its end; "+
				"processing continues at its beginning", zap.String("stream", i.log.stream), zap.Int("partition", i.number),
				zap.Uint64("wanted", i.log.next), zap.Uint64("last", have.LastSeq))
			i.log.next, i.next = 0, 0
		}
		return
	}
}

// tickOf returns the number of a tick of ours; 0: it is another owner's.
func (i *intake) tickOf(text string) uint64 {
	owner, count, _ := strings.Cut(text, "-")
	number, err := strconv.ParseUint(count, 10, 64)
	if err != nil || owner != i.owner {
		return 0
	}
	return number
}

// tick writes a tick behind all that is in the intake now, and returns its number. One that is lost is never seen.
func (i *intake) tick() uint64 {
	i.ticked++
	m := nats.NewMsg(i.subject)
	m.Header[headerTick] = []string{fmt.Sprintf("%s-%d", i.owner, i.ticked)}
	m.Header[headerTTL] = []string{tickLives}
	conn, _ := i.p.opts.Connection()
	_ = conn.PublishMsg(m)
	return i.ticked
}

func (i *intake) close() {
	i.cancel()
	i.work.Wait()
}
