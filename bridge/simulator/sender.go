package simulator

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// requestTimeout is how long an answer is waited for.
const requestTimeout = 20 * time.Second

// earlier is how long ago the first simulated push began: sessions go up by a second and must stay in the past.
const earlier = 1_000_000

// sender is one connection and what is sent on it.
type sender struct {
	c      *Config
	plan   *plan
	tally  *tally
	client *http.Client
	url    string
	limit  int           // callbacks; 0: no limit
	pause  time.Duration // between two of them
	base   int64
	last   []byte // body of the last callback that was no forgery
}

func newSender(c *Config, n, of int, t *tally) *sender {
	s := &sender{
		c: c, plan: newPlan(c, n, of), tally: t, base: time.Now().Unix() - earlier,
		url:    strings.TrimSuffix(c.URL, "/") + "/live/stream",
		client: &http.Client{Timeout: requestTimeout, Transport: &http.Transport{MaxConnsPerHost: 1, MaxIdleConnsPerHost: 1}},
	}
	if c.Count > 0 {
		s.limit = (c.Count + of - 1 - n) / of
	}
	if c.Rate > 0 {
		s.pause = time.Duration(float64(of) / c.Rate * float64(time.Second))
	}
	return s
}

// run sends until ctx ends or the sender's part of the count is done.
func (s *sender) run(ctx context.Context) {
	defer s.client.CloseIdleConnections()
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
		s.send(ctx, s.plan.next())
	}
}

// send sends one callback and counts its answer.
func (s *sender) send(ctx context.Context, c Callback) {
	body := s.last
	if c.Again == 0 || c.Resign {
		body = c.body(s.c.Key, time.Now(), s.base)
	}
	if !c.Forged {
		s.last = body
	}
	begun := time.Now()
	status := s.post(ctx, body)
	if status == 0 && ctx.Err() != nil {
		return // the end came in between
	}
	s.tally.add(Sent{Time: begun, Took: time.Since(begun), Status: status, Expect: c.Expect(), Stream: c.Stream, Event: c.Event,
		Session: s.base + c.Session, Again: c.Again})
}

// post returns the status, 0 when there was no answer.
func (s *sender) post(ctx context.Context, body []byte) int {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	r.Header.Set("Content-Type", "application/json")
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
