package main

import (
	"bufio"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/admin"
	"livebridge/bridge/journal"
)

func newHistoryExport(e *environment) *cobra.Command {
	var f eventFilter
	c := &cobra.Command{
		Use: "export", Short: "Print published events as CloudEvents, one JSON object a line", Args: noArguments,
		Long: "Prints published events, oldest first, with the bytes that consumers got in structured mode.\n" + historyNote,
		Example: "  livebridge journal export --since 24h > events.jsonl\n" +
			"  livebridge journal export --session 1700000000000 | jq .data",
		RunE: func(c *cobra.Command, _ []string) error {
			queries, err := f.queries(time.Now())
			if err != nil {
				return err
			}
			return e.withOperator(c, journal.ReadOnly, func(d admin.Operator) error { return exportEvents(c, d, queries) })
		},
	}
	f.addFlags(c)
	return c
}

// exportEvents prints events and, on standard error, how many.
func exportEvents(c *cobra.Command, d admin.Operator, queries []bridge.HistoryQuery) error {
	for i := range queries {
		queries[i].Content = true
	}
	out, n := bufio.NewWriter(c.OutOrStdout()), 0
	err := eachFate(d.History, queries, func(f *bridge.Fate) (bool, error) {
		n++
		_, err := out.Write(append(f.Event, '\n'))
		return err == nil, err
	})
	if err = errors.Join(err, out.Flush()); err != nil {
		return err
	}
	text := fmt.Sprintf("journal export: %d events", n)
	if n == 0 {
		text += ": " + whyNonePublished(d)
	}
	_, err = fmt.Fprintln(c.ErrOrStderr(), text)
	return err
}
