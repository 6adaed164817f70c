package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"livebridge/bridge"
	"livebridge/transports/transporttest"
)

// event is the n-th event of a lane.
func event(stream string, n uint64) *bridge.Event {
	return &bridge.Event{
		ID:       bridge.ID{byte(n), byte(n >> 8), stream[0], byte(len(stream))},
		Type:     "com.huaweicloud.live.stream.publish",
		Lane:     bridge.Lane{Kind: bridge.KindStream, Domain: "push.example.com", App: "live", Stream: stream},
		Recorded: 1_767_323_045_678, Sequence: n, Scheme: bridge.SchemeHMAC,
		Data: []byte(`{"app":"live","domain":"push.example.com","event":"PUBLISH"}`),
	}
}

func embedded(t testing.TB, dir string, change func(*Options)) *Embedded {
	t.Helper()
	o := DefaultOptions()
	if change != nil {
		change(&o)
	}
	e, err := StartEmbedded(EmbeddedOptions{StoreDir: dir, Listen: "127.0.0.1:0"}, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func closePublisher(t testing.TB, p bridge.Publisher) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := p.Close(ctx); err != nil {
		t.Error(err)
	}
}

// publishPatience is how long a test waits until an event is published.
const publishPatience = 30 * time.Second

// publish retries until the broker acknowledges the event, as the dispatcher does, and returns the last answer.
func publish(t testing.TB, p bridge.Publisher, e *bridge.Event) error {
	t.Helper()
	for end := time.Now().Add(publishPatience); ; <-time.After(10 * time.Millisecond) {
		err := transporttest.Try(t, p, e)
		if err == nil || bridge.IsRejected(err) {
			return err
		}
		if time.Now().After(end) {
			t.Fatalf("not published within %v: %v", publishPatience, err)
		}
	}
}

// consumed returns the first n messages of the events' stream.
func consumed(t testing.TB, url string, n int) []Record {
	t.Helper()
	o := DefaultOptions()
	o.URL = url
	return consumedBy(t, o, n)
}

func consumedBy(t testing.TB, o Options, n int) []Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	enough := errors.New("enough")
	var out []Record
	err := Consume(ctx, o, StartAll, func(r Record) error {
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

func TestPublishedUnchanged(t *testing.T) {
	t.Parallel()
	for _, binary := range []bool{false, true} {
		t.Run(fmt.Sprint("binary ", binary), func(t *testing.T) {
			e := embedded(t, t.TempDir(), func(o *Options) { o.Binary = binary })
			defer closePublisher(t, e)
			want := event("room 1.%", 7)
			if err := publish(t, e, want); err != nil {
				t.Fatal(err)
			}
			got := consumed(t, e.ClientURL(), 1)[0]
			if got.Subject != "live.events.push%2Eexample%2Ecom.live.room%201%2E%25.stream" {
				t.Errorf("subject %s", got.Subject)
			}
			if id := got.Header[headerMsgID][0]; id != want.DedupeID() {
				t.Errorf("%s is %s", headerMsgID, id)
			}
			if binary {
				checkBinary(t, got, want)
			} else if string(got.Payload) != string(want.AppendStructured(nil)) || got.Header[headerContentType][0] != bridge.ContentTypeStructured {
				t.Errorf("payload %s, headers %v", got.Payload, got.Header)
			}
		})
	}
}

func checkBinary(t *testing.T, got Record, want *bridge.Event) {
	t.Helper()
	if string(got.Payload) != string(want.Data) || got.Header[headerContentType][0] != bridge.ContentTypeData {
		t.Errorf("payload %s, headers %v", got.Payload, got.Header)
	}
	for name, value := range want.Attributes() {
		if have := got.Header["ce-"+name]; len(have) != 1 || have[0] != strings.ReplaceAll(string(value), "%", "%25") {
			t.Errorf("ce-%s is %q, the attribute %q", name, have, value)
		}
	}
}

func TestRepeatIsDroppedAndReplayIsNot(t *testing.T) {
	t.Parallel()
	e := embedded(t, t.TempDir(), nil)
	defer closePublisher(t, e)
	replay := event("a", 2)
	replay.ID, replay.Marks = event("a", 1).ID, bridge.MarkReplayed
	for _, ev := range []*bridge.Event{event("a", 1), event("a", 1), replay, event("a", 3)} {
		if err := publish(t, e, ev); err != nil {
			t.Fatal(err)
		}
	}
	for i, r := range consumed(t, e.ClientURL(), 3) {
		if want := fmt.Sprintf(`"sequence":"%020d"`, i+1); !strings.Contains(string(r.Payload), want) {
			t.Errorf("message %d is %s", i, r.Payload)
		}
	}
}

func TestTooLargeIsRejected(t *testing.T) {
	t.Parallel()
	e := embedded(t, t.TempDir(), nil)
	defer closePublisher(t, e)
	if err := publish(t, e, event("a", 1)); err != nil {
		t.Fatal(err)
	}
	large := event("a", 2)
	large.Data = []byte(`"` + strings.Repeat("x", 1<<20) + `"`)
	if err := publish(t, e, large); !bridge.IsRejected(err) {
		t.Errorf("got %v", err)
	}
}

func TestQuarantineHasItsOwnStream(t *testing.T) {
	t.Parallel()
	e := embedded(t, t.TempDir(), nil)
	defer closePublisher(t, e)
	notice := event("a", 1)
	notice.Lane, notice.Reason, notice.Type = bridge.Lane{Kind: bridge.KindStream}, bridge.ReasonTampered, bridge.TypeQuarantined
	if err := publish(t, e, notice); err != nil {
		t.Fatal(err)
	}
	js := consumerJS(t, e)
	m, err := must(js.Stream(t.Context(), QuarantineStream)).GetLastMsgForSubject(t.Context(), "live.quarantine.stream")
	if err != nil || !strings.Contains(string(m.Data), `-tampered"`) {
		t.Errorf("got %v, %v", m, err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func consumerJS(t testing.TB, e *Embedded) jetstream.JetStream {
	t.Helper()
	nc := must(nats.Connect(e.ClientURL(), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})))
	t.Cleanup(nc.Close)
	return must(jetstream.New(nc))
}

// TestConsumersCannotWrite tries, as an outside connection, everything that would change what consumers see.
func TestConsumersCannotWrite(t *testing.T) {
	t.Parallel()
	e := embedded(t, t.TempDir(), nil)
	defer closePublisher(t, e)
	if err := publish(t, e, event("a", 1)); err != nil {
		t.Fatal(err)
	}
	js := consumerJS(t, e)
	subject := "live.events.push%2Eexample%2Ecom.live.a.stream"
	for _, request := range []string{
		subject, "live.quarantine.stream", "$JS.API.STREAM.CREATE.OTHER", "$JS.API.STREAM.UPDATE.LIVE_EVENTS",
		"$JS.API.STREAM.PURGE.LIVE_EVENTS", "$JS.API.STREAM.DELETE.LIVE_EVENTS", "$JS.API.STREAM.MSG.DELETE.LIVE_EVENTS",
		"$JS.API.STREAM.RESTORE.LIVE_EVENTS", "$JS.API.STREAM.SNAPSHOT.LIVE_EVENTS", "$JS.API.ACCOUNT.PURGE.$G",
		"$JS.API.STREAM.LEADER.STEPDOWN.LIVE_EVENTS",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if m, err := js.Conn().RequestWithContext(ctx, request, []byte(`{"seq":1,"name":"OTHER","subjects":["live.events.>"]}`)); err == nil {
			t.Errorf("%s was answered %s", request, m.Data)
		}
		cancel()
	}
	info := must(must(js.Stream(t.Context(), "LIVE_EVENTS")).Info(t.Context()))
	if info.State.Msgs != 1 || info.State.LastSeq != 1 {
		t.Errorf("the stream has changed: %+v", info.State)
	}
}

func TestOffLoopbackNeedsToken(t *testing.T) {
	t.Parallel()
	_, err := StartEmbedded(EmbeddedOptions{StoreDir: t.TempDir(), Listen: "0.0.0.0:0"}, DefaultOptions())
	if err == nil || !strings.Contains(err.Error(), "NATS_EMBEDDED_TOKEN") {
		t.Errorf("got %v", err)
	}
	e, err := StartEmbedded(EmbeddedOptions{StoreDir: t.TempDir(), Listen: "127.0.0.1:0", Token: "consumers' token"}, DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	defer closePublisher(t, e)
	if nc, err := nats.Connect(e.ClientURL()); err == nil {
		nc.Close()
		t.Error("a connection without the token was accepted")
	}
	must(nats.Connect(e.ClientURL(), nats.Token("consumers' token"))).Close()
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	e := embedded(t, t.TempDir(), nil)
	defer closePublisher(t, e)
	_, err := StartEmbedded(EmbeddedOptions{StoreDir: t.TempDir(), Listen: strings.TrimPrefix(e.ClientURL(), "nats://")}, DefaultOptions())
	if err == nil || !strings.Contains(err.Error(), "NATS_EMBEDDED_LISTEN") {
		t.Errorf("got %v", err)
	}
}

func TestStreamDeletedWhilePublishing(t *testing.T) {
	t.Parallel()
	e := embedded(t, t.TempDir(), nil)
	defer closePublisher(t, e)
	if err := publish(t, e, event("a", 1)); err != nil {
		t.Fatal(err)
	}
	if err := adminOf(t, e).DeleteStream(t.Context(), "LIVE_EVENTS"); err != nil {
		t.Fatal(err)
	}
	if err := publish(t, e, event("a", 2)); err != nil {
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
		e.Publish(event(fmt.Sprint("s", i%50), uint64(i/50+1)), func(error) {
			mu.Lock()
			answers[i]++
			mu.Unlock()
			wg.Done()
		})
		if i == n/2 {
			e.host.server().Shutdown()
		}
	}
	closePublisher(t, e)
	wg.Wait()
	for i := range n {
		if answers[i] != 1 {
			t.Fatalf("event %d was answered %d times", i, answers[i])
		}
	}
}

func TestNeverConnected(t *testing.T) {
	t.Parallel()
	o := DefaultOptions()
	o.URL = "nats://127.0.0.1:1"
	p, err := Dial(o)
	if err != nil {
		t.Fatal(err)
	}
	defer closePublisher(t, p)
	p.Publish(event("a", 1), func(err error) {
		if err == nil || bridge.IsRejected(err) {
			t.Errorf("got %v", err)
		}
	})
}
