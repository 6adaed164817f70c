package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"livebridge/transports/nats"
)

func newTail() *cobra.Command {
	var from, url string
	c := &cobra.Command{
		Use: "tail", Short: "Print events as they are published", Args: noArguments,
		Example: "  livebridge tail --from all\n  livebridge tail | jq .type",
		RunE: func(c *cobra.Command, _ []string) error {
			return tail(c.Context(), c.OutOrStdout(), url, from)
		},
	}
	c.Flags().StringVar(&from, "from", "new", "where to begin: new or all")
	c.Flags().StringVar(&url, "url", "", "NATS server (default: NATS_URL, else the embedded server's NATS_EMBEDDED_LISTEN)")
	return c
}

// tail prints a table on a terminal and JSON lines elsewhere, until ctx ends.
func tail(ctx context.Context, w io.Writer, url, from string) error {
	start, known := map[string]nats.Start{"new": nats.StartNew, "all": nats.StartAll}[from]
	if !known {
		return &usageError{fmt.Errorf("--from %q is not one of new, all", from)}
	}
	o, err := consumerOptions(url)
	if err != nil {
		return err
	}
	show := func(r nats.Record) error { return showLine(w, r) }
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprintf(w, rowFormat, "TIME", "LANE", "EVENT", "SESSION", "MARKS")
		show = func(r nats.Record) error { return showRow(w, r) }
	}
	err = nats.Consume(ctx, o, start, show)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// consumerOptions are the settings that a consumer needs; keys and the like need not be set.
func consumerOptions(url string) (nats.Options, error) {
	vars := environ()
	vars[prefix+"UNSIGNED"] = "accept"
	s, err := load(vars)
	if err != nil {
		return nats.Options{}, err
	}
	o := nats.DefaultOptions()
	o.Stream, o.URL = s.NATSStream, s.NATSURL
	o.CredsFile, o.NKeyFile, o.User, o.Password, o.Token = s.NATSCredsFile, s.NATSNKeyFile, s.NATSUser, s.NATSPassword, s.NATSToken
	o.CAFile, o.CertFile, o.KeyFile = s.NATSCAFile, s.NATSCertFile, s.NATSKeyFile
	if o.URL == "" {
		o.URL, o.Token = "nats://"+s.NATSListen, s.NATSEmbedToken
	}
	if url != "" {
		o.URL = url
	}
	return o, nil
}

const rowFormat = "%-24s  %-48s  %-20s  %-13s  %s\n"

// shownEvent is what the table shows of an event.
type shownEvent struct {
	Time    string `json:"time"`
	Subject string `json:"subject"`
	Type    string `json:"type"`
	Session string `json:"session"`
	Marks   string `json:"marks"`
}

// showRow prints one event as a row of the table.
func showRow(w io.Writer, r nats.Record) error {
	e := shownEvent{Time: header(r, "time"), Subject: header(r, "subject"), Type: header(r, "type"),
		Session: header(r, "session"), Marks: header(r, "marks")}
	if e.Type == "" {
		if err := json.Unmarshal(r.Payload, &e); err != nil {
			return fmt.Errorf("an event on %s is no JSON: %w", r.Subject, err)
		}
	}
	_, err := fmt.Fprintf(w, rowFormat, e.Time, e.Subject, shortType(e.Type), e.Session, e.Marks)
	return err
}

func header(r nats.Record, name string) string {
	if values := r.Header["ce-"+name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// shortType leaves out what all types begin with.
func shortType(t string) string {
	const common = "com.huaweicloud."
	if len(t) > len(common) && t[:len(common)] == common {
		return t[len(common):]
	}
	return t
}

// showLine prints one event as a line of JSON.
func showLine(w io.Writer, r nats.Record) error {
	_, err := fmt.Fprintf(w, "%s\n", r.Payload)
	return err
}
