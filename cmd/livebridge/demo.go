package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/simulator"
)

// The demo's own key and holds, which are short to keep it fast.
const (
	demoKey      = "0123456789abcdef0123456789abcdef"
	demoHoldDone = 2 * time.Second
	demoHoldNext = time.Second
	demoTimeout  = 30 * time.Second
)

func newDemo(e *environment) *cobra.Command {
	return &cobra.Command{
		Use: "demo", Short: "Send out-of-order, duplicate, forged and late callbacks and print the events", Args: noArguments,
		Long: "Runs the service on free ports and in a temporary directory, with the embedded NATS server. With\n" +
			"TRANSPORT=kafka it publishes to the Kafka brokers of the KAFKA_ settings instead, on a temporary topic that\n" +
			"it deletes at the end.",
		Example: "  livebridge demo\n  LIVEBRIDGE_TRANSPORT=kafka LIVEBRIDGE_KAFKA_BROKERS=127.0.0.1:9092 livebridge demo",
		RunE:    func(c *cobra.Command, _ []string) error { return demo(c.Context(), c.OutOrStdout(), e.vars) },
	}
}

// demoStep is one callback of the demo.
type demoStep struct {
	simulator.Step
	description string
}

// demoSteps is what the demo sends, for one stream. Sessions are seconds after the first.
func demoSteps() []demoStep {
	push := func(description, event string, session int64) demoStep {
		c := simulator.Callback{Kind: bridge.KindStream, Stream: "room1", Event: event, Session: session}
		return demoStep{simulator.Step{Callback: c}, description}
	}
	const start, end = "PUBLISH", "PUBLISH_DONE"
	steps := []demoStep{
		push("push 1 ends (arrives before its start)", end, 1),
		push("push 1 starts", start, 1),
		push("duplicate of the previous callback", start, 1),
		push("push 2 starts", start, 2),
		push("push 2 ends (forged: signed with another key)", end, 2),
		push("push 3 starts (held: push 2 has not ended)", start, 3),
		push("push 2 ends", end, 2),
		push("push 4 starts (push 3 has not ended)", start, 4),
		push("push 3 ends (late)", end, 3),
	}
	const duplicate, forged, late = 2, 4, 8
	steps[duplicate].Again, steps[forged].Forged = 1, true
	steps[late].After = demoHoldNext + 500*time.Millisecond
	return steps
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
	fmt.Fprintf(w, "Callbacks sent for push.example.com/live/room1, and the status of each response:\n\n")
	base, err := play(ctx, w, "http://"+a.callbackListener.Addr().String())
	if err != nil {
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

// play sends the demo's callbacks and prints the status of each response. It returns the Unix second of session 0.
func play(ctx context.Context, w io.Writer, url string) (base int64, err error) {
	c, steps := simulator.DefaultConfig(), demoSteps()
	c.URL, c.Keys.Stream = url, demoKey
	var script []simulator.Step
	for _, s := range steps {
		script = append(script, s.Step)
	}
	n := 0
	c.Sent = func(sent simulator.Sent) error {
		base = int64(sent.Session)/1000 - steps[n].Session
		fmt.Fprintf(w, "  %d  %-50s  %d\n", n+1, steps[n].description, sent.Status)
		if n++; sent.Status != sent.Expect {
			return fmt.Errorf("callback %d got status %d, want %d", n, sent.Status, sent.Expect)
		}
		return nil
	}
	_, err = simulator.Play(ctx, c, script)
	return base, err
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
