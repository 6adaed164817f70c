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

func newSimulate(e *environment) *cobra.Command {
	c := simulator.DefaultConfig()
	var kinds []string
	var logPath string
	api := simulatedAPI{env: e}
	cmd := &cobra.Command{
		Use: "simulate", Short: "Simulate the provider: send callbacks to a URL", Args: noArguments,
		Long: "Sends signed callbacks, out of order, duplicated and forged, and reports the status of the responses: 200,\n" +
			"and 401 for a forgery (404 for a snapshot with a wrong token). Exit code 1 if a response has another status.\n" +
			"Callbacks are signed with the service's settings (the first of several keys). Every kind with a key is sent:\n" +
			"stream status with LIVEBRIDGE_STREAM_KEY, recordings with LIVEBRIDGE_RECORD_KEY, SparkRTC recordings with\n" +
			"LIVEBRIDGE_RTC_KEY, snapshots with LIVEBRIDGE_SNAPSHOT_TOKEN. With --with-api it plays the provider instead,\n" +
			"--rate being pushes per second: it serves the API that livebridge callbacks uses, and sends to the URLs and\n" +
			"with the keys that are registered there.",
		Example: "  LIVEBRIDGE_STREAM_KEY=development-key-0123456789abcdef livebridge simulate --rate 1000 --duration 30s\n" +
			"  livebridge simulate --kinds record,snapshot --disorder 0 --count 1000 --log sent.jsonl",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if api.listen != "" {
				return api.run(cmd, c)
			}
			if cmd.Flags().Changed("lost") {
				return &usageError{errors.New("--lost needs --with-api")}
			}
			if c.Keys, c.Kinds, err = signing(e, kinds); err != nil {
				return err
			}
			limitByCount(cmd, &c)
			if err := c.Check(); err != nil {
				return &usageError{err}
			}
			return simulate(cmd, c, logPath)
		},
	}
	addSimulateFlags(cmd, &c)
	api.addFlag(cmd)
	cmd.Flags().StringSliceVar(&kinds, "kinds", nil,
		"kinds of callbacks: stream, record, snapshot, rtc-record (default: all with a key)")
	cmd.Flags().StringVar(&logPath, "log", "",
		"`file` for one JSON line per callback and response, which livebridge check reads")
	return cmd
}

// limitByCount removes the default duration where a count is given: that many are sent, however long it takes.
func limitByCount(cmd *cobra.Command, c *simulator.Config) {
	if cmd.Flags().Changed("count") && !cmd.Flags().Changed("duration") {
		c.Duration = 0
	}
}

// addSimulateFlags adds the flags of the simulator's configuration.
func addSimulateFlags(cmd *cobra.Command, c *simulator.Config) {
	f := cmd.Flags()
	f.StringVar(&c.URL, "url", c.URL, "URL of the service, including PATH_PREFIX")
	f.IntVar(&c.Streams, "streams", c.Streams, "number of streams")
	f.Float64Var(&c.Rate, "rate", c.Rate, "callbacks per second; 0: no limit")
	f.IntVar(&c.Count, "count", c.Count, "number of callbacks; 0: no limit, other than --duration")
	f.DurationVar(&c.Duration, "duration", c.Duration, "how long to send; 0, and the default with --count: no limit")
	f.IntVar(&c.Connections, "connections", c.Connections, "number of connections")
	f.Uint64Var(&c.Seed, "seed", c.Seed, "random seed; the same seed sends the same callbacks")
	f.Float64Var(&c.Disorder, "disorder", c.Disorder, "fraction of pushes whose callbacks are out of order")
	f.Float64Var(&c.Repeat, "repeat", c.Repeat, "fraction of callbacks that are sent again, half of them re-signed")
	f.Float64Var(&c.Forged, "forged", c.Forged, "fraction of forged callbacks")
	f.Float64Var(&c.Twins, "twins", c.Twins, "fraction of pushes, recordings and snapshots that have a transcoded twin")
	f.Float64Var(&c.Numbers, "numbers", c.Numbers, "fraction of numbers in another JSON form")
}

// signing returns the keys of callbacks and the kinds to send; without names all kinds that have a key.
func signing(e *environment, names []string) (simulator.Keys, []bridge.Kind, error) {
	s, err := e.operatorSettings()
	if err != nil {
		return simulator.Keys{}, nil, err
	}
	first := func(name string) string {
		keys, keyErr := keysOf(e.vars, name)
		err = errors.Join(err, keyErr)
		return append(keys, "")[0]
	}
	k := simulator.Keys{Stream: first("STREAM_KEY"), Record: first("RECORD_KEY"), RTC: first("RTC_KEY"),
		SnapshotToken: s.SnapshotToken, RecordScheme: s.signatures().RecordScheme}
	if err != nil {
		return k, nil, &usageError{err}
	}
	able := k.Kinds()
	if len(names) == 0 && len(able) == 0 {
		return k, nil, &usageError{settingError("STREAM_KEY", "set those of the service",
			"is empty, and so are RECORD_KEY, RTC_KEY and SNAPSHOT_TOKEN")}
	}
	if len(names) == 0 {
		return k, able, nil
	}
	kinds, err := kindsOf(names, able)
	return k, kinds, err
}

// kindsOf parses --kinds; able are the kinds that have a key.
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
			return nil, &usageError{settingError(settings[k],
				"set it to the service's value, or remove "+name+" from --kinds", "is empty")}
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
	if r.NoResponse != nil {
		return fmt.Errorf("%d callbacks got no response: %w", r.Status[0], r.NoResponse)
	}
	if r.Unexpected > 0 {
		return fmt.Errorf("%d callbacks got an unexpected response", r.Unexpected)
	}
	return nil
}

// progressLine returns a function that prints progress: on a terminal in one line that it overwrites, elsewhere as a
// new line each time.
func progressLine(w io.Writer) (progress func(simulator.Report), done func()) {
	if !terminal(w) {
		return func(r simulator.Report) { fmt.Fprintln(w, r) }, func() {}
	}
	const start, rest = "\r", "\x1b[K"
	return func(r simulator.Report) { fmt.Fprintf(w, "%s%v%s", start, r, rest) },
		func() { fmt.Fprintf(w, "%s%s", start, rest) }
}

// logged returns the log line of the n-th callback.
func logged(s simulator.Sent, n uint64) checker.Sent {
	return checker.Sent{
		Number: n, At: bridge.MillisOf(s.Time), Answered: bridge.MillisOf(s.Time.Add(s.Took)), Status: s.Status,
		Occurrence: checker.Occurrence{Kind: s.Lane.Kind.String(), Subject: s.Lane.Subject(), Event: s.Event,
			Session: s.Session, Name: s.Name},
	}
}
