package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func newTail() *cobra.Command {
	var from, url string
	c := &cobra.Command{
		Use: "tail", Short: "Print published events from Kafka or NATS JetStream", Args: noArguments,
		Example: "  livebridge tail --from all\n  livebridge tail | jq .type",
		RunE: func(c *cobra.Command, _ []string) error {
			return tail(c.Context(), c.OutOrStdout(), c.ErrOrStderr(), url, from)
		},
	}
	c.Flags().StringVar(&from, "from", "new", "which events to print: new or all")
	c.Flags().StringVar(&url, "url", "", "NATS server, or Kafka brokers with TRANSPORT=kafka "+
		"(default: KAFKA_BROKERS with TRANSPORT=kafka, else NATS_URL or NATS_EMBEDDED_LISTEN)")
	return c
}

// tail prints a table on a terminal and JSON lines elsewhere, until ctx ends.
func tail(ctx context.Context, w, errOut io.Writer, url, from string) error {
	if from != "new" && from != "all" {
		return &usageError{fmt.Errorf("--from %q is not one of new, all", from)}
	}
	s, err := consumerSettings()
	if err != nil {
		return err
	}
	logTo, closeLog := logWriterOf(errOut)
	defer closeLog()
	log, err := newLog(s, logTo)
	if err != nil {
		return err
	}
	if url == "" {
		url = s.consumersURL()
	}
	show := func(m message) error { return showLine(w, m) }
	if terminal(w) {
		fmt.Fprintf(w, rowFormat, "TIME", "LANE", "EVENT", "SESSION", "MARKS")
		show = func(m message) error { return showRow(w, m) }
	}
	err = s.consume(ctx, log, url, from == "all", show)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// consumerSettings loads the settings of a consumer. Those that only a service needs, such as keys, may be absent.
func consumerSettings() (*settings, error) {
	s, err := loadForOperator()
	if err == nil && s.Transport == "nats" && s.NATSURL == "" {
		s.NATSToken, s.secretFiles["NATS_TOKEN"] = s.NATSEmbedToken, s.secretFiles["NATS_EMBEDDED_TOKEN"]
	}
	return s, err
}

const rowFormat = "%-24s  %-40s  %-25s  %-13s  %s\n"

// shownEvent is what the table shows of an event.
type shownEvent struct {
	Time    string `json:"time"`
	Subject string `json:"subject"`
	Type    string `json:"type"`
	Session string `json:"session"`
	Marks   string `json:"marks"`
}

// showRow prints one event as a row of the table.
func showRow(w io.Writer, m message) error {
	e := shownEvent{Time: m.attribute("time"), Subject: m.attribute("subject"), Type: m.attribute("type"),
		Session: m.attribute("session"), Marks: m.attribute("marks")}
	if e.Type == "" {
		if err := json.Unmarshal(m.payload, &e); err != nil {
			return fmt.Errorf("invalid JSON in an event on %s: %w", m.where, err)
		}
	}
	_, err := fmt.Fprintf(w, rowFormat, e.Time, e.Subject, shortType(e.Type), e.Session, e.Marks)
	return err
}

// shortType removes the common prefix of all types.
func shortType(t string) string {
	const common = "com.huaweicloud."
	if len(t) > len(common) && t[:len(common)] == common {
		return t[len(common):]
	}
	return t
}

// showLine prints one event as a line of JSON.
func showLine(w io.Writer, m message) error {
	_, err := fmt.Fprintf(w, "%s\n", m.payload)
	return err
}
