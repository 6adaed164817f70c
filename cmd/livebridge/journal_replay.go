package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/admin"
	"livebridge/bridge/journal"
)

// replayCommand is the flags of `journal replay`.
type replayCommand struct {
	env                  *environment
	filter               eventFilter
	all, history, dryRun bool
	wait                 time.Duration
	output               outputFormat
}

func newReplay(e *environment) *cobra.Command {
	r := replayCommand{env: e}
	c := &cobra.Command{
		Use: "replay --lane LANE | --all", Short: "Publish events in the outbox or in the history again",
		Args: noArguments,
		Long: "Appends events to their lanes once more: same id, next sequence, marked `replayed`. By default those are\n" +
			"the events in the outbox, which contains what NATS or Kafka has not durably acknowledged. With --history,\n" +
			"--since, --until, --session or --id they are published events.\n" + historyNote + "\n" +
			"Entries of the quarantine and dead letters are published by `quarantine release` and `deadletters retry`.\n\n" +
			"Prints the outcome of each of the first 10,000 events as JSON in a pipe, and only dead letters on a terminal.\n" +
			"The summary goes to standard error. Exit code 1 if an event becomes a dead letter. --dry-run prints which\n" +
			"events there are, and publishes nothing.",
		Example: "  livebridge journal replay --lane stream:push.example.com/live/room1\n" +
			"  livebridge journal replay --all --since 2026-01-31T18:00:00Z --until 2026-01-31T19:00:00Z --dry-run",
		RunE: func(c *cobra.Command, _ []string) error { return r.run(c) },
	}
	r.filter.addFlags(c)
	c.Flags().BoolVar(&r.all, "all", false, "all lanes")
	c.Flags().BoolVar(&r.history, "history", false, "published events instead of those in the outbox")
	c.Flags().BoolVar(&r.dryRun, "dry-run", false, "only print the events")
	addOutputFlag(c, &r.output, "table", "json")
	waitFlag(c, &r.wait)
	return c
}

func (r *replayCommand) run(c *cobra.Command) error {
	one := r.filter.session+r.filter.id != ""
	if r.all && r.filter.lane != "" || !r.all && r.filter.lane == "" && !one {
		return &usageError{errors.New(
			"replay needs either --all or --lane with a lane such as stream:push.example.com/live/room1, or --session or --id")}
	}
	r.history = r.history || r.filter.ranged()
	queries, err := r.queries(time.Now())
	if err != nil {
		return err
	}
	if r.dryRun {
		return r.env.withOperator(c, journal.ReadOnly, func(d admin.Operator) error { return r.print(c, d, queries) })
	}
	return r.env.withOperator(c, journal.ReadWrite, func(d admin.Operator) error {
		return replay(c, d, r.replayQueries(queries), r.wait, r.output)
	})
}

// queries returns what selects the events. Those of the history end now: what is published meanwhile is not replayed.
func (r *replayCommand) queries(now time.Time) ([]bridge.HistoryQuery, error) {
	queries, err := r.filter.queries(now)
	for i := range queries {
		if r.history && queries[i].Until == 0 {
			queries[i].Until = bridge.MillisOf(now) + 1
		}
	}
	return queries, err
}

// replayQueries returns what asks for the same events to be replayed.
func (r *replayCommand) replayQueries(queries []bridge.HistoryQuery) (all []bridge.ReplayQuery) {
	for i := range queries {
		if r.history {
			all = append(all, bridge.ReplayQuery{History: &queries[i].EventFilter})
		} else {
			all = append(all, bridge.ReplayQuery{Kind: queries[i].Kind, Lane: queries[i].Lane})
		}
	}
	return all
}

// print prints the events that a replay would publish.
func (r *replayCommand) print(c *cobra.Command, d admin.Operator, queries []bridge.HistoryQuery) error {
	page, out, n := d.History, c.OutOrStdout(), 0
	if !r.history {
		page = d.Unpublished
	}
	for i := range queries {
		queries[i].Replayable = true
	}
	print := printFateLine
	if r.output.table(out) {
		fmt.Fprintf(out, fateRow, "RECEIVED", "STATE", "SEQUENCE", "LANE", "EVENT", "WHERE")
		print = printFateRow
	}
	err := eachFate(page, queries, func(f *bridge.Fate) (bool, error) {
		n++
		return true, print(out, f)
	})
	if err != nil {
		return err
	}
	const text = "journal replay: %d events would be published again; --dry-run publishes none\n"
	_, err = fmt.Fprintf(c.ErrOrStderr(), text, n)
	return err
}

// maxTrackedReplays bounds how many replayed events are tracked until the broker acknowledges them: a backlog may have
// any length.
const maxTrackedReplays = 10_000

// replay replays lane after lane, page after page, and reports the outcome of the first events. It does so after an
// error too, since what was replayed before is committed.
func replay(
	c *cobra.Command, d admin.Operator, queries []bridge.ReplayQuery, wait time.Duration, output outputFormat,
) error {
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
	total.failed, total.history = err != nil, len(queries) > 0 && queries[0].History != nil
	return errors.Join(reportReplay(c, total, results, output), err)
}

// replayTotal is what all pages of a replay come to.
type replayTotal struct {
	replayed int
	filtered int // left out by PUBLISH_TYPES

	failed  bool // before all were replayed
	history bool // what was published, and not the outbox
}

// whyNone says why nothing was replayed.
func (t *replayTotal) whyNone() string {
	if t.history {
		return "none of those selected was published and is kept (JOURNAL_KEEP) and no replay itself"
	}
	return "there is none of these that is not a replay already; what was published is read from the broker, or " +
		"replayed with --history while it is kept (JOURNAL_KEEP)"
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
	case total.replayed == 0 && !total.failed:
		summary = ": " + total.whyNone()
	}
	_, err := fmt.Fprintf(c.ErrOrStderr(), "journal replay: %d events%s\n", total.replayed, summary)
	return errors.Join(append(problems, err)...)
}
