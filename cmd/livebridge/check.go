package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"

	"github.com/spf13/cobra"

	"livebridge/bridge/checker"
)

func newCheck() *cobra.Command {
	var sent, events string
	var c checker.Config
	var ignore string
	cmd := &cobra.Command{
		Use: "check", Short: "Judge a run: what was answered 200 against what came out", Args: noArguments,
		Long: "Reads what `simulate --log` and `tail --from all` have written and reports every broken promise: callbacks lost, doubled,\n" +
			"out of order without a mark, untrue marks, gaps in a sequence, repeats with other bytes. It exits with 1 when there is one.\n" +
			"The two must be of one run on a fresh stream: what came out and was not sent is a fault.",
		Example: "  livebridge simulate --count 1000 --log sent.jsonl\n  livebridge tail --from all > events.jsonl   # until nothing more comes\n" +
			"  livebridge check --sent sent.jsonl --events events.jsonl",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if sent == "" || events == "" {
				return &usageError{errors.New("--sent and --events are both needed; see `livebridge check --help`")}
			}
			if c.Ignore, err = ignored(ignore); err != nil {
				return err
			}
			return check(cmd.OutOrStdout(), c, sent, events)
		},
	}
	f := cmd.Flags()
	f.StringVar(&sent, "sent", "", "the log of `simulate --log`")
	f.StringVar(&events, "events", "", "events as JSON lines, in topic order")
	f.StringVar(&ignore, "ignore-streams", "", "IGNORE_STREAMS of the service")
	f.DurationVar(&c.HoldDone, "hold-done", 0, "HOLD_DONE of the service")
	f.DurationVar(&c.HoldNext, "hold-next", 0, "HOLD_NEXT of the service")
	f.DurationVar(&c.Slack, "slack", 0, "what may pass beyond the holds until an event is seen; 0: not judged")
	return cmd
}

// ignored compiles IGNORE_STREAMS; nil when it is empty.
func ignored(pattern string) (*regexp.Regexp, error) {
	if pattern == "" {
		return nil, nil
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, &usageError{fmt.Errorf("--ignore-streams: %w", err)}
	}
	return re, nil
}

// check prints the report; an error is a file that cannot be read, or a run that is not right.
func check(w io.Writer, c checker.Config, sent, events string) error {
	k := checker.New(c)
	err := read(sent, func(r io.Reader) error {
		all, err := checker.ReadSent(r)
		for _, s := range all {
			k.Sent(s)
		}
		return err
	})
	if err == nil {
		err = read(events, func(r io.Reader) error { return checker.ReadEvents(r, k.Published) })
	}
	if err != nil {
		return err
	}
	report := k.Report()
	if _, err := report.WriteTo(w); err != nil {
		return err
	}
	if !report.OK() {
		return fmt.Errorf("the run is not right: %d faults", len(report.Faults))
	}
	return nil
}

// read calls f with a file's content; an error names the file.
func read(path string, f func(io.Reader) error) error {
	file, err := os.Open(path)
	if err != nil {
		return &usageError{err}
	}
	if err := errors.Join(f(file), file.Close()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
