package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
)

// tailOptions are the flags of tail.
type tailOptions struct {
	from, url string
	count     int           // events; 0: no limit
	idle      time.Duration // 0: no limit
	lane      laneFilter
	output    outputFormat
}

func newTail(e *environment) *cobra.Command {
	var o tailOptions
	var lane string
	c := &cobra.Command{
		Use: "tail", Short: "Print published events from Kafka or NATS JetStream", Args: noArguments,
		Long: "Prints events as they are published: a table on a terminal, JSON lines in a pipe. It ends on Ctrl-C, after\n" +
			"--count events, or when none has come for --idle. Exit code 1 if the broker cannot be reached.",
		Example: "  livebridge tail --from all --count 20\n  livebridge tail --lane push.example.com/live/room1\n" +
			"  livebridge tail | jq .type",
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if o.lane, err = parseLane(lane); err != nil {
				return err
			}
			return tail(c.Context(), e, c.OutOrStdout(), c.ErrOrStderr(), o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.from, "from", "new", "which events to print: new or all")
	f.StringVar(&o.url, "url", "", "NATS server, or Kafka brokers with TRANSPORT=kafka (default: those of the service)")
	f.IntVarP(&o.count, "count", "n", 0, "end after this number of events; 0: no limit")
	f.DurationVar(&o.idle, "idle", 0, "end when no event has come for this long; 0: no limit")
	addLaneFlag(c, &lane)
	addOutputFlag(c, &o.output, "table", "json")
	return c
}

func (o *tailOptions) check() error {
	switch {
	case o.from != "new" && o.from != "all":
		return &usageError{fmt.Errorf("--from %q is not one of new, all", o.from)}
	case o.count < 0 || o.idle < 0:
		return &usageError{errors.New("--count and --idle must not be negative")}
	}
	return nil
}

// errCounted ends tail after --count events.
var errCounted = errors.New("enough events")

// tail prints events until ctx ends or the flags say so.
func tail(ctx context.Context, e *environment, w, errOut io.Writer, o tailOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	s, err := e.operatorSettings()
	if err != nil {
		return err
	}
	logTo, closeLog := logWriterOf(errOut)
	defer closeLog()
	log, err := newLog(s, logTo)
	if err != nil {
		return err
	}
	from := s.transport()
	if o.url == "" {
		o.url = from.url()
	}
	ctx, seen, stop := untilIdle(ctx, o.idle)
	defer stop()
	print, left := o.printer(w), o.count
	err = from.consume(ctx, log, o.url, o.from == "all", func(m message) error {
		seen()
		if printed, err := print(m); err != nil || !printed {
			return err
		}
		if left--; left == 0 {
			return errCounted
		}
		return nil
	})
	if errors.Is(err, context.Canceled) || errors.Is(err, errCounted) {
		return nil
	}
	return err
}

// untilIdle returns a context that ends when seen was not called for a time; 0: it does not.
func untilIdle(ctx context.Context, idle time.Duration) (limited context.Context, seen, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	if idle == 0 {
		return ctx, func() {}, cancel
	}
	timer := time.AfterFunc(idle, cancel)
	return ctx, func() { timer.Reset(idle) }, func() { timer.Stop(); cancel() }
}

// printer returns the function that prints an event and reports whether it is one of the lane. The head of a table is
// printed at once.
func (o *tailOptions) printer(w io.Writer) func(message) (printed bool, err error) {
	table := o.output.table(w)
	if table {
		fmt.Fprintln(w, eventRow("RECORDED (UTC)", "SEQ", "LANE", "EVENT", "SESSION", "MARKS"))
	}
	return func(m message) (bool, error) {
		if !table && o.lane == (laneFilter{}) {
			return true, showLine(w, m) // whatever it is
		}
		e, err := readShown(m)
		if err != nil || !o.lane.matches(e.kind(), e.Subject) {
			return false, err
		}
		if table {
			return true, e.print(w)
		}
		return true, showLine(w, m)
	}
}

// showLine prints one event as a line of JSON.
func showLine(w io.Writer, m message) error {
	_, err := fmt.Fprintf(w, "%s\n", m.payload)
	return err
}
