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
		Use: "journal", Short: "Look into the journal, or publish again what it still has", Args: noArguments, RunE: needsCommand,
		Example: "  livebridge journal inspect\n  livebridge journal replay --lane stream:push.example.com/live/room1",
	}
	c.AddCommand(newInspect(), newReplay())
	return c
}

func newInspect() *cobra.Command {
	return &cobra.Command{
		Use: "inspect", Short: "Count what the journal holds: lines on a terminal, JSON in a pipe", Args: noArguments,
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
		{"lanes", fmt.Sprintf("%d, of which %d wait for an event", i.Lanes, i.LanesHeld)},
		{"outbox", usage(i.Outbox)},
		{"held", usage(i.Held)},
		{"quarantine", strings.Join(append([]string{usage(i.Quarantine)}, reasons...), ", ")},
		{"dead letters", usage(i.DeadLetters)},
		{"identities", fmt.Sprint(i.Identities)},
		{"taken", fmt.Sprintf("%d of %d bytes", i.Bytes, i.MaxBytes)},
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
		Use: "replay --lane LANE | --all", Short: "Publish again what the outbox has", Args: noArguments,
		Long: "Emits events of the outbox once more, behind everything of their lanes: the same id, the next sequence, marked\n" +
			"`replayed`. The outbox has what the broker has not acknowledged, or not put on its disk yet. What is on the broker's\n" +
			"disk is not in the journal any more: consumers read it again from the broker. What lies in quarantine or among the\n" +
			"dead letters is published by `quarantine release` and `deadletters retry`.\n\n" +
			"Prints the outcome of each of the first 10,000 events as JSON in a pipe, of dead letters only on a terminal.\n" +
			"The summary goes to standard error. Exit code 1 if an event is a dead letter.",
		Example: "  livebridge journal replay --lane stream:push.example.com/live/room1",
		RunE: func(c *cobra.Command, _ []string) error {
			kind, subject, _ := strings.Cut(lane, ":")
			if all == (lane != "") || lane != "" && (kind == "" || subject == "") {
				return &usageError{fmt.Errorf("replay takes either --all or --lane with a lane such as stream:push.example.com/live/room1")}
			}
			return withOperator(journal.ReadWrite, func(d admin.Operator) error { return replay(c, d, kind, subject, wait) })
		},
	}
	c.Flags().StringVar(&lane, "lane", "", "the lane: kind, colon, domain/app/stream")
	c.Flags().BoolVar(&all, "all", false, "all lanes")
	waitFlag(c, &wait)
	return c
}

// maxTrackedReplays is how many replayed events are followed on their way to the broker: a backlog may be of any length.
const maxTrackedReplays = 10_000

// replay replays page after page and tells what has become of the first events; after an error too, since what was
// replayed before it is on disk.
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

// reportReplay prints what has become of replayed events, and the sum.
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
