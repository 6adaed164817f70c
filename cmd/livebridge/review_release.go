package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"livebridge/bridge"
	"livebridge/bridge/admin"
	"livebridge/bridge/journal"
)

// reviewAction is a method of Operator: Release or Purge.
type reviewAction func(admin.Operator, bridge.ReviewQueue, []uint64) ([]bridge.Outcome, error)

// actionFlags are the flags of release, retry and purge.
type actionFlags struct {
	filter
	all, yes, dryRun bool
	wait             time.Duration
	output           outputFormat
}

// action returns the command that removes entries from the review queue. With publishes they are published again.
func (s reviewCommand) action(verb, short string, do reviewAction, publishes bool) *cobra.Command {
	var f actionFlags
	c := &cobra.Command{
		Use: verb + " NUMBER... | --all", Short: short, Args: atMost("NUMBER", bridge.PageMax),
		Long: short + ".\n\nPrints one line per entry with its outcome, in a pipe as JSON. " +
			"The summary goes to standard error.",
		Example: fmt.Sprintf("  livebridge %[1]s %[2]s 17 18\n"+
			"  livebridge %[1]s %[2]s --all --lane push.example.com/live/room1", s.name, verb),
		RunE: func(c *cobra.Command, args []string) error {
			numbers, err := parseNumbers(args)
			if err != nil {
				return err
			}
			if f.all == (len(numbers) > 0) || !f.all && f.filter != (filter{}) {
				return &usageError{fmt.Errorf("%s %s needs either numbers or --all, which accepts --reason and --lane",
					s.name, verb)}
			}
			if _, _, err := f.query(s.name); err != nil {
				return err
			}
			return s.env.withOperator(c, journal.ReadWrite, func(d admin.Operator) error {
				return s.run(c, d, verb, numbers, do, publishes, &f)
			})
		},
	}
	f.addFlags(c, s.name)
	c.Flags().BoolVar(&f.all, "all", false, "all current entries")
	addOutputFlag(c, &f.output, "table", "json")
	if publishes {
		c.Long += "\nExit code 1 if an entry could not be processed or is a dead letter again."
		waitFlag(c, &f.wait)
		return c
	}
	c.Long += "\nWith --all it asks first, or needs --yes where nobody can answer."
	c.Flags().BoolVar(&f.yes, "yes", false, "do not ask before --all")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "print which entries would be deleted, and delete none")
	return c
}

// run applies the action to the entries that the command line names.
func (s reviewCommand) run(c *cobra.Command, d admin.Operator, verb string, numbers []uint64, do reviewAction,
	publishes bool, f *actionFlags,
) (err error) {
	if f.all {
		if numbers, err = s.entryNumbers(d, f.filter); err != nil {
			return err
		}
	}
	if f.dryRun {
		return s.printNumbers(c, verb, numbers)
	}
	if f.all && !publishes && len(numbers) > 0 && !f.yes {
		if err := confirm(c, fmt.Sprintf("%s %d entries of %s permanently?", verb, len(numbers), s.name)); err != nil {
			return err
		}
	}
	results, err := s.apply(d, do, numbers)
	if publishes {
		err = errors.Join(err, awaitDeliveries(c.Context(), d, results, f.wait))
	}
	return errors.Join(s.report(c, verb, results, len(numbers), f.output), err)
}

// printNumbers prints the numbers of entries, one a line.
func (s reviewCommand) printNumbers(c *cobra.Command, verb string, numbers []uint64) error {
	for _, n := range numbers {
		if _, err := fmt.Fprintln(c.OutOrStdout(), n); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(c.ErrOrStderr(), "%s %s: %d entries would be processed\n", s.name, verb, len(numbers))
	return err
}

// confirm asks a question on a terminal and returns an error unless the answer is yes.
func confirm(c *cobra.Command, question string) error {
	in, ok := c.InOrStdin().(*os.File)
	if ok && !term.IsTerminal(int(in.Fd())) {
		return &usageError{fmt.Errorf("%s Confirm with --yes, or see what it does with --dry-run", question)}
	}
	fmt.Fprintf(c.ErrOrStderr(), "%s [y/N] ", question)
	answer, err := bufio.NewReader(c.InOrStdin()).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer == "y" || answer == "yes" {
		return nil
	}
	return errors.New("not confirmed; nothing was changed")
}

// entryNumbers returns the numbers of all current entries that match the query.
func (s reviewCommand) entryNumbers(d admin.Operator, f filter) (numbers []uint64, err error) {
	err = s.eachEntry(d, f, func(e *bridge.Entry) (bool, error) {
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
func (s reviewCommand) report(
	c *cobra.Command, verb string, results []*result, asked int, output outputFormat,
) error {
	out, problems, done := c.OutOrStdout(), []error(nil), 0
	onTerminal := output.table(out)
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
