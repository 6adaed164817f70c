package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/admin"
	"livebridge/bridge/journal"
)

func newJournal(e *environment) *cobra.Command {
	c := &cobra.Command{
		Use: "journal", Short: "Inspect the journal; find, export or replay events; move its memory",
		Args: cobra.ArbitraryArgs,
		RunE: needsCommand,
		Example: "  livebridge journal inspect\n" +
			"  livebridge journal show 6a09e667f3bcc908b2fb1366ea957d3e\n" +
			"  livebridge journal replay --lane stream:push.example.com/live/room1",
	}
	c.AddCommand(newInspect(e), newHistoryList(e), newHistoryShow(e), newHistoryExport(e), newReplay(e), newHandOver(e),
		newImport(e))
	return c
}

func newInspect(e *environment) *cobra.Command {
	var output outputFormat
	c := &cobra.Command{
		Use: "inspect", Short: "Print statistics of the journal: text on a terminal, JSON in a pipe", Args: noArguments,
		Example: "  livebridge journal inspect\n  livebridge journal inspect | jq .outbox.entries",
		RunE: func(c *cobra.Command, _ []string) error {
			return e.withOperator(c, journal.ReadOnly, func(d admin.Operator) error {
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
	if i.Partitions != nil {
		return printPartitions(w, i)
	}
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
		{"history", historyText(i.History)},
		{"store", fmt.Sprintf("%d bytes on disk, %d free", i.StoreBytes, i.FreeBytes)},
	} {
		if _, err := fmt.Fprintf(w, "%-14s %s\n", line[0], line[1]); err != nil {
			return err
		}
	}
	return nil
}

// printPartitions prints what a replica knows of the partitions.
func printPartitions(w io.Writer, i *bridge.JournalStats) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, err := fmt.Fprintln(table, "PARTITION\tSTATE\tEPOCH\tCOMMITS\tNEXT\tBACKLOG\tBEHIND\tTAKEOVERS\tTAKEN\tHELD\t"+
		"QUARANTINE\tDEAD LETTERS")
	for _, p := range i.Partitions {
		taken := "-"
		if p.Taken != nil {
			taken = p.Taken.At.Format(time.RFC3339) + " " + p.Taken.Why
		}
		_, failed := fmt.Fprintf(table, "%d\t%s\t%d\t%d\t%d\t%d\t%s\t%d\t%s\t%d\t%d\t%d\n", p.Partition, p.State, p.Epoch,
			p.Commits, p.Next, p.Backlog, p.Behind, p.Takeovers, taken, p.Held, p.Quarantine.Entries, p.DeadLetters.Entries)
		err = errors.Join(err, failed)
	}
	err = errors.Join(err, table.Flush())
	if i.Intake != nil && i.Intake.Callbacks > 0 && err == nil {
		_, err = fmt.Fprintf(w, "%d callbacks (%d bytes) wait on this replica's disk for the broker\n", i.Intake.Callbacks,
			i.Intake.Bytes)
	}
	return err
}

// historyText says what is kept of published events.
func historyText(h *bridge.HistoryStats) string {
	if h == nil {
		return "off (JOURNAL_KEEP)"
	}
	text := fmt.Sprintf("%d, %d of %d bytes", h.Entries, h.Bytes, h.MaxBytes)
	if h.Keep != "" {
		text += ", kept for " + h.Keep
	}
	if h.Oldest != "" {
		text += ", oldest published " + h.Oldest
	}
	return text
}
