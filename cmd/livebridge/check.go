package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/checker"
)

func newCheck() *cobra.Command {
	var sent, events string
	var c checker.Config
	var ignore string
	var types []string
	cmd := &cobra.Command{
		Use: "check", Short: "Verify a run: acknowledged callbacks against published events", Args: noArguments,
		Long: "Reads the output of `simulate --log` and `tail --from all` and reports every violated guarantee:\n" +
			"lost or duplicated callbacks, events out of order without a mark, wrong marks, gaps in a sequence,\n" +
			"duplicates with a different payload. Exit code 1 if there is one, or nothing to verify.\n" +
			"Both files must be of one run on an empty stream or topic: an event that was not sent is a fault.",
		Example: "  livebridge simulate --count 1000 --log sent.jsonl\n" +
			"  livebridge tail --from all > events.jsonl   # stop it when no more events arrive\n" +
			"  livebridge check --sent sent.jsonl --events events.jsonl --hold-done 10s --hold-next 3s",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if sent == "" || events == "" {
				return &usageError{errors.New("--sent and --events are required; see livebridge check --help")}
			}
			if c.Ignore, err = ignored(ignore); err != nil {
				return err
			}
			if c.Types, err = bridge.SelectTypes(types); err != nil {
				return &usageError{fmt.Errorf("--publish-types: %w", err)}
			}
			return check(cmd.OutOrStdout(), c, sent, events)
		},
	}
	f := cmd.Flags()
	f.StringVar(&sent, "sent", "", "`file` written by simulate --log")
	f.StringVar(&events, "events", "", "`file` of events as JSON lines, in the order of the stream or topic")
	f.StringVar(&ignore, "ignore-streams", "", "IGNORE_STREAMS of the service")
	f.StringSliceVar(&types, "publish-types", nil, "PUBLISH_TYPES of the service")
	f.DurationVar(&c.HoldDone, "hold-done", 0, "HOLD_DONE of the service; 0: its length is not checked")
	f.DurationVar(&c.HoldNext, "hold-next", 0, "HOLD_NEXT of the service; 0: its length is not checked")
	f.DurationVar(&c.Slack, "slack", 0, "allowed delay of an event beyond the holds; 0: not checked")
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

// check prints the report. It returns an error for a file that cannot be read, and for a run with faults.
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
		return fmt.Errorf("verification failed: %d faults", len(report.Faults))
	}
	if report.Empty() {
		return errors.New("nothing was verified: no callback was answered 200 and nothing was published")
	}
	return nil
}

// read calls f with a file's content. An error names the file.
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
