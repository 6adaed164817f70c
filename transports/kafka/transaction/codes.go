package transaction

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"livebridge/bridge"
)

// verdict is what an answer, or its absence, means for a transaction.
type verdict int

const (
	done     verdict = iota
	again            // ask again, the same to the byte
	fenced           // another producer has the transactional id
	tooLarge         // the broker will never take this batch, but perhaps a part of it
	lost             // this producer can go on no more
)

// judge judges an answer. Whoever did not answer is asked again: every request here may be repeated.
func judge(err error) verdict {
	var code kafka.Error
	switch {
	case err == nil:
		return done
	case !errors.As(err, &code):
		return again
	}
	switch code {
	case kafka.DuplicateSequenceNumber:
		return done
	case kafka.InvalidProducerEpoch, kafka.ProducerFenced:
		return fenced
	case kafka.MessageSizeTooLarge, kafka.RecordListTooLarge, kafka.InvalidRecord:
		return tooLarge
	case concurrentTransactions, kafka.BrokerNotAvailable, kafka.ReplicaNotAvailable,
		kafka.Unknown: // a server's error that says no more
		return again
	case kafka.InvalidMessage: // of a batch that was damaged on its way, or is wrong
		return lost
	}
	if code.Temporary() {
		return again
	}
	return lost
}

// concurrentTransactions is what nearly every first request after an EndTxn is answered: the markers of that are still
// being written. The library does not count it among those that pass.
const concurrentTransactions = kafka.Error(51)

const (
	firstPause = time.Millisecond       // before the first repetition: markers take about as long
	lastPause  = 250 * time.Millisecond // between two
	// askTimeout bounds one request: a broker may be gone without a word.
	askTimeout = 10 * time.Second
)

// repeat asks until the answer is neither a passing error nor missing, or ctx ends.
func (p *Producer) repeat(ctx context.Context, what string, ask func(ctx context.Context) error) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		asking, cancel := context.WithTimeout(ctx, askTimeout)
		err := ask(asking)
		cancel()
		switch judge(err) {
		case done:
			return nil
		case again:
			if !errors.Is(err, concurrentTransactions) {
				p.brokers.Renew()
			}
		default:
			return p.explain(what, err)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%s: %w; the last answer: %w", what, ctx.Err(), err)
		case <-timer.C:
		}
	}
}

// explain returns the error of an answer that ends the transaction.
func (p *Producer) explain(what string, err error) error {
	took := time.Since(p.begun)
	switch {
	case judge(err) == fenced && p.open && took >= p.timeout:
		return &Overdue{What: what, After: took, Err: err}
	case judge(err) == fenced:
		return fmt.Errorf("%s: %w: %w", what, bridge.ErrFenced, err)
	case errors.Is(err, kafka.TransactionalIDAuthorizationFailed):
		return fmt.Errorf("%s: KAFKA_USER is not permitted to use the transactional id %s: allow WRITE and DESCRIBE on "+
			"transactional ids with this beginning: %w", what, p.id, err)
	case errors.Is(err, kafka.TopicAuthorizationFailed):
		return fmt.Errorf("%s: KAFKA_USER is not permitted to write to the topics: allow WRITE: %w", what, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}
