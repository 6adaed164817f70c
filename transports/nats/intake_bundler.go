package nats

import (
	"context"
	"fmt"
	"sync"
	"time"

	"livebridge/transports/nats/partitions"
)

const (
	// bundleInputs and bundleBytes are how much goes into one message of the intake at most, but for one large input.
	bundleInputs = 512
	bundleBytes  = 256 << 10

	// bundlePatience is how long inputs wait for the answer to those before them. One that was lost must not cost them
	// the time that they have themselves.
	bundlePatience = 100 * time.Millisecond
)

// bundler puts the inputs of a partition that come at the same time into one message: a message costs three servers
// about as much with one input as with many. The first one is sent at once, and what comes before it is answered goes
// together with the next.
type bundler struct {
	send  func(ctx context.Context, inputs [][]byte) error // until it is answered, or ctx ends
	bytes func() int                                       // that a message may have

	mu      sync.Mutex
	waiting []*pending
	working bool
	most    int   // bytes of inputs in a message since one was too large for the stream; 0: none was
	trouble error // of what is under way; nil: none
}

// pending is an input that waits for the answer of the stream.
type pending struct {
	input    []byte
	answered chan error
	in       *bundle // nil: in none yet
	gone     bool    // nobody waits for it any more
}

// bundle is inputs that are sent together.
type bundle struct {
	of     []*pending
	left   int // of those that are waited for
	cancel context.CancelFunc
}

// append returns once the stream has answered an input, or ctx ends.
func (b *bundler) append(ctx context.Context, input []byte) error {
	w := &pending{input: input, answered: make(chan error, 1)}
	b.enter(w)
	select {
	case err := <-w.answered:
		return err
	case <-ctx.Done():
		return b.leave(w, ctx.Err())
	}
}

func (b *bundler) enter(w *pending) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = append(b.waiting, w)
	if !b.working {
		b.working = true
		go b.work()
	}
}

// leave gives an input up. Those that it was sent with go on, unless nobody waits for them either.
func (b *bundler) leave(w *pending, why error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	w.gone = true
	if w.in != nil {
		if w.in.left--; w.in.left == 0 {
			w.in.cancel()
		}
	}
	if b.trouble != nil {
		return fmt.Errorf("%w: %w", b.trouble, why)
	}
	return why
}

// report notes why there is no answer yet.
func (b *bundler) report(trouble error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trouble = trouble
}

// work sends what waits until nothing does.
func (b *bundler) work() {
	for {
		ctx, next := b.next()
		if next == nil {
			return
		}
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			defer next.cancel()
			b.deliver(ctx, next.of)
		}()
		patience := time.NewTimer(bundlePatience)
		select {
		case <-answered:
		case <-patience.C:
		}
		patience.Stop()
	}
}

// next takes what is sent together; nil: nothing waits.
func (b *bundler) next() (context.Context, *bundle) {
	b.mu.Lock()
	defer b.mu.Unlock()
	next, bytes, n := &bundle{}, 0, 0
	for _, w := range b.waiting {
		size := len(w.input) + partitions.BundleOverhead
		if len(next.of) > 0 && (len(next.of) == bundleInputs || bytes+size > b.room()) {
			break
		}
		n++
		if !w.gone {
			w.in, next.of, bytes = next, append(next.of, w), bytes+size
		}
	}
	b.waiting = b.waiting[n:]
	if next.left = len(next.of); next.left == 0 {
		b.waiting, b.working = nil, false
		return nil, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	next.cancel = cancel
	return ctx, next
}

// room is how many bytes of inputs go together.
func (b *bundler) room() int {
	room := min(bundleBytes, b.bytes())
	if b.most > 0 {
		room = min(room, b.most)
	}
	return room - partitions.BundleOverhead
}

// deliver sends inputs and tells the answer. Those that are too large together are sent in halves.
func (b *bundler) deliver(ctx context.Context, all []*pending) {
	inputs := make([][]byte, len(all))
	for i, w := range all {
		inputs[i] = w.input
	}
	err := b.send(ctx, inputs)
	if n := len(all) / 2; n > 0 && isTooLarge(err) {
		b.lower(inputs)
		b.deliver(ctx, all[:n])
		b.deliver(ctx, all[n:])
		return
	}
	b.report(nil)
	for _, w := range all {
		w.answered <- err
	}
}

// lower notes that the stream does not take so much at once.
func (b *bundler) lower(inputs [][]byte) {
	total := 0
	for _, in := range inputs {
		total += len(in)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.most = max(1, total/2)
}
