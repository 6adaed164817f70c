package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/admin"
	"livebridge/bridge/journal"
)

// reviewAction is a method of Operator: Release or Purge.
type reviewAction func(admin.Operator, bridge.ReviewQueue, []uint64) ([]bridge.Outcome, error)

// action returns the command that removes entries from the review queue. With publishes they are published again.
func (s reviewCommand) action(verb, short string, do reviewAction, publishes bool) *cobra.Command {
	var q bridge.Query
	var all bool
	var wait time.Duration
	c := &cobra.Command{
		Use: verb + " NUMBER... | --all", Short: short, Args: argumentCount(0, bridge.PageMax),
		Long: short + ".\n\nPrints one line per entry with its outcome, in a pipe as JSON. " +
			"The summary goes to standard error.",
		Example: fmt.Sprintf("  livebridge %[1]s %[2]s 17 18\n"+
			"  livebridge %[1]s %[2]s --all --lane push.example.com/live/room1", s.name, verb),
		RunE: func(c *cobra.Command, args []string) error {
			numbers, err := parseNumbers(args)
			if err != nil {
				return err
			}
			if all == (len(numbers) > 0) || !all && q != (bridge.Query{}) {
				return &usageError{fmt.Errorf("%s %s needs either numbers or --all, which accepts --reason and --lane",
					s.name, verb)}
			}
			return withOperator(journal.ReadWrite, func(d admin.Operator) (err error) {
				if all {
					numbers, err = s.entryNumbers(d, q)
				}
				if err != nil {
					return err
				}
				results, err := s.apply(d, do, numbers)
				if publishes {
					err = errors.Join(err, awaitDeliveries(c.Context(), d, results, wait))
				}
				return errors.Join(s.report(c, verb, results, len(numbers)), err)
			})
		},
	}
	addFilterFlags(c, &q)
	c.Flags().BoolVar(&all, "all", false, "all current entries")
	if publishes {
		c.Long += "\nExit code 1 if an entry could not be processed or is a dead letter again."
		waitFlag(c, &wait)
	}
	return c
}

// entryNumbers returns the numbers of all current entries that match the query.
func (s reviewCommand) entryNumbers(d admin.Operator, q bridge.Query) (numbers []uint64, err error) {
	err = s.eachEntry(d, q, func(e *bridge.Entry) (bool, error) {
		numbers = append(numbers, e.Number)
		return true, nil
	})
	return numbers, err
}

// apply applies the action to entries, with one commit per page, until one fails.
func (s reviewCommand) apply(d admin.Operator, do reviewAction, numbers []uint64) (results []*result, err error) {
	for page := range slices.Chunk(numbers, bridge.PageMax) {
		outcomes, err := do(d, s.name, page)
		if err != nil {
			return results, err
		}
		for _, o := range outcomes {
			results = append(results, newResult(o))
		}
	}
	return results, nil
}

// report prints the outcome of each entry and a summary. An entry that could not be processed makes the command fail.
func (s reviewCommand) report(c *cobra.Command, verb string, results []*result, asked int) error {
	out, problems, done := c.OutOrStdout(), []error(nil), 0
	onTerminal := terminal(out)
	for _, r := range results {
		if err := r.print(out, onTerminal); err != nil {
			return err
		}
		if r.Problem == "" {
			done++
		}
		if err := r.problem(string(s.name)); err != nil {
			problems = append(problems, err)
		}
	}
	_, err := fmt.Fprintf(c.ErrOrStderr(), "%s %s: %d of %d done%s\n", s.name, verb, done, asked, summaryOf(results))
	return errors.Join(append(problems, err)...)
}

// print writes one result, as text on a terminal or as JSON.
func (r *result) print(w io.Writer, onTerminal bool) error {
	if !onTerminal {
		return json.NewEncoder(w).Encode(r)
	}
	_, err := fmt.Fprintf(w, "%-8d  %s\n", r.Number, printable(r.text()))
	return err
}
