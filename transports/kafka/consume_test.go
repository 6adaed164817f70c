package kafka

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"livebridge/bridge"
	"livebridge/transports/transporttest"
)

// TestConsumeNew leaves out what was there before, and outlives a broker's restart.
func TestConsumeNew(t *testing.T) {
	t.Parallel()
	f := startFake(t)
	o := testOptions()
	p := f.dial(t, o)
	transporttest.Deliver(t, p, transporttest.Events(10, 1, 2))
	o.Brokers = joined(f.addrs)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	consumed := make(chan string, 10_000)
	ended := make(chan error, 1)
	go func() {
		ended <- Consume(ctx, o, StartNew, func(r Record) error { consumed <- string(r.Payload); return nil })
	}()
	next := func(sequence uint64) { // publishes until the consumer has begun
		e := transporttest.Events(1, sequence, 1)[0]
		want := string(e.AppendStructured(nil))
		for {
			transporttest.Deliver(t, p, []*bridge.Event{e})
			for {
				select {
				case got := <-consumed:
					if got == want {
						return
					}
					if strings.Contains(got, `"number":1}`) || strings.Contains(got, `"number":2}`) {
						t.Fatalf("an old event: %s", got)
					}
					continue
				case <-time.After(500 * time.Millisecond):
				case err := <-ended:
					t.Fatalf("nothing was consumed: %v", err)
				}
				break
			}
		}
	}
	next(3)
	f.Close()
	f.restart(t)
	next(4)
	cancel()
	if err := transporttest.Receive(t, ended); !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v", err)
	}
}

// TestConsumeNoQuarantine: a template that the quarantine's topic matches too does not make its notices events.
func TestConsumeNoQuarantine(t *testing.T) {
	t.Parallel()
	o := testOptions()
	o.Topic = "live.{app}"
	f := startFake(t, kfake.SeedTopics(1, "live.one", o.Quarantine))
	o.Brokers = joined(f.addrs)
	c, err := newConsumer(t.Context(), o, func(Record) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if err := c.discover(StartAll); err != nil {
		t.Fatal(err)
	}
	if want := map[string]int{"live.one": 1}; !maps.Equal(c.read, want) {
		t.Errorf("it reads %v, not %v", c.read, want)
	}
}

// TestConsumeCommitted: what replicas have aborted is not consumed, and what they commit is, once and in order.
func TestConsumeCommitted(t *testing.T) {
	t.Parallel()
	f, o, _, p := startReplica(t, nil)
	refuseLarge(f, o.Topic)
	aborted := counted(100, 14)
	large := *aborted.Events[13]
	large.Data = []byte(`"` + strings.Repeat("x", 990_000) + `"`)
	aborted.Events[13] = &large
	for n := range uint64(3) {
		if _, err := p.Commit(soon(t), aborted); !bridge.IsRejected(err) {
			t.Fatal(err)
		}
		if _, err := p.Commit(soon(t), counted(2*n+1, 2)); err != nil {
			t.Fatal(err)
		}
	}
	want := transporttest.Events(1, 1, 6)
	err := Consume(soon(t), o, StartAll, func(r Record) error {
		if string(r.Payload) != string(want[0].AppendStructured(nil)) || r.Header["content-type"] == "" {
			t.Errorf("consumed is %v %s", r.Header, r.Payload)
		}
		if want = want[1:]; len(want) == 0 {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Error(err)
	}
}
