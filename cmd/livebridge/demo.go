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
	"livebridge/transports/kafka"
)

// The demo's own key and holds: short, so that nobody has to wait.
const (
	demoKey      = "0123456789abcdef0123456789abcdef"
	demoHoldDone = 2 * time.Second
	demoHoldNext = time.Second
	demoTimeout  = 30 * time.Second
)

func newDemo() *cobra.Command {
	return &cobra.Command{
		Use: "demo", Short: "Show out-of-order, repeated, forged and late callbacks going in, and what comes out", Args: noArguments,
		Long: "Runs the whole service on free ports and in a temporary directory, with the embedded NATS server, or with TRANSPORT=kafka on\n" +
			"the brokers of the KAFKA_ settings, where it makes a topic of its own and removes it at the end.",
		Example: "  livebridge demo\n  LIVEBRIDGE_TRANSPORT=kafka LIVEBRIDGE_KAFKA_BROKERS=127.0.0.1:9092 livebridge demo",
		RunE:    func(c *cobra.Command, _ []string) error { return demo(c.Context(), c.OutOrStdout(), environ()) },
	}
}

// demoCallback is one callback of the show, and what should come of it.
type demoCallback struct {
	description string
	event       string
	session     int64
	forged      bool
	repeat      bool          // the callback before, once more
	after       time.Duration // wait before it
	status      int
}

// demoCallbacks is what the demo sends, for one stream. Sessions are seconds after the first.
func demoCallbacks() []demoCallback {
	return []demoCallback{
		{description: "the end of push 1 comes first", event: "PUBLISH_DONE", session: 1, status: 200},
		{description: "its start", event: "PUBLISH", session: 1, status: 200},
		{description: "the same, sent again", repeat: true, status: 200},
		{description: "push 2 starts", event: "PUBLISH", session: 2, status: 200},
		{description: "a forgery: push 2 ends, signed with another key", event: "PUBLISH_DONE", session: 2, forged: true, status: 401},
		{description: "push 3 starts while 2 is open: it waits", event: "PUBLISH", session: 3, status: 200},
		{description: "push 2 ends in time", event: "PUBLISH_DONE", session: 2, status: 200},
		{description: "push 4 starts, and 3 has not ended", event: "PUBLISH", session: 4, status: 200},
		{description: "push 3 ends too late", event: "PUBLISH_DONE", session: 3, after: demoHoldNext + 500*time.Millisecond, status: 200},
	}
}

// expected is what must come out: event, session and marks.
func expected() []string {
	return []string{"publish 1 ", "publish_done 1 ", "publish 2 ", "publish_done 2 ", "publish 3 ", "publish 4 prev_unended", "publish_done 3 late"}
}

// demo runs the whole service on free ports in a temporary directory, plays the provider, and judges what comes out.
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
	defer func() { stop(); err = errors.Join(err, <-ended, a.removeTopics()) }()
	base := time.Now().Unix() - 100
	fmt.Fprintf(w, "Callbacks in, for push.example.com/live/room1:\n\n")
	if err := play(ctx, w, "http://"+a.callbackListener.Addr().String(), base); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nEvents out, on %s:\n\n", a.destination())
	got, err := watch(ctx, w, a, base, len(expected()))
	if err != nil {
		return err
	}
	if !slices.Equal(got, expected()) {
		return fmt.Errorf("the events are not those expected:\n got %q\nwant %q", got, expected())
	}
	fmt.Fprintf(w, "\nAs it should be: in order, once each, the forgery left out, the late one marked.\n")
	return nil
}

func startDemo(dir string, vars map[string]string) (*app, error) {
	own := map[string]string{
		"LISTEN": "127.0.0.1:0", "ADMIN_LISTEN": "127.0.0.1:0", "NATS_EMBEDDED_LISTEN": "127.0.0.1:0",
		"DATA_DIR": dir, "STREAM_KEY": demoKey, "MIN_FREE_BYTES": "1MiB",
		"HOLD_DONE": demoHoldDone.String(), "HOLD_NEXT": demoHoldNext.String(),
		"KAFKA_TOPIC": fmt.Sprintf("livebridge.demo.%x", time.Now().UnixNano()), "KAFKA_PARTITIONS": "1", "KAFKA_CREATE_TOPIC": "true",
	}
	all := make(map[string]string)
	for name, value := range vars {
		if strings.HasPrefix(name, prefix+"KAFKA_") || name == prefix+"TRANSPORT" {
			all[name] = value
		}
	}
	for name, value := range own {
		all[prefix+name] = value
	}
	if all[prefix+"TRANSPORT"] == "kafka" {
		all[prefix+"QUARANTINE_TOPIC"] = all[prefix+"KAFKA_TOPIC"] + ".quarantine"
	}
	s, err := load(all)
	if err != nil {
		return nil, err
	}
	return start(s, zap.NewNop())
}

// destination says where the demo's events come out.
func (a *app) destination() string {
	if a.settings.Transport == "kafka" {
		return "the Kafka topic " + a.settings.KafkaTopic
	}
	return "the NATS JetStream stream " + a.settings.NATSStream
}

// removeTopics removes what the demo has left on a broker that is not its own.
func (a *app) removeTopics() error {
	if a.settings.Transport != "kafka" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), demoTimeout)
	defer cancel()
	return kafka.Remove(ctx, a.settings.kafkaOptions(a.log))
}

// play sends the show and prints how each callback was answered.
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
			return fmt.Errorf("callback %d was answered %d and not %d", i+1, status, s.status)
		}
	}
	return nil
}

// body writes the callback as the provider does, signed. Each expires at another second, since two different callbacks
// under one signature would be taken for tampering.
func (s demoCallback) body(stream string, base int64, i int) []byte {
	claim := signature.Claim{Kind: bridge.KindStream, Event: s.event, Domain: "push.example.com", App: "live", Stream: stream,
		Timestamp: fmt.Sprint(time.Now().Unix() + 60 + int64(i))}
	key := demoKey
	if s.forged {
		key = strings.Repeat("f", len(demoKey))
	}
	return fmt.Appendf(nil, `{"domain":%q,"app":%q,"stream":%q,"event":%q,"publish_timestamp":"%d","client_ip":"192.0.2.7",`+
		`"user_args":"auth_info=secret","auth_timestamp":%s,"auth_sign":%q}`,
		claim.Domain, claim.App, claim.Stream, claim.Event, base+s.session, claim.Timestamp, signature.Sign(bridge.SchemeHMAC, key, claim))
}

func post(ctx context.Context, url string, body []byte) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, errors.Join(err, answer.Body.Close())
}

// errEnough ends the watch.
var errEnough = errors.New("enough")

// watch prints n events as they come out and returns them as "event session marks".
func watch(ctx context.Context, w io.Writer, a *app, base int64, n int) ([]string, error) {
	var got []string
	err := a.settings.consume(ctx, a.log, a.consumersURL(), true, func(m message) error {
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
