package simulator

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"livebridge/bridge"
)

// requestTimeout bounds the wait for a response.
const requestTimeout = 20 * time.Second

// drainTimeout bounds the wait for the last responses at the end.
const drainTimeout = 3 * time.Second

// sessionOffset is how many seconds ago the first simulated push began: the sessions of a stream are a second apart,
// must stay in the past, and are not more than its callbacks.
const sessionOffset = maxOffset + 100

// sender sends the callbacks of one connection.
type sender struct {
	c      *Config
	plan   *plan
	stats  *stats
	client *http.Client
	url    string
	limit  int           // callbacks; 0: no limit
	pause  time.Duration // between two of them
	base   int64
	last   request // of the last callback that was not a forgery
}

func newSender(c *Config, n, of int, st *stats) *sender {
	s := &sender{
		c: c, plan: newPlan(c, n, of), stats: st, base: time.Now().Unix() - sessionOffset,
		url: strings.TrimSuffix(c.URL, "/"),
		client: &http.Client{
			Timeout:   requestTimeout,
			Transport: &http.Transport{MaxConnsPerHost: 1, MaxIdleConnsPerHost: 1},
		},
	}
	if c.Count > 0 {
		s.limit = (c.Count + of - 1 - n) / of
	}
	if c.Rate > 0 {
		s.pause = time.Duration(float64(of) / c.Rate * float64(time.Second))
	}
	return s
}

// run sends until ctx ends or the sender's share of the count is sent.
func (s *sender) run(ctx context.Context) {
	defer s.client.CloseIdleConnections()
	answers, cancel := drainContext(ctx)
	defer cancel()
	due := time.Now()
	for n := 0; (s.c.Count == 0 || n < s.limit) && ctx.Err() == nil; n++ {
		if s.pause > 0 {
			due = due.Add(s.pause)
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Until(due)):
			}
		}
		s.send(answers, s.plan.next())
	}
}

// drainContext returns a context that ends drainTimeout after ctx: callbacks that the service may have should get their
// response.
func drainContext(ctx context.Context) (context.Context, context.CancelFunc) {
	drained, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		select {
		case <-drained.Done():
		case <-time.After(drainTimeout):
			cancel()
		}
	})
	return drained, cancel
}

// send sends one callback and counts its response.
func (s *sender) send(ctx context.Context, c Callback) {
	r, err := s.request(&c)
	if err != nil {
		s.stats.fail(err)
		return
	}
	begun := time.Now()
	status := s.post(ctx, r)
	s.stats.add(Sent{
		Time: begun, Took: time.Since(begun), Status: status, Expect: c.Expect(), Lane: c.Lane(), Event: c.Event,
		Session: s.session(&c), Name: c.name(s.base), Again: c.Again,
	})
}

// request encodes a callback, or returns the previous request for an unchanged redelivery.
func (s *sender) request(c *Callback) (request, error) {
	if c.Again > 0 && !c.Resign {
		return s.last, nil
	}
	r, err := outgoing{c, &s.c.Keys, time.Now(), s.base}.request()
	if !c.Forged {
		s.last = r
	}
	return r, err
}

// session returns the publish_timestamp of stream status, 0 for others.
func (s *sender) session(c *Callback) bridge.Millis {
	if c.Kind != bridge.KindStream {
		return 0
	}
	return bridge.Millis(1000 * (s.base + c.Session))
}

// post returns the status, 0 without a response.
func (s *sender) post(ctx context.Context, wire request) int {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+wire.path, bytes.NewReader(wire.body))
	if err != nil {
		return 0
	}
	r.Header = wire.header
	answer, err := s.client.Do(r)
	if err != nil {
		return 0
	}
	_, err = io.Copy(io.Discard, answer.Body)
	if errors.Join(err, answer.Body.Close()) != nil {
		return 0
	}
	return answer.StatusCode
}
