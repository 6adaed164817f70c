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
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// The demo's own key and holds, which are short to keep it fast.
const (
	demoKey      = "0123456789abcdef0123456789abcdef"
	demoHoldDone = 2 * time.Second
	demoHoldNext = time.Second
	demoTimeout  = 30 * time.Second
)

func newDemo() *cobra.Command {
	return &cobra.Command{
		Use: "demo", Short: "Send out-of-order, duplicate, forged and late callbacks and print the events", Args: noArguments,
		Long: "Runs the service on free ports and in a temporary directory, with the embedded NATS server. With\n" +
			"TRANSPORT=kafka it publishes to the Kafka brokers of the KAFKA_ settings instead, on a temporary topic that\n" +
			"it deletes at the end.",
		Example: "  livebridge demo\n  LIVEBRIDGE_TRANSPORT=kafka LIVEBRIDGE_KAFKA_BROKERS=127.0.0.1:9092 livebridge demo",
		RunE:    func(c *cobra.Command, _ []string) error { return demo(c.Context(), c.OutOrStdout(), environ()) },
	}
}

// demoCallback is one callback of the demo and its expected status.
type demoCallback struct {
	description string
	event       string
	session     int64
	forged      bool
	repeat      bool          // sends the previous callback again
	after       time.Duration // pause before it
	status      int
}

// demoCallbacks is what the demo sends, for one stream. Sessions are seconds after the first.
func demoCallbacks() []demoCallback {
	const done, late = "PUBLISH_DONE", demoHoldNext + 500*time.Millisecond
	return []demoCallback{
		{description: "push 1 ends (arrives before its start)", event: done, session: 1, status: 200},
		{description: "push 1 starts", event: "PUBLISH", session: 1, status: 200},
		{description: "duplicate of the previous callback", repeat: true, status: 200},
		{description: "push 2 starts", event: "PUBLISH", session: 2, status: 200},
		{description: "push 2 ends (forged: signed with another key)", event: done, session: 2, forged: true, status: 401},
		{description: "push 3 starts (held: push 2 has not ended)", event: "PUBLISH", session: 3, status: 200},
		{description: "push 2 ends", event: done, session: 2, status: 200},
		{description: "push 4 starts (push 3 has not ended)", event: "PUBLISH", session: 4, status: 200},
		{description: "push 3 ends (late)", event: done, session: 3, after: late, status: 200},
	}
}

// expected returns the events that must be published: event, session and marks.
func expected() []string {
	return []string{"publish 1 ", "publish_done 1 ", "publish 2 ", "publish_done 2 ", "publish 3 ",
		"publish 4 prev_unended", "publish_done 3 late"}
}

// demo runs the service on free ports in a temporary directory, acts as the provider, and checks the events.
func demo(ctx context.Context, w io.Writer, vars map[string]string) (err error) {
	ctx, cancel := context.WithTimeout(ctx, demoTimeout)
	defer cancel()
	dir, err := os.MkdirTemp("", "livebridge-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	a, err := startDemo(dir, vars)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.run(running) }()
	defer func() { stop(); err = errors.Join(err, <-ended, a.cleanUp()) }()
	base := time.Now().Unix() - 100
	fmt.Fprintf(w, "Callbacks sent for push.example.com/live/room1, and the status of each response:\n\n")
	if err := play(ctx, w, "http://"+a.callbackListener.Addr().String(), base); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nEvents published to %s:\n\n", a.transport.destination())
	got, err := watch(ctx, w, a, base, len(expected()))
	if err != nil {
		return err
	}
	if !slices.Equal(got, expected()) {
		return fmt.Errorf("unexpected events:\n got %q\nwant %q", got, expected())
	}
	fmt.Fprintf(w, "\nPASS: in order, without duplicates and forgeries, the late event marked.\n")
	return nil
}

func startDemo(dir string, vars map[string]string) (*app, error) {
	all := make(map[string]string)
	set := func(pairs map[string]string) {
		for name, value := range pairs {
			all[prefix+name] = value
		}
	}
	set(map[string]string{
		"LISTEN": "127.0.0.1:0", "ADMIN_LISTEN": "127.0.0.1:0", "DATA_DIR": dir, "STREAM_KEY": demoKey,
		"MIN_FREE_BYTES": "1MiB", "HOLD_DONE": demoHoldDone.String(), "HOLD_NEXT": demoHoldNext.String(),
	})
	choice := settings{Transport: vars[prefix+"TRANSPORT"]}
	set(choice.transport().demo(vars))
	s, err := load(all)
	if err != nil {
		return nil, err
	}
	return start(s, zap.NewNop())
}

// cleanUp removes what the demo has left at the broker.
func (a *app) cleanUp() error {
	ctx, cancel := context.WithTimeout(context.Background(), demoTimeout)
	defer cancel()
	return a.transport.cleanUp(ctx, a.log)
}

// play sends the demo's callbacks and prints the status of each response.
func play(ctx context.Context, w io.Writer, url string, base int64) error {
	var body []byte
	for i, s := range demoCallbacks() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(s.after):
		}
		if !s.repeat {
			body = s.body("room1", base, i)
		}
		status, err := post(ctx, url+"/live/stream", body)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "  %d  %-50s  %d\n", i+1, s.description, status)
		if status != s.status {
			return fmt.Errorf("callback %d got status %d, want %d", i+1, status, s.status)
		}
	}
	return nil
}

// body returns the signed callback as the provider writes it. Each has a different expiry, since two different
// callbacks with the same signature count as tampering.
func (s demoCallback) body(stream string, base int64, i int) []byte {
	claim := signature.Claim{Kind: bridge.KindStream, Event: s.event, Domain: "push.example.com", App: "live",
		Stream: stream, Timestamp: fmt.Sprint(time.Now().Unix() + 60 + int64(i))}
	key := demoKey
	if s.forged {
		key = strings.Repeat("f", len(demoKey))
	}
	return fmt.Appendf(nil, `{"domain":%q,"app":%q,"stream":%q,"event":%q,"publish_timestamp":"%d",`+
		`"client_ip":"192.0.2.7","user_args":"auth_info=secret","auth_timestamp":%s,"auth_sign":%q}`,
		claim.Domain, claim.App, claim.Stream, claim.Event, base+s.session, claim.Timestamp,
		signature.Sign(bridge.SchemeHMAC, key, claim))
}

func post(ctx context.Context, url string, body []byte) (int, error) {
	return postWith(ctx, http.DefaultClient, url, body)
}

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

// errEnough ends watch.
var errEnough = errors.New("enough")

// watch prints the first n published events and returns them as "event session marks".
func watch(ctx context.Context, w io.Writer, a *app, base int64, n int) ([]string, error) {
	var got []string
	err := a.transport.consume(ctx, a.log, a.transport.url(), true, func(m message) error {
		var e struct {
			Type, Marks, Sequence string
			Data                  struct {
				Session int64 `json:"publish_timestamp"`
			}
		}
		if err := json.Unmarshal(m.payload, &e); err != nil {
			return err
		}
		event := e.Type[strings.LastIndexByte(e.Type, '.')+1:]
		fmt.Fprintf(w, "  sequence %s  push %d  %-13s %s\n", e.Sequence, e.Data.Session-base, event, e.Marks)
		if got = append(got, fmt.Sprintf("%s %d %s", event, e.Data.Session-base, e.Marks)); len(got) == n {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return got, err
}
