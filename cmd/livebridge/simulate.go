package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/checker"
	"livebridge/bridge/simulator"
)

func newSimulate() *cobra.Command {
	c := simulator.DefaultConfig()
	var logPath string
	cmd := &cobra.Command{
		Use: "simulate", Short: "Act as the provider against a URL", Args: noArguments,
		Long: "Sends signed stream status callbacks, with the first key of LIVEBRIDGE_STREAM_KEY, out of order, repeated and forged,\n" +
			"and reports how they were answered. It exits with 1 when an answer was not what it should be.",
		Example: "  LIVEBRIDGE_STREAM_KEY=development-key-0123456789abcdef livebridge simulate --rate 1000 --streams 500 --duration 30s",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return simulate(cmd, c, logPath)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.URL, "url", c.URL, "the service, with PATH_PREFIX")
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

func simulate(cmd *cobra.Command, c simulator.Config, logPath string) (err error) {
	vars := environ()
	if err := readSecretFiles(vars); err != nil {
		return &usageError{err}
	}
	keys := keyList(vars[prefix+"STREAM_KEY"])
	if len(keys) == 0 {
		return &usageError{wrong("STREAM_KEY", "is empty: set it to the key that the service has")}
	}
	c.Key = keys[0]
	if logPath != "" {
		file, openErr := os.Create(logPath)
		if openErr != nil {
			return openErr
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		lines, n := json.NewEncoder(file), uint64(0)
		c.Sent = func(s simulator.Sent) error { n++; return lines.Encode(logged(s, n)) }
	}
	c.Progress = func(r simulator.Report) { fmt.Fprintln(cmd.ErrOrStderr(), r) }
	r, err := simulator.Run(cmd.Context(), c)
	if err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), r)
	if r.Unexpected > 0 {
		return fmt.Errorf("%d callbacks were not answered as they should be", r.Unexpected)
	}
	return nil
}

// logged is a line of the log: the n-th callback, so that it can be told from what else came out.
func logged(s simulator.Sent, n uint64) checker.Sent {
	return checker.Sent{
		Number: n, At: bridge.MillisOf(s.Time), Answered: bridge.MillisOf(s.Time.Add(s.Took)), Status: s.Status,
		Happening: checker.Happening{
			Kind: bridge.KindStream.String(), Event: s.Event, Session: bridge.Millis(1000 * s.Session), Name: simulator.Node,
			Subject: bridge.Lane{Domain: simulator.Domain, App: simulator.App, Stream: s.Stream}.Subject(),
		},
	}
}
