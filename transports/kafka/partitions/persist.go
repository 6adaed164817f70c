package partitions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"livebridge/transports/kafka/committed"
)

const (
	fetchWait  = 500 * time.Millisecond // a fetch without records takes so long
	firstPause = 10 * time.Millisecond  // after an error that passes
	lastPause  = 500 * time.Millisecond
)

// persist reads until it succeeds, the error is none that passes, or ctx ends.
func persist(ctx context.Context, b Brokers, read func() error) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := read()
		if ctx.Err() != nil && err != nil {
			return fmt.Errorf("%w; the last answer: %w", ctx.Err(), err)
		}
		if errors.Is(err, kafka.TopicAuthorizationFailed) {
			return fmt.Errorf("KAFKA_USER is not permitted to read the topics of replicas: allow READ: %w", err)
		}
		if err == nil || !committed.Passes(err) {
			return err
		}
		b.Renew()
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
	}
}
