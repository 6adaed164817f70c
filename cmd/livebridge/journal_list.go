package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/admin"
	"livebridge/bridge/journal"
)

// historyNote is what the help of every command on the history says.
const historyNote = "Published events are kept for JOURNAL_KEEP, which is off by default, and in JOURNAL_KEEP_BYTES."

func newHistoryList(e *environment) *cobra.Command {
	var f eventFilter
	var limit int
	var output outputFormat
	c := &cobra.Command{
		Use: "list", Short: "List events and what has become of them: a table on a terminal, JSON lines in a pipe",
		Long: "Lists events that are held or wait for NATS or Kafka, and then those that were published, newest first.\n" +
			historyNote + "\n" +
			"Quarantined callbacks and dead letters are listed by `quarantine list` and `deadletters list`.",
		Args: noArguments,
		Example: "  livebridge journal list --lane stream:push.example.com/live/room1\n" +
			"  livebridge journal list --since 2h --limit 0 | jq .position",
		RunE: func(c *cobra.Command, _ []string) error {
			if limit < 0 {
				return &usageError{fmt.Errorf("--limit %d is negative: use 0 or more", limit)}
			}
			queries, err := f.queries(time.Now())
			if err != nil {
				return err
			}
			return e.withOperator(c, journal.ReadOnly, func(d admin.Operator) error {
				return listFates(c, d, queries, limit, output)
			})
		},
	}
	f.addFlags(c)
	addOutputFlag(c, &output, "table", "json")
	c.Flags().IntVar(&limit, "limit", 50, "maximum number of events; 0: no limit")
	return c
}

// fateRow is a row of the table.
const fateRow = "%-24s  %-11s  %-20s  %-40s  %-14s  %s\n"

// errMore says that a list has reached its limit.
var errMore = errors.New("more events follow")

// listFates prints what is not published and then what is, up to the limit, and a hint when there is more.
func listFates(
	c *cobra.Command, d admin.Operator, queries []bridge.HistoryQuery, limit int, output outputFormat,
) error {
	out, shown := c.OutOrStdout(), 0
	table := output.table(out)
	if table {
		fmt.Fprintf(out, fateRow, "RECEIVED", "STATE", "SEQUENCE", "LANE", "EVENT", "WHERE")
	}
	each := func(f *bridge.Fate) (bool, error) {
		if limit > 0 && shown == limit {
			return false, errMore
		}
		shown++
		if table {
			return true, printFateRow(out, f)
		}
		return true, printFateLine(out, f)
	}
	for i := range queries {
		queries[i].Newest = true
	}
	err := eachFate(d.Unpublished, queries, each)
	if err == nil {
		err = eachFate(d.History, queries, each)
	}
	if errors.Is(err, errMore) {
		fmt.Fprintf(c.ErrOrStderr(), "more events follow: list with a larger --limit, or select fewer\n")
		return nil
	}
	if err == nil && shown == 0 {
		fmt.Fprintln(c.ErrOrStderr(), "no events: none of those selected waits, and "+whyNonePublished(d))
	}
	return err
}

// whyNonePublished says why no published event is found.
func whyNonePublished(d admin.Operator) string {
	stats, err := d.Inspect()
	switch {
	case err != nil:
		return "what is kept of published events is not known: " + err.Error()
	case stats.History == nil:
		return "published events are not kept; set JOURNAL_KEEP, such as 24h, to keep them"
	}
	text := "none was published yet"
	if stats.History.Oldest != "" {
		text = "none of those selected was published since " + stats.History.Oldest
	}
	if stats.History.Keep != "" {
		text += "; published events are kept for " + stats.History.Keep
	}
	return text
}

func printFateRow(w io.Writer, f *bridge.Fate) error {
	_, err := fmt.Fprintf(w, fateRow, f.Received, string(f.State), sequenceText(f), f.Kind+":"+f.Lane,
		f.Type[strings.LastIndexByte(f.Type, '.')+1:], whereText(f))
	return err
}

// printFateLine prints an event as JSON.
func printFateLine(w io.Writer, f *bridge.Fate) error {
	j := json.NewEncoder(w)
	j.SetEscapeHTML(false)
	return j.Encode(f)
}

func sequenceText(f *bridge.Fate) string {
	if f.Sequence == 0 {
		return "-"
	}
	return fmt.Sprint(f.Sequence)
}

// whereText says where an event was published; empty: not known.
func whereText(f *bridge.Fate) string {
	if f.Position == nil {
		return ""
	}
	return f.Position.String()
}
