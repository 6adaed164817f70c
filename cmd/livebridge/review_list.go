package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/admin"
	"livebridge/bridge/journal"
)

func (s reviewCommand) list() *cobra.Command {
	var f filter
	var limit int
	var output outputFormat
	c := &cobra.Command{
		Use: "list", Short: "List entries, oldest first: a table on a terminal, JSON lines in a pipe", Args: noArguments,
		Example: fmt.Sprintf("  livebridge %[1]s list --limit 20\n  livebridge %[1]s list --limit 0 | jq .lane", s.name),
		RunE: func(c *cobra.Command, _ []string) error {
			if limit < 0 {
				return &usageError{fmt.Errorf("--limit %d is negative: use 0 or more", limit)}
			}
			if _, _, err := f.query(s.name); err != nil {
				return err
			}
			return s.env.withOperator(c, journal.ReadOnly, func(d admin.Operator) error {
				return s.printAll(c, d, f, limit, output)
			})
		},
	}
	f.addFlags(c, s.name)
	addOutputFlag(c, &output, "table", "json")
	c.Flags().IntVar(&limit, "limit", 50, "maximum number of entries; 0: no limit")
	c.Flags().Uint64Var(&f.after, "after", 0, "only entries with a greater number than this one")
	return c
}

// printAll prints entries up to the limit, and a hint on standard error when there are more.
func (s reviewCommand) printAll(
	c *cobra.Command, d admin.Operator, f filter, limit int, output outputFormat,
) error {
	out, shown, last := c.OutOrStdout(), 0, uint64(0)
	print := printLine
	if output.table(out) {
		fmt.Fprintf(out, entryRow, "NUMBER", "RECEIVED", "REASON", "LANE", "TYPE")
		print = printRow
	}
	return s.eachEntry(d, f, func(e *bridge.Entry) (bool, error) {
		if limit > 0 && shown == limit {
			fmt.Fprintf(c.ErrOrStderr(), "more entries follow: list --after %d\n", last)
			return false, nil
		}
		shown, last = shown+1, e.Number
		return true, print(out, e)
	})
}

// eachEntry calls f for every entry, oldest first, until f returns false.
func (s reviewCommand) eachEntry(d admin.Operator, by filter, f func(*bridge.Entry) (bool, error)) error {
	q, lane, err := by.query(s.name)
	if err != nil {
		return err
	}
	for q.Limit = bridge.PageMax; ; {
		entries, err := d.List(s.name, q)
		if err != nil {
			return err
		}
		for i := range entries {
			q.After = entries[i].Number
			if !lane.matches(entries[i].Kind, entries[i].Lane) {
				continue
			}
			if more, err := f(&entries[i]); err != nil || !more {
				return err
			}
		}
		if len(entries) < bridge.PageMax {
			return nil
		}
	}
}

const entryRow = "%-8v  %-24s  %-24s  %-40s  %s\n"

// laneOf returns an entry's lane as --lane accepts it; only the kind, when the body could not be decoded.
func laneOf(e *bridge.Entry) string {
	if e.Lane == "" {
		return e.Kind
	}
	return e.Kind + ":" + e.Lane
}

func printRow(w io.Writer, e *bridge.Entry) error {
	_, err := fmt.Fprintf(w, entryRow, e.Number, e.Received, printable(e.Reason), laneOf(e), shortType(e.Type))
	return err
}

// printLine prints an entry as JSON, with its data as published.
func printLine(w io.Writer, e *bridge.Entry) error {
	j := json.NewEncoder(w)
	j.SetEscapeHTML(false)
	return j.Encode(e)
}

func (s reviewCommand) show() *cobra.Command {
	var output outputFormat
	c := &cobra.Command{
		Use: "show NUMBER", Short: "Show one entry with the received body", Args: exactlyOne("NUMBER"),
		Example: fmt.Sprintf("  livebridge %s show 17", s.name),
		RunE: func(c *cobra.Command, args []string) error {
			numbers, err := parseNumbers(args)
			if err != nil {
				return err
			}
			return s.env.withOperator(c, journal.ReadOnly, func(d admin.Operator) error {
				return s.showOne(c.OutOrStdout(), d, numbers[0], output)
			})
		},
	}
	addOutputFlag(c, &output, "table", "json")
	return c
}

func (s reviewCommand) showOne(w io.Writer, d admin.Operator, number uint64, output outputFormat) error {
	entries, err := d.List(s.name, bridge.Query{After: number - 1, Limit: 1, Raw: true})
	if err != nil {
		return err
	}
	if len(entries) == 0 || entries[0].Number != number {
		return fmt.Errorf("%s has no entry %d; see livebridge %s list", s.name, number, s.name)
	}
	if output.table(w) {
		printCard(w, &entries[0])
		return nil
	}
	return printLine(w, &entries[0])
}

// printCard prints an entry on a terminal. The body comes from the sender and must not control the terminal.
func printCard(w io.Writer, e *bridge.Entry) {
	for _, line := range [][2]string{
		{"number", strconv.FormatUint(e.Number, 10)}, {"reason", e.Reason}, {"detail", e.Detail}, {"received", e.Received},
		{"lane", laneOf(e)}, {"id", e.ID}, {"type", e.Type}, {"signature", e.Scheme},
		{"data", string(e.Data)}, {"body", string(e.Raw)},
	} {
		if line[1] != "" {
			fmt.Fprintf(w, "%-10s %s\n", line[0], printable(line[1]))
		}
	}
}

// printable escapes everything but graphic characters, as in a Go string.
func printable(text string) string {
	quoted := strconv.QuoteToGraphic(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
