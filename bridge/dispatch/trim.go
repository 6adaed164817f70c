package dispatch

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"livebridge/bridge"
)

// trimmer removes from the outbox what is durable at the broker.
type trimmer struct {
	outbox   Outbox
	durable  func(context.Context) error
	interval time.Duration
	log      *zap.Logger
	failing  bool // the last trim failed, and that was logged
}

func newTrimmer(o Outbox, p bridge.Publisher, opts Options, log *zap.Logger) *trimmer {
	t := &trimmer{outbox: o, log: log, interval: opts.Trim, durable: func(context.Context) error { return nil }}
	if c, needed := p.(bridge.Checkpointer); needed {
		t.durable, t.interval = c.Checkpoint, opts.Checkpoint
	}
	return t
}

// run trims at every interval until ctx ends, and calls trimmed each time.
func (t *trimmer) run(ctx context.Context, trimmed func()) {
	ticker := time.NewTicker(t.interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			t.trim(ctx)
			trimmed()
		}
	}
}

// trim removes acknowledged events, and logs when that begins to fail and when it works again.
func (t *trimmer) trim(ctx context.Context) {
	err := t.outbox.Trim(ctx, t.durable)
	switch {
	case err == nil && t.failing:
		t.log.Info("published events are durable at the broker again")
	case err == nil || t.failing || errors.Is(err, context.Canceled) && ctx.Err() != nil:
	default:
		t.log.Warn("published events cannot be made durable at the broker; they are retained; retrying",
			zap.Error(err))
	}
	if ctx.Err() == nil {
		t.failing = err != nil
	}
}

// finish trims once more at the end. The next run publishes again what remains in the outbox; consumers drop those
// events as duplicates, since they are identical to the byte.
func (t *trimmer) finish(ctx context.Context) {
	if err := t.outbox.Trim(ctx, t.durable); err != nil {
		t.log.Warn("outbox not trimmed at shutdown; the last published events are published again after the restart",
			zap.Error(err))
	}
}
