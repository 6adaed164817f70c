package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/checker"
	"livebridge/transports/nats"
)

// playedProvider sends callbacks and keeps the log of what it sent and how that was answered.
type playedProvider struct {
	mu    sync.Mutex
	sent  []checker.Sent
	total atomic.Int64 // answered 200
	base  int64
}

func newProvider() *playedProvider { return &playedProvider{base: time.Now().Unix() - 10_000} }

// play sends rounds [from, to) of one stream: a push starts, then ends, again and again. It stops at the first failure
// to connect and returns the next round.
func (p *playedProvider) play(ctx context.Context, url, stream string, from, to int) int {
	for n := from; n < to; n++ {
		if p.send(ctx, url, stream, n) == 0 {
			return n + 1
		}
	}
	return to
}

// send sends one round and returns the answer's status, 0 when there was none.
func (p *playedProvider) send(ctx context.Context, url, stream string, n int) int {
	return p.sendWith(ctx, http.DefaultClient, url, stream, n)
}

func (p *playedProvider) sendWith(ctx context.Context, client *http.Client, url, stream string, n int) int {
	session, event := p.base+int64(n/2), "PUBLISH"
	if n%2 == 1 {
		event = "PUBLISH_DONE"
	}
	expires := time.Now().Add(time.Minute + time.Duration(n/2)*time.Second)
	status, err := postWith(ctx, client, url, streamCallback(event, stream, session, expires, ""))
	if err != nil {
		status = 0
	}
	if status == http.StatusOK {
		p.total.Add(1)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, checker.Sent{Number: uint64(len(p.sent)), Status: status, Occurrence: checker.Occurrence{
		Kind: bridge.KindStream.String(), Subject: "push.example.com/live/" + stream, Event: event,
		Session: bridge.Millis(1000 * session),
	}})
	return status
}

func post(ctx context.Context, url string, body []byte) (int, error) {
	return postWith(ctx, http.DefaultClient, url, body)
}

// postWith returns the status of the answer to a body.
func postWith(ctx context.Context, client *http.Client, url string, body []byte) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, errors.Join(err, answer.Body.Close())
}

// errAllThere ends the reading of a topic that has everything that was answered 200.
var errAllThere = errors.New("all is there")

// stallTimeout is how long nothing may come of what was answered 200. How long all of it takes is the machine's matter.
const stallTimeout = 60 * time.Second

var errStalled = errors.New("nothing has come for a minute")

// judge consumes the stream until everything that was answered 200 has come and lets the checker judge the whole.
func (p *playedProvider) judge(t *testing.T, url string) {
	t.Helper()
	p.judgeStream(t, url, nats.DefaultOptions())
}

func (p *playedProvider) judgeStream(t *testing.T, url string, o nats.Options) {
	t.Helper()
	o.URL = url
	p.judgeTopic(t, func(ctx context.Context, out func(payload []byte) error) error {
		return nats.Consume(ctx, o, nats.StartAll, func(r nats.Record) error { return out(r.Payload) })
	})
}

func (p *playedProvider) judgeTopic(t *testing.T, consume func(context.Context, func(payload []byte) error) error) {
	t.Helper()
	missing := make(map[checker.Occurrence]bool)
	c := checker.New(checker.Config{HoldDone: testHold, HoldNext: testHold})
	for _, s := range p.sent {
		c.Sent(s)
		if s.Status == http.StatusOK {
			missing[s.Occurrence] = true
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	stalled := time.AfterFunc(stallTimeout, func() { cancel(errStalled) })
	defer stalled.Stop()
	err := consume(ctx, func(payload []byte) error {
		stalled.Reset(stallTimeout)
		e, err := checker.ParseEvent(payload)
		if err != nil {
			return err
		}
		c.Published(e)
		if delete(missing, e.Occurrence); len(missing) == 0 {
			return errAllThere
		}
		return nil
	})
	if !errors.Is(err, errAllThere) {
		t.Errorf("reading the topic ended with %v (%v), %d are missing", err, context.Cause(ctx), len(missing))
	}
	if r := c.Report(); !r.OK() {
		t.Errorf("%s", saveSent(t, p.sent, r))
	}
}

// judgeLines has the checker judge what came out, as lines of tail.
func (p *playedProvider) judgeLines(t *testing.T, lines []string) {
	t.Helper()
	c := checker.New(checker.Config{HoldDone: testHold, HoldNext: testHold})
	for _, s := range p.sent {
		c.Sent(s)
	}
	for _, line := range lines {
		e, err := checker.ParseEvent([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		c.Published(e)
	}
	if r := c.Report(); !r.OK() {
		t.Errorf("%s", saveSent(t, p.sent, r))
	}
}

// saveSent writes the log of what was sent beside a report that is not right.
func saveSent(t *testing.T, sent []checker.Sent, r *checker.Report) string {
	t.Helper()
	file, err := os.CreateTemp("", "livebridge-sent-*.jsonl")
	if err != nil {
		return fmt.Sprint(r, err)
	}
	defer func() { _ = file.Close() }()
	lines := json.NewEncoder(file)
	for _, s := range sent {
		if err := lines.Encode(s); err != nil {
			return fmt.Sprint(r, err)
		}
	}
	return fmt.Sprintf("%s\nwhat was sent: %s", r, file.Name())
}
