package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/admin"
)

// order is what is done with entries: Release or Purge.
type order func(admin.Desk, bridge.Shelf, []uint64) ([]bridge.Outcome, error)

// clear makes the command that takes entries off the shelf.
func (s shelf) clear(word, short string, do order) *cobra.Command {
	var q bridge.Query
	var all bool
	c := &cobra.Command{
		Use: word + " NUMBER... | --all", Short: short, Args: numbered(0, bridge.PageMax),
		Example: fmt.Sprintf("  livebridge %[1]s %[2]s 17 18\n  livebridge %[1]s %[2]s --all --lane push.example.com/live/room1", s.name, word),
		RunE: func(c *cobra.Command, args []string) error {
			numbers, err := parseNumbers(args)
			if err != nil {
				return err
			}
			if all == (len(numbers) > 0) || !all && q != (bridge.Query{}) {
				return &usageError{fmt.Errorf("%s %s takes either numbers or --all, which --reason and --lane may narrow", s.name, word)}
			}
			return withDesk(true, func(d admin.Desk) (err error) {
				if all {
					numbers, err = s.numbers(d, q)
				}
				if err != nil {
					return err
				}
				return s.carryOut(c.OutOrStdout(), d, word, do, numbers)
			})
		},
	}
	choose(c, &q)
	c.Flags().BoolVar(&all, "all", false, "every entry that there is now")
	return c
}

// numbers returns those of all entries that there are now.
func (s shelf) numbers(d admin.Desk, q bridge.Query) (numbers []uint64, err error) {
	err = s.walk(d, q, func(e *bridge.Entry) (bool, error) {
		numbers = append(numbers, e.Number)
		return true, nil
	})
	return numbers, err
}

// carryOut clears entries, a page with each commit. What could not be done is told, and makes the command fail.
func (s shelf) carryOut(w io.Writer, d admin.Desk, word string, do order, numbers []uint64) error {
	var problems []error
	done := 0
	for page := range slices.Chunk(numbers, bridge.PageMax) {
		outcomes, err := do(d, s.name, page)
		if err != nil {
			problems = append(problems, err)
			break
		}
		for _, o := range outcomes {
			if o.Problem == "" {
				done++
			} else {
				problems = append(problems, fmt.Errorf("%s %d: %s", s.name, o.Number, o.Problem))
			}
		}
	}
	_, err := fmt.Fprintf(w, "%s %s: %d of %d done\n", s.name, word, done, len(numbers))
	return errors.Join(append(problems, err)...)
}
