// Command livebridge receives webhook callbacks from Huawei Cloud Live and SparkRTC, and publishes them as CloudEvents
// to Kafka or NATS JetStream, in order within each stream.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"livebridge/bridge/journal"
)

// Exit codes of every command.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2 // wrong usage or settings, including a DATA_DIR in use
)

func main() {
	tuneRuntime()
	errOut := newLogWriter(os.Stderr)
	code := run(untilSignal(), os.Args[1:], processEnvironment(), os.Stdout, errOut)
	errOut.close()
	os.Exit(code)
}

// untilSignal returns a context that ends with the first signal. The default handling is restored before that, so that
// a second signal kills the program at once.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	go func() {
		<-signals
		signal.Stop(signals)
		cancel()
	}()
	return ctx
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, e *environment, out, errOut io.Writer) int {
	root := newRoot(e)
	root.SetArgs(args)
	result := &resultWriter{to: out}
	root.SetOut(result)
	root.SetErr(errOut)
	c, err := root.ExecuteContextC(ctx)
	if err == nil {
		err = result.failure()
	}
	if err == nil {
		return exitDone
	}
	reportFailure(c, e, err, errOut)
	var usage *usageError
	if errors.As(err, &usage) || errors.Is(err, journal.ErrInUse) {
		return exitUsage
	}
	return exitFailed
}

// reportFailure prints why a command has failed: as log lines, one for each mistake, if it is the service and its log
// is JSON.
func reportFailure(c *cobra.Command, e *environment, err error, w io.Writer) {
	s := &settings{LogFormat: e.vars[prefix+"LOG_FORMAT"]}
	service := (c.Name() == "serve" || !c.HasParent()) && c.Flags().NArg() == 0
	if !service || !s.logsJSON() {
		fmt.Fprintln(w, "livebridge:", err)
		return
	}
	for text := range strings.SplitSeq(err.Error(), "\n") {
		line := encoded(newEncoder(s), zapcore.ErrorLevel, "livebridge cannot run", zap.String("error", text))
		_, _ = w.Write(line) // there is nowhere else to report to
	}
}

// usageError is an error in the command line or the settings.
type usageError struct{ err error }

// Error returns the cause's text.
func (e *usageError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *usageError) Unwrap() error { return e.err }

// asUsageError marks an error, if it is one, as one of the settings.
func asUsageError(err error) error {
	if err == nil {
		return nil
	}
	return &usageError{err}
}
