package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"livebridge/bridge"
	"livebridge/transports/nats/natstest"
	"livebridge/transports/transporttest"
)

// served is a publisher to a server of its own.
func served(t testing.TB, change func(*Options)) (p *Publisher, url string) {
	t.Helper()
	o := quickOptions(natstest.Start(t, &server.Options{}).URL)
	if change != nil {
		change(&o)
	}
	return dial(t, o), o.URL
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
			p, url := served(t, func(o *Options) { o.Binary = binary })
			want := natstest.Event("room 1.%", 7)
			if err := transporttest.Publish(t, p, want); err != nil {
				t.Fatal(err)
			}
			got := consumed(t, url, 1)[0]
			if got.Subject != "live.events.push%2Eexample%2Ecom.live.room%201%2E%25.stream" {
				t.Errorf("subject %s", got.Subject)
			}
			if id := got.Header[headerMsgID][0]; id != want.DedupeID() {
				t.Errorf("%s is %s", headerMsgID, id)
			}
			if binary {
				checkBinary(t, got, want)
			} else if string(got.Payload) != string(want.AppendStructured(nil)) ||
				got.Header[headerContentType][0] != bridge.ContentTypeStructured {
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
	p, url := served(t, nil)
	replay := natstest.Event("a", 2)
	replay.ID, replay.Marks = natstest.Event("a", 1).ID, bridge.MarkReplayed
	for _, ev := range []*bridge.Event{natstest.Event("a", 1), natstest.Event("a", 1), replay, natstest.Event("a", 3)} {
		if err := transporttest.Publish(t, p, ev); err != nil {
			t.Fatal(err)
		}
	}
	for i, r := range consumed(t, url, 3) {
		if want := fmt.Sprintf(`"sequence":"%020d"`, i+1); !strings.Contains(string(r.Payload), want) {
			t.Errorf("message %d is %s", i, r.Payload)
		}
	}
}

func TestTooLargeIsRejected(t *testing.T) {
	t.Parallel()
	p, _ := served(t, nil)
	if err := transporttest.Publish(t, p, natstest.Event("a", 1)); err != nil {
		t.Fatal(err)
	}
	large := natstest.Event("a", 2)
	large.Data = []byte(`"` + strings.Repeat("x", 1<<20) + `"`)
	if err := transporttest.Publish(t, p, large); !bridge.IsRejected(err) {
		t.Errorf("got %v", err)
	}
}

func TestQuarantineHasItsOwnStream(t *testing.T) {
	t.Parallel()
	p, url := served(t, nil)
	notice := natstest.Event("a", 1)
	notice.Lane, notice.Reason, notice.Type = bridge.Lane{Kind: bridge.KindStream}, bridge.ReasonTampered,
		bridge.TypeQuarantined
	if err := transporttest.Publish(t, p, notice); err != nil {
		t.Fatal(err)
	}
	js := natstest.Connect(t, url)
	m, err := natstest.Must(js.Stream(t.Context(), QuarantineStream)).GetLastMsgForSubject(t.Context(),
		"live.quarantine.stream")
	if err != nil || !strings.Contains(string(m.Data), `-tampered"`) {
		t.Errorf("got %v, %v", m, err)
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
	defer transporttest.Close(t, p)
	p.Publish(natstest.Event("a", 1), func(err error) {
		if err == nil || bridge.IsRejected(err) {
			t.Errorf("got %v", err)
		}
	})
}
