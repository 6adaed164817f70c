package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/admin"
	"livebridge/bridge/journal"
)

func newJournal() *cobra.Command {
	c := &cobra.Command{
		Use: "journal", Short: "Inspect the journal, or replay events of its outbox", Args: noArguments, RunE: needsCommand,
		Example: "  livebridge journal inspect\n" +
			"  livebridge journal replay --lane stream:push.example.com/live/room1",
	}
	c.AddCommand(newInspect(), newReplay())
	return c
}

func newInspect() *cobra.Command {
	return &cobra.Command{
		Use: "inspect", Short: "Print statistics of the journal: text on a terminal, JSON in a pipe", Args: noArguments,
		Example: "  livebridge journal inspect\n  livebridge journal inspect | jq .outbox.entries",
		RunE: func(c *cobra.Command, _ []string) error {
			return withOperator(journal.ReadOnly, func(d admin.Operator) error {
				i, err := d.Inspect()
				if err != nil {
					return err
				}
				if terminal(c.OutOrStdout()) {
					return printStats(c.OutOrStdout(), &i)
				}
				return json.NewEncoder(c.OutOrStdout()).Encode(i)
			})
		},
	}
}

func printStats(w io.Writer, i *bridge.JournalStats) error {
	var reasons []string
	for reason, n := range i.Reasons {
		reasons = append(reasons, fmt.Sprintf("%d %s", n, reason))
	}
	slices.Sort(reasons)
	usage := func(t bridge.Usage) string { return fmt.Sprintf("%d, %d bytes", t.Entries, t.Bytes) }
	for _, line := range [][2]string{
		{"format", i.Format},
		{"last commit", fmt.Sprint(i.Commit)},
		{"lanes", fmt.Sprintf("%d, of which %d hold events", i.Lanes, i.LanesHeld)},
		{"outbox", usage(i.Outbox)},
		{"held", usage(i.Held)},
		{"quarantine", strings.Join(append([]string{usage(i.Quarantine)}, reasons...), ", ")},
		{"dead letters", usage(i.DeadLetters)},
		{"identities", fmt.Sprint(i.Identities)},
		{"used", fmt.Sprintf("%d of %d bytes", i.Bytes, i.MaxBytes)},
		{"store", fmt.Sprintf("%d bytes on disk, %d free", i.StoreBytes, i.FreeBytes)},
	} {
		if _, err := fmt.Fprintf(w, "%-14s %s\n", line[0], line[1]); err != nil {
			return err
		}
	}
	return nil
}

func newReplay() *cobra.Command {
	var lane string
	var all bool
	var wait time.Duration
	c := &cobra.Command{
		Use: "replay --lane LANE | --all", Short: "Publish the events in the outbox again", Args: noArguments,
		Long: "Appends the events in the outbox to their lanes once more: same id, next sequence, marked `replayed`. The\n" +
			"outbox contains what NATS or Kafka has not durably acknowledged. Acknowledged events are no longer in the\n" +
			"journal: consumers read them again from the broker. Entries of the quarantine and dead letters are published\n" +
			"by `quarantine release` and `deadletters retry`.\n\n" +
			"Prints the outcome of each of the first 10,000 events as JSON in a pipe, and only dead letters on a terminal.\n" +
			"The summary goes to standard error. Exit code 1 if an event becomes a dead letter.",
		Example: "  livebridge journal replay --lane stream:push.example.com/live/room1",
		RunE: func(c *cobra.Command, _ []string) error {
			kind, subject, _ := strings.Cut(lane, ":")
			if all == (lane != "") || lane != "" && (kind == "" || subject == "") {
				return &usageError{errors.New(
					"replay needs either --all or --lane with a lane such as stream:push.example.com/live/room1")}
			}
			return withOperator(journal.ReadWrite, func(d admin.Operator) error { return replay(c, d, kind, subject, wait) })
		},
	}
	c.Flags().StringVar(&lane, "lane", "", "only this lane: kind:domain/app/stream")
	c.Flags().BoolVar(&all, "all", false, "all lanes")
	waitFlag(c, &wait)
	return c
}

// maxTrackedReplays bounds how many replayed events are tracked until the broker acknowledges them: a backlog may have
// any length.
const maxTrackedReplays = 10_000

// replay replays page after page and reports the outcome of the first events. It does so after an error too, since what
// was replayed before is committed.
func replay(c *cobra.Command, d admin.Operator, kind, subject string, wait time.Duration) error {
	q, replayed, results := bridge.ReplayQuery{Kind: kind, Lane: subject}, 0, []*result(nil)
	for {
		r, err := d.Replay(q)
		replayed += r.Replayed
		for i := range r.Emitted[:min(len(r.Emitted), maxTrackedReplays-len(results))] {
			results = append(results, &result{Emission: &r.Emitted[i]})
		}
		if q.Cursor, q.UpTo = r.Cursor, r.UpTo; err == nil && q.Cursor != nil {
			continue
		}
		if err == nil {
			err = awaitDeliveries(c.Context(), d, results, wait)
		}
		return errors.Join(reportReplay(c, replayed, results), err)
	}
}

// reportReplay prints the outcome of replayed events and a summary.
func reportReplay(c *cobra.Command, replayed int, results []*result) error {
	out, problems := c.OutOrStdout(), []error(nil)
	for _, r := range results {
		dead := r.Delivery != nil && r.State == bridge.DeliveryDeadLetter
		if dead {
			problems = append(problems, fmt.Errorf("%s:%s, sequence %d: %s", r.Kind, r.Lane, r.Sequence, r.text()))
		}
		var err error
		if !terminal(out) {
			err = json.NewEncoder(out).Encode(r)
		} else if dead {
			_, err = fmt.Fprintf(out, "%s:%s  %d  %s\n", r.Kind, r.Lane, r.Sequence, printable(r.text()))
		}
		if err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(c.ErrOrStderr(), "journal replay: %d events%s\n", replayed, summaryOf(results))
	return errors.Join(append(problems, err)...)
}
