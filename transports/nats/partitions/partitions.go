package partitions

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"livebridge/bridge"
)

// Event is an event as a message.
type Event struct {
	Notice  bool   // of quarantine
	Subject string // behind the prefix of its stream's subjects
	Header  nats.Header
	Data    []byte
}

// Options configure Partitions. All are required.
type Options struct {
	// Connection returns the current one. It reconnects for ever by itself.
	Connection func() (*nats.Conn, jetstream.JetStream)
	Log        *zap.Logger

	Intake, State string // names of the streams, which also begin their subjects
	Count         int    // of partitions

	Encode     func(e *bridge.Event) Event
	EventsLive time.Duration // for so long events stay in the state's stream, to be sourced
	AckTimeout time.Duration // what has no answer for so long gets none

	BatchMessages int   // that the server takes in one atomic batch
	BatchBytes    int64 // likewise; a larger commit is written down first

	Committed func(partition int, c Committed) // called after each Take and commit; must not block
	Fenced    func(partition int)              // called when it was lost to another owner; must not block
}

// Committed is what is known to be committed.
type Committed struct {
	Next            uint64 // sequence in the intake of the message that is read next
	Events, Notices uint64 // sequences in the state of the last one that was committed now; 0: there was none
}

// The limits of an atomic batch: the server's default, and what its leader should have to keep in memory.
const (
	BatchMessages = 1000
	BatchBytes    = 8 << 20
)

// batchInputs is how many inputs a commit should be of. Each makes an event and a lane's row, most of the time, and
// then one atomic batch has room for all.
const batchInputs = 400

// BatchInputs implements bridge.BatchLimiter.
func (p *Partitions) BatchInputs() int { return batchInputs }

// Partitions are those of one intake. It implements bridge.Partitions, bridge.BatchLimiter and bridge.RestoreProgress.
type Partitions struct {
	opts     Options
	progress []progress // of the last Take of each partition
}

// New returns the partitions of an intake.
func New(o Options) *Partitions { return &Partitions{opts: o, progress: make([]progress, o.Count)} }

// Take implements bridge.Partitions. Nothing is read before the fence: of what is read then, the fence is the last, and
// whoever has it has everything, whichever replica of the stream it comes from.
func (p *Partitions) Take(ctx context.Context, number int, from uint64,
	put func([]bridge.Row, uint64) error) (bridge.Partition, error) {
	if err := p.check(number); err != nil {
		return nil, err
	}
	p.progress[number].begin()
	owned, err := p.fence(ctx, number)
	if err != nil {
		return nil, p.failed(number, err)
	}
	if err := owned.restore(ctx, from, put); err != nil {
		return nil, p.failed(number, err)
	}
	p.opts.Committed(number, Committed{Next: messageAt(owned.cursor.next)})
	owned.intake = newIntake(p, number, owned.cursor.next, owned.cursor.owner)
	return owned, nil
}

// State implements bridge.Partitions.
func (p *Partitions) State(ctx context.Context, number int, from uint64, put func([]bridge.Row, uint64) error) error {
	if err := p.check(number); err != nil {
		return err
	}
	at, sequence, err := p.lastCursor(ctx, number)
	if err != nil {
		return p.failed(number, err)
	}
	if from > sequence || from > 0 && from < at.forgotten {
		return p.failed(number, bridge.ErrStateGone)
	}
	if sequence == from {
		return nil
	}
	r := p.reader(number, from, put)
	defer r.log.close()
	return p.failed(number, r.readCommitted(ctx, sequence))
}

func (p *Partitions) check(number int) error {
	if number < 0 || number >= p.opts.Count {
		return fmt.Errorf("stream %s has no partition %d", p.opts.Intake, number)
	}
	return nil
}

func (p *Partitions) failed(number int, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("partition %d of %s: %w", number, p.opts.Intake, err)
}

// subject returns a subject of the state.
func (p *Partitions) subject(number int, rest string) string {
	return p.opts.State + "." + strconv.Itoa(number) + "." + rest
}

// messageBytes is how large headers and payload of a message may be: the rest is for headers of batches and of sources.
func (p *Partitions) messageBytes() int {
	const reserved = 1024
	conn, _ := p.opts.Connection()
	return max(int(conn.MaxPayload())-reserved, reserved)
}
