package simulator

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"livebridge/bridge"
)

// requestTimeout bounds the wait for a response.
const requestTimeout = 20 * time.Second

// drainTimeout bounds the wait for the last responses at the end.
const drainTimeout = 3 * time.Second

// maxLag is how many seconds ago the first simulated push of a stream began at most: the sessions of a stream are a
// second apart, must stay in the past, and are not more than its callbacks.
const maxLag = maxOffset + 100

// lag returns how many seconds ago the first push of a stream begins. It is now, unless a stream gets more callbacks
// than seconds pass.
func (c *Config) lag() int64 {
	perSecond := c.Rate / float64(c.Streams)
	switch {
	case c.Rate > 0 && perSecond <= 1:
		return 0
	case c.Count > 0:
		return min(maxLag, int64(c.Count/c.Streams)+1)
	case c.Rate > 0 && c.Duration > 0:
		return min(maxLag, int64(perSecond*c.Duration.Seconds())+1)
	}
	return maxLag
}

// sender sends the callbacks of one connection.
type sender struct {
	c      *Config
	plan   *plan
	stats  *stats
	client *http.Client
	url    string
	limit  int              // callbacks; 0: no limit
	first  time.Duration    // until the first one: the senders take turns
	pause  time.Duration    // between two of them
	bases  map[string]int64 // Unix second of the session 0 of each stream
	last   request          // of the last callback that was not a forgery
}

func newSender(c *Config, n, of int, st *stats) *sender {
	s := &sender{
		c: c, plan: newPlan(c, n, of), stats: st, bases: make(map[string]int64),
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
		between := float64(time.Second) / c.Rate
		s.first, s.pause = time.Duration(float64(n+1)*between), time.Duration(float64(of)*between)
	}
	return s
}

// run sends until ctx ends or the sender's share of the count is sent.
func (s *sender) run(ctx context.Context) {
	defer s.client.CloseIdleConnections()
	answers, cancel := drainContext(ctx)
	defer cancel()
	due := time.Now().Add(s.first - s.pause)
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
	status, err := s.post(ctx, r)
	s.stats.add(err, Sent{
		Time: begun, Took: time.Since(begun), Status: status, Expect: c.expected(), Lane: c.Lane(), Event: c.Event,
		Session: s.session(&c), Name: c.Name(s.base(&c)), Again: c.Again,
	})
}

// request encodes a callback, or returns the previous request for an unchanged redelivery.
func (s *sender) request(c *Callback) (request, error) {
	if c.Again > 0 && !c.Resign {
		return s.last, nil
	}
	r, err := outgoing{c, &s.c.Keys, time.Now(), s.base(c)}.request()
	if !c.Forged {
		s.last = r
	}
	return r, err
}

// base returns the Unix second of a stream's session 0. A twin has that of its stream.
func (s *sender) base(c *Callback) int64 {
	name := strings.TrimSuffix(c.Stream, twinSuffix)
	if _, known := s.bases[name]; !known {
		s.bases[name] = time.Now().Unix() - s.c.lag()
	}
	return s.bases[name]
}

// session returns the publish_timestamp of stream status, 0 for others.
func (s *sender) session(c *Callback) bridge.Millis {
	if c.Kind != bridge.KindStream {
		return 0
	}
	return bridge.Millis(1000 * (s.base(c) + c.Session))
}

// post returns the status, or 0 and why there is no response.
func (s *sender) post(ctx context.Context, wire request) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+wire.path, bytes.NewReader(wire.body))
	if err != nil {
		return 0, err
	}
	r.Header = wire.header
	answer, err := s.client.Do(r)
	if err != nil {
		var withURL *url.Error // whose path may be a token
		if errors.As(err, &withURL) {
			err = withURL.Err
		}
		return 0, err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return 0, err
	}
	return answer.StatusCode, nil
}
