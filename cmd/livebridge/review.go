package main

import (
	"fmt"
	"slices"
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
	env          *environment
	releaseVerb  string // name of the command that releases entries
	releaseShort string
}

func newQuarantine(e *environment) *cobra.Command {
	return reviewCommand{
		env: e, name: bridge.QuarantineQueue, short: "List, show, release or purge quarantined callbacks",
		long: "A callback with a valid signature is quarantined when the signature has expired (expired) or was already\n" +
			"used with other content (tampered), when a SparkRTC body is malformed (malformed), or when the event is\n" +
			"unknown while DOMAINS is empty (unknown_event). QUARANTINE_MAX and QUARANTINE_MAX_AGE limit the number and\n" +
			"the age of entries.",
		releaseVerb: "release", releaseShort: "Publish entries in their lanes, marked `replayed`",
	}.command()
}

func newDeadLetters(e *environment) *cobra.Command {
	return reviewCommand{
		env: e, name: bridge.DeadLetterQueue, short: "List, show, retry or purge events that the broker rejected",
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
		Args: cobra.ArbitraryArgs, RunE: needsCommand,
	}
	c.AddCommand(s.list(), s.show(), s.action(s.releaseVerb, s.releaseShort, admin.Operator.Release, true),
		s.action("purge", "Delete entries permanently", admin.Operator.Purge, false))
	return c
}

// needsCommand rejects a command without a subcommand, and an unknown one, for which it suggests the nearest.
func needsCommand(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknownCommand(c, args[0])
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	return &usageError{fmt.Errorf("%s needs a subcommand: %s", c.Name(), strings.Join(names, ", "))}
}

// unknownCommand is the error for a subcommand that does not exist.
func unknownCommand(c *cobra.Command, name string) error {
	c.SuggestionsMinimumDistance = 2 // as in cobra's own suggestions
	text := fmt.Sprintf("unknown command %q for %q", name, c.CommandPath())
	if near := c.SuggestionsFor(name); len(near) > 0 {
		text += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return &usageError{fmt.Errorf("%s (see %s --help)", text, c.CommandPath())}
}

// filter selects entries of a review queue.
type filter struct {
	reason, lane string
	after        uint64
}

// addFlags adds the flags that narrow a query.
func (f *filter) addFlags(c *cobra.Command, s bridge.ReviewQueue) {
	c.Flags().StringVar(&f.reason, "reason", "", "only entries with this `reason`: "+strings.Join(reasonNames(s), ", "))
	addLaneFlag(c, &f.lane)
}

// reasonNames returns the reasons of a review queue's entries.
func reasonNames(s bridge.ReviewQueue) (names []string) {
	if s == bridge.DeadLetterQueue {
		for _, r := range bridge.Rejections() {
			names = append(names, string(r))
		}
		return names
	}
	return []string{string(bridge.ReasonExpired), string(bridge.ReasonMalformed), string(bridge.ReasonTampered),
		string(bridge.ReasonUnknownEvent)}
}

// query returns the query of a filter, and the lane whose kind the query cannot name.
func (f *filter) query(s bridge.ReviewQueue) (bridge.Query, laneFilter, error) {
	if names := reasonNames(s); f.reason != "" && !slices.Contains(names, f.reason) {
		return bridge.Query{}, laneFilter{}, &usageError{fmt.Errorf("--reason %q is not one of %s",
			f.reason, strings.Join(names, ", "))}
	}
	lane, err := parseLane(f.lane)
	return bridge.Query{Reason: f.reason, Lane: lane.subject, After: f.after}, lane, err
}

// exactlyOne rejects anything but one argument as wrong usage that names the argument.
func exactlyOne(name string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return &usageError{fmt.Errorf("%s needs a %s: %s", c.CommandPath(), name, c.UseLine())}
		case len(args) > 1:
			return &usageError{fmt.Errorf("%s accepts one %s and got %d: %s", c.CommandPath(), name, len(args), c.UseLine())}
		}
		return nil
	}
}

// atMost rejects more arguments than one command can process.
func atMost(name string, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) > most {
			return &usageError{fmt.Errorf("%s accepts at most %d of %s and got %d", c.CommandPath(), most, name, len(args))}
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
