package embedded

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/transports/nats"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

func embedded(t testing.TB, dir string, change func(*nats.Options)) *Publisher {
	t.Helper()
	o := nats.DefaultOptions()
	if change != nil {
		change(&o)
	}
	e, err := Start(Options{StoreDir: dir, Listen: "127.0.0.1:0"}, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func consumerJS(t testing.TB, e *Publisher) jetstream.JetStream {
	t.Helper()
	nc := natstest.Must(natsgo.Connect(e.ClientURL(), natsgo.ErrorHandler(func(*natsgo.Conn, *natsgo.Subscription,
		error) {
	})))
	t.Cleanup(nc.Close)
	return natstest.Must(jetstream.New(nc))
}

// adminOf connects to an embedded server as the bridge does.
func adminOf(t testing.TB, e *Publisher) jetstream.JetStream {
	t.Helper()
	return natstest.Connect(t, "", natsgo.InProcessServer(e.host),
		natsgo.UserInfo(bridgeUser, e.host.authenticator.secret))
}

// consumed returns the first n messages of the events' stream.
func consumed(t testing.TB, url string, n int) []nats.Record {
	t.Helper()
	o := nats.DefaultOptions()
	o.URL = url
	return consumedBy(t, o, n)
}

func consumedBy(t testing.TB, o nats.Options, n int) []nats.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	enough := errors.New("enough")
	var out []nats.Record
	err := nats.Consume(ctx, o, nats.StartAll, func(r nats.Record) error {
		if out = append(out, r); len(out) == n {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Fatalf("after %d of %d messages: %v", len(out), n, err)
	}
	return out
}

func TestStreamDeletedWhilePublishing(t *testing.T) {
	t.Parallel()
	e := embedded(t, t.TempDir(), nil)
	defer transporttest.Close(t, e)
	if err := transporttest.Publish(t, e, natstest.Event("a", 1)); err != nil {
		t.Fatal(err)
	}
	if err := adminOf(t, e).DeleteStream(t.Context(), "LIVE_EVENTS"); err != nil {
		t.Fatal(err)
	}
	if err := transporttest.Publish(t, e, natstest.Event("a", 2)); err != nil {
		t.Fatal(err)
	}
	if got := consumed(t, e.ClientURL(), 1); !strings.Contains(string(got[0].Payload), fmt.Sprintf(`"%020d"`, 2)) {
		t.Errorf("got %s", got[0].Payload)
	}
}

// TestEveryAnswerOnce: whatever happens to the connection, each event is answered once.
func TestEveryAnswerOnce(t *testing.T) {
	t.Parallel()
	e := embedded(t, t.TempDir(), nil)
	const n = 2000
	var mu sync.Mutex
	answers := make(map[int]int)
	var wg sync.WaitGroup
	for i := range n {
		wg.Add(1)
		e.Publish(natstest.Event(fmt.Sprint("s", i%50), uint64(i/50+1)), func(error) {
			mu.Lock()
			answers[i]++
			mu.Unlock()
			wg.Done()
		})
		if i == n/2 {
			e.host.server().Shutdown()
		}
	}
	transporttest.Close(t, e)
	wg.Wait()
	for i := range n {
		if answers[i] != 1 {
			t.Fatalf("event %d was answered %d times", i, answers[i])
		}
	}
}

// TestFirstEventsWait: a healthy start fails no event, though it is published before the streams are checked.
func TestFirstEventsWait(t *testing.T) {
	t.Parallel()
	e := embedded(t, t.TempDir(), nil)
	defer transporttest.Close(t, e)
	if err := transporttest.Try(t, e, natstest.Event("a", 1)); err != nil {
		t.Errorf("the first event failed: %v", err)
	}
}
