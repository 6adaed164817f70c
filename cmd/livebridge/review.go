package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/admin"
)

// reviewCommand is the texts of the commands on one review queue.
type reviewCommand struct {
	name         bridge.ReviewQueue
	short        string
	long         string
	releaseVerb  string // name of the command that releases entries
	releaseShort string
}

func newQuarantine() *cobra.Command {
	return reviewCommand{
		name: bridge.QuarantineQueue, short: "List, show, release or purge quarantined callbacks",
		long: "A callback with a valid signature is quarantined when the signature has expired (expired) or was already\n" +
			"used with other content (tampered), when a SparkRTC body is malformed (malformed), or when the event is\n" +
			"unknown while DOMAINS is empty (unknown_event). QUARANTINE_MAX and QUARANTINE_MAX_AGE limit the number and\n" +
			"the age of entries.",
		releaseVerb: "release", releaseShort: "Publish entries in their lanes, marked `replayed`",
	}.command()
}

func newDeadLetters() *cobra.Command {
	return reviewCommand{
		name: bridge.DeadLetterQueue, short: "List, show, retry or purge events that the broker rejected",
		long: "A dead letter is an event that NATS or Kafka will never accept as configured, such as one that is too\n" +
			"large. Consumers see its sequence number as a gap. DEAD_LETTERS_MAX limits the number of dead letters; one\n" +
			"more blocks its lane.",
		releaseVerb: "retry", releaseShort: "Publish dead letters again at the end of their lanes, marked `replayed`",
	}.command()
}

func (s reviewCommand) command() *cobra.Command {
	c := &cobra.Command{
		Use: string(s.name), Short: s.short,
		Long: s.long + "\n\nThe commands connect to the service that runs on DATA_DIR, or open DATA_DIR directly when\n" +
			"none runs. Their changes are durable when they exit.",
		Example: fmt.Sprintf("  livebridge %[1]s list\n  livebridge %[1]s show 17\n  livebridge %[1]s %[2]s 17",
			s.name, s.releaseVerb),
		Args: noArguments, RunE: needsCommand,
	}
	c.AddCommand(s.list(), s.show(), s.action(s.releaseVerb, s.releaseShort, admin.Operator.Release, true),
		s.action("purge", "Delete entries permanently", admin.Operator.Purge, false))
	return c
}

// needsCommand rejects a command without a subcommand.
func needsCommand(c *cobra.Command, _ []string) error {
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	return &usageError{fmt.Errorf("%s needs a subcommand: %s", c.Name(), strings.Join(names, ", "))}
}

// addFilterFlags adds the flags that narrow a query.
func addFilterFlags(c *cobra.Command, q *bridge.Query) {
	c.Flags().StringVar(&q.Reason, "reason", "", "only entries with this reason")
	c.Flags().StringVar(&q.Lane, "lane", "", "only this lane, such as push.example.com/live/room1")
}

// argumentCount rejects too few or too many arguments as wrong usage.
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
			return nil, &usageError{fmt.Errorf("invalid entry number %q: use a number that list prints", arg)}
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}
