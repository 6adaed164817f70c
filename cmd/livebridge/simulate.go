package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/checker"
	"livebridge/bridge/simulator"
)

func newSimulate() *cobra.Command {
	c := simulator.DefaultConfig()
	var kinds []string
	var logPath string
	cmd := &cobra.Command{
		Use: "simulate", Short: "Act as the provider against a URL", Args: noArguments,
		Long: "Sends callbacks signed with the service's own settings (the first of several keys), out of order, repeated and forged, and\n" +
			"reports how they were answered: 200, but 401 for a forgery (404 for a snapshot with another token). It exits with 1 when an\n" +
			"answer was not what it should be. Every kind that has a key is played: stream status with LIVEBRIDGE_STREAM_KEY, recordings\n" +
			"with LIVEBRIDGE_RECORD_KEY, those of SparkRTC with LIVEBRIDGE_RTC_KEY, snapshots with LIVEBRIDGE_SNAPSHOT_TOKEN.",
		Example: "  LIVEBRIDGE_STREAM_KEY=development-key-0123456789abcdef livebridge simulate --rate 1000 --streams 500 --duration 30s\n" +
			"  livebridge simulate --kinds record,snapshot --disorder 0 --count 1000 --log sent.jsonl",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if c.Keys, c.Kinds, err = signing(kinds); err != nil {
				return err
			}
			if err := c.Check(); err != nil {
				return &usageError{err}
			}
			return simulate(cmd, c, logPath)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.URL, "url", c.URL, "the service, with PATH_PREFIX")
	f.StringSliceVar(&kinds, "kinds", nil, "callbacks: stream, record, snapshot, rtc-record (default: those that have a key)")
	f.IntVar(&c.Streams, "streams", c.Streams, "streams")
	f.Float64Var(&c.Rate, "rate", c.Rate, "callbacks a second; 0: as many as are answered")
	f.IntVar(&c.Count, "count", c.Count, "callbacks; 0: no limit")
	f.DurationVar(&c.Duration, "duration", c.Duration, "how long; 0: no limit")
	f.IntVar(&c.Connections, "connections", c.Connections, "connections")
	f.Uint64Var(&c.Seed, "seed", c.Seed, "the same seed sends the same")
	f.Float64Var(&c.Disorder, "disorder", c.Disorder, "share of pushes whose callbacks come in another order")
	f.Float64Var(&c.Repeat, "repeat", c.Repeat, "share of callbacks that are sent again, half of them signed again")
	f.Float64Var(&c.Forged, "forged", c.Forged, "share of forgeries")
	f.Float64Var(&c.Twins, "twins", c.Twins, "share of transcoded twins")
	f.Float64Var(&c.Numbers, "numbers", c.Numbers, "share of other forms of numbers")
	f.StringVar(&logPath, "log", "", "file for a line of JSON for each callback and its answer, as `livebridge check` reads it")
	return cmd
}

// signing reads what callbacks are signed with, and which kinds are to be played; none: all that have a key.
func signing(names []string) (simulator.Keys, []bridge.Kind, error) {
	vars := environ()
	vars[prefix+"UNSIGNED"] = "accept"
	s, err := load(vars)
	if err != nil {
		return simulator.Keys{}, nil, err
	}
	first := func(name string) string {
		keys, keyErr := keysOf(vars, name)
		err = errors.Join(err, keyErr)
		return append(keys, "")[0]
	}
	k := simulator.Keys{Stream: first("STREAM_KEY"), Record: first("RECORD_KEY"), RTC: first("RTC_KEY"), SnapshotToken: s.SnapshotToken,
		RecordScheme: s.signatures().RecordScheme}
	if err != nil {
		return k, nil, &usageError{err}
	}
	able := k.Kinds()
	if len(names) == 0 && len(able) == 0 {
		return k, nil, &usageError{settingError("STREAM_KEY", "is empty, and so are RECORD_KEY, RTC_KEY and SNAPSHOT_TOKEN: set those that the service has")}
	}
	if len(names) == 0 {
		return k, able, nil
	}
	kinds, err := kindsOf(names, able)
	return k, kinds, err
}

// kindsOf reads --kinds; able are those that can be signed.
func kindsOf(names []string, able []bridge.Kind) ([]bridge.Kind, error) {
	settings := map[bridge.Kind]string{bridge.KindStream: "STREAM_KEY", bridge.KindRecord: "RECORD_KEY",
		bridge.KindSnapshot: "SNAPSHOT_TOKEN", bridge.KindRTCRecord: "RTC_KEY"}
	var kinds []bridge.Kind
	for _, name := range names {
		k, known := bridge.ParseKind(name)
		switch {
		case !known:
			return nil, &usageError{fmt.Errorf("--kinds %q is not one of stream, record, snapshot, rtc-record", name)}
		case !slices.Contains(able, k):
			return nil, &usageError{settingError(settings[k], "is empty: set it to what the service has, or leave %s out of --kinds", name)}
		}
		kinds = append(kinds, k)
	}
	return kinds, nil
}

func simulate(cmd *cobra.Command, c simulator.Config, logPath string) (err error) {
	if logPath != "" {
		file, openErr := os.Create(logPath)
		if openErr != nil {
			return openErr
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		lines, n := json.NewEncoder(file), uint64(0)
		c.Sent = func(s simulator.Sent) error { n++; return lines.Encode(logged(s, n)) }
	}
	progress, done := progressLine(cmd.ErrOrStderr())
	c.Progress = progress
	r, err := simulator.Run(cmd.Context(), c)
	done()
	if err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), r)
	if r.Unexpected > 0 {
		return fmt.Errorf("%d callbacks were not answered as they should be", r.Unexpected)
	}
	return nil
}

// progressLine tells of the progress: on a terminal in one line that is written over, elsewhere a line each time.
func progressLine(w io.Writer) (progress func(simulator.Report), done func()) {
	if !terminal(w) {
		return func(r simulator.Report) { fmt.Fprintln(w, r) }, func() {}
	}
	const start, rest = "\r", "\x1b[K"
	return func(r simulator.Report) { fmt.Fprintf(w, "%s%v%s", start, r, rest) }, func() { fmt.Fprintf(w, "%s%s", start, rest) }
}

// logged is a line of the log: the n-th callback, so that it can be told from what else came out.
func logged(s simulator.Sent, n uint64) checker.Sent {
	return checker.Sent{
		Number: n, At: bridge.MillisOf(s.Time), Answered: bridge.MillisOf(s.Time.Add(s.Took)), Status: s.Status,
		Occurrence: checker.Occurrence{Kind: s.Lane.Kind.String(), Subject: s.Lane.Subject(), Event: s.Event, Session: s.Session, Name: s.Name},
	}
}
