package simulator

import (
	"context"
	"errors"
	"time"
)

// Step is one callback of a script.
type Step struct {
	Callback               // but for Offset, which Play sets
	After    time.Duration // pause before it
}

// Play sends the callbacks of a script one after another, each after the response to the one before it, and returns the
// report. Of c it uses URL, Keys and Sent, whose error ends it. Sessions are counted in seconds from a time so long ago
// that all of them lie in the past. A missing response is no error, as in Run.
func Play(ctx context.Context, c Config, script []Step) (Report, error) {
	if len(script) == 0 {
		return Report{}, errors.New("the script is empty; add a step")
	}
	c.Streams, c.Connections, c.Rate, c.Duration, c.Count = 1, 1, 0, 0, 1+int(lastSession(script))
	for _, step := range script {
		c.Kinds = append(c.Kinds[:len(c.Kinds):len(c.Kinds)], step.Kind)
	}
	if err := c.Check(); err != nil {
		return Report{}, err
	}
	t := newStats(c.Sent)
	s := newSender(&c, 0, 1, t)
	defer s.client.CloseIdleConnections()
	for n, step := range script {
		select {
		case <-ctx.Done():
			return t.report(), ctx.Err()
		case <-time.After(step.After):
		}
		step.Offset = int64(n)
		s.send(ctx, step.Callback)
		if t.err != nil {
			break
		}
	}
	return t.report(), t.err
}

func lastSession(script []Step) (last int64) {
	for _, step := range script {
		last = max(last, step.Session)
	}
	return last
}
