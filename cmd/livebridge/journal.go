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
		Use: "journal", Short: "Inspect the journal, or replay events of its outbox", Args: cobra.ArbitraryArgs,
		RunE: needsCommand,
		Example: "  livebridge journal inspect\n" +
			"  livebridge journal replay --lane stream:push.example.com/live/room1",
	}
	c.AddCommand(newInspect(), newReplay())
	return c
}

func newInspect() *cobra.Command {
	var output outputFormat
	c := &cobra.Command{
		Use: "inspect", Short: "Print statistics of the journal: text on a terminal, JSON in a pipe", Args: noArguments,
		Example: "  livebridge journal inspect\n  livebridge journal inspect | jq .outbox.entries",
		RunE: func(c *cobra.Command, _ []string) error {
			return withOperator(c, journal.ReadOnly, func(d admin.Operator) error {
				i, err := d.Inspect()
				if err != nil {
					return err
				}
				if output.table(c.OutOrStdout()) {
					return printStats(c.OutOrStdout(), &i)
				}
				return json.NewEncoder(c.OutOrStdout()).Encode(i)
			})
		},
	}
	addOutputFlag(c, &output, "text", "json")

	return c
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
	var output outputFormat
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
			if all == (lane != "") {
				return &usageError{errors.New(
					"replay needs either --all or --lane with a lane such as stream:push.example.com/live/room1")}
			}
			f, err := parseLane(lane)
			if err != nil {
				return err
			}
			return withOperator(c, journal.ReadWrite, func(d admin.Operator) error { return replay(c, d, f, wait, output) })
		},
	}
	addLaneFlag(c, &lane)
	c.Flags().BoolVar(&all, "all", false, "all lanes")
	addOutputFlag(c, &output, "table", "json")
	waitFlag(c, &wait)
	return c
}

// maxTrackedReplays bounds how many replayed events are tracked until the broker acknowledges them: a backlog may have
// any length.
const maxTrackedReplays = 10_000

// replay replays lane after lane, page after page, and reports the outcome of the first events. It does so after an
// error too, since what was replayed before is committed.
func replay(c *cobra.Command, d admin.Operator, lane laneFilter, wait time.Duration, output outputFormat) error {
	queries := []bridge.ReplayQuery{{}}
	if lane.subject != "" {
		queries = nil
		for _, kind := range lane.kinds() {
			queries = append(queries, bridge.ReplayQuery{Kind: kind, Lane: lane.subject})
		}
	}
	var total replayTotal
	var results []*result
	var err error
	for _, q := range queries {
		if results, err = replayLane(d, q, &total, results); err != nil {
			break
		}
	}
	if err == nil {
		err = awaitDeliveries(c.Context(), d, results, wait)
	}
	return errors.Join(reportReplay(c, total, results, output), err)
}

// replayTotal is what all pages of a replay come to.
type replayTotal struct {
	replayed int
	filtered int // left out by PUBLISH_TYPES
}

// replayLane replays what one query selects, page after page.
func replayLane(d admin.Operator, q bridge.ReplayQuery, t *replayTotal, results []*result) ([]*result, error) {
	for {
		r, err := d.Replay(q)
		t.replayed, t.filtered = t.replayed+r.Replayed, t.filtered+r.Filtered
		for i := range r.Emitted[:min(len(r.Emitted), maxTrackedReplays-len(results))] {
			results = append(results, &result{Emission: &r.Emitted[i]})
		}
		if q.Cursor, q.UpTo = r.Cursor, r.UpTo; err != nil || q.Cursor == nil {
			return results, err
		}
	}
}

// reportReplay prints the outcome of replayed events and a summary.
func reportReplay(c *cobra.Command, total replayTotal, results []*result, output outputFormat) error {
	out, problems := c.OutOrStdout(), []error(nil)
	for _, r := range results {
		dead := r.Delivery != nil && r.State == bridge.DeliveryDeadLetter
		if dead {
			problems = append(problems, fmt.Errorf("%s:%s, sequence %d: %s", r.Kind, r.Lane, r.Sequence, r.text()))
		}
		var err error
		if !output.table(out) {
			err = json.NewEncoder(out).Encode(r)
		} else if dead {
			_, err = fmt.Fprintf(out, "%s:%s  %d  %s\n", r.Kind, r.Lane, r.Sequence, printable(r.text()))
		}
		if err != nil {
			return err
		}
	}
	summary := summaryOf(results)
	switch {
	case total.filtered > 0:
		summary += fmt.Sprintf("; %d left out by PUBLISH_TYPES", total.filtered)
	case total.replayed == 0:
		summary = ": the outbox has none of this lane that is not a replay already; what the broker has acknowledged is " +
			"read from the broker"
	}
	_, err := fmt.Fprintf(c.ErrOrStderr(), "journal replay: %d events%s\n", total.replayed, summary)
	return errors.Join(append(problems, err)...)
}
