package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/admin"
)

// reviewCommand is what the commands on one shelf say.
type reviewCommand struct {
	name         bridge.ReviewQueue
	short        string
	long         string
	releaseVerb  string // the word for putting back into the lane
	releaseShort string // what is said of it
}

func newQuarantine() *cobra.Command {
	return reviewCommand{
		name: bridge.QuarantineQueue, short: "List, show, release or purge callbacks that were signed well and not believed",
		long: "A callback lies in quarantine when its signature is good but has expired (expired), was seen over other members\n" +
			"(tampered), is over a SparkRTC body that cannot be read (malformed), or names an event that is not known while\n" +
			"DOMAINS is empty (unknown_event). QUARANTINE_MAX and QUARANTINE_MAX_AGE say how much is kept, and for how long.",
		releaseVerb: "release", releaseShort: "Put entries back into their lanes, marked `replayed`",
	}.command()
}

func newDeadLetters() *cobra.Command {
	return reviewCommand{
		name: bridge.DeadLetterQueue, short: "List, show, retry or purge events that the broker would not take",
		long: "A dead letter is an event that the broker will never take as it is set up: too large, say. Its sequence number is\n" +
			"used up, which consumers see as a gap. DEAD_LETTERS_MAX says how many are kept; a further one stops its lane.",
		releaseVerb: "retry", releaseShort: "Publish dead letters again, behind what their lanes have sent since, marked `replayed`",
	}.command()
}

func (s reviewCommand) command() *cobra.Command {
	c := &cobra.Command{
		Use: string(s.name), Short: s.short,
		Long: s.long + "\n\nThe commands speak to the service that runs on DATA_DIR, or open DATA_DIR themselves when none runs. What they\n" +
			"change is on disk when they end.",
		Example: fmt.Sprintf("  livebridge %[1]s list\n  livebridge %[1]s show 17\n  livebridge %[1]s %[2]s 17", s.name, s.releaseVerb),
		Args:    noArguments, RunE: needsCommand,
	}
	c.AddCommand(s.list(), s.show(), s.action(s.releaseVerb, s.releaseShort, admin.Operator.Release, true),
		s.action("purge", "Drop entries for good", admin.Operator.Purge, false))
	return c
}

// needsCommand refuses a command that is nothing without one of its own.
func needsCommand(c *cobra.Command, _ []string) error {
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	return &usageError{fmt.Errorf("%s needs one of its commands: %s", c.Name(), strings.Join(names, ", "))}
}

// addFilterFlags adds the flags that narrow a query.
func addFilterFlags(c *cobra.Command, q *bridge.Query) {
	c.Flags().StringVar(&q.Reason, "reason", "", "only what lies there for this reason")
	c.Flags().StringVar(&q.Lane, "lane", "", "only this lane, such as push.example.com/live/room1")
}

// argumentCount refuses too few or too many arguments as wrong usage.
func argumentCount(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := cobra.RangeArgs(least, most)(c, args); err != nil {
			return &usageError{err}
		}
		return nil
	}
}

func parseNumbers(args []string) ([]uint64, error) {
	var numbers []uint64
	for _, arg := range args {
		n, err := strconv.ParseUint(arg, 10, 64)
		if err != nil || n == 0 {
			return nil, &usageError{fmt.Errorf("%q is not the number of an entry, such as `list` shows", arg)}
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}
