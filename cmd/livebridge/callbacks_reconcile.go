package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/admin"
	"livebridge/bridge/journal"
	"livebridge/bridge/reconcile"
)

// errDifferences makes the command fail; the differences are printed.
var errDifferences = errors.New("streams differ from the provider's list: callbacks have not arrived")

// reconciliation is one run of callbacks reconcile.
type reconciliation struct {
	*apiFlags
	domains []string
	wait    time.Duration
	output  outputFormat
}

func (f *apiFlags) reconcile() *cobra.Command {
	r := &reconciliation{apiFlags: f}
	c := &cobra.Command{
		Use: "reconcile", Short: "Compare the open sessions with the streams that are online", Args: noArguments,
		Long: "Compares the sessions that are open in the journal with the provider's list of online streams, twice, and\n" +
			"prints what differs both times: streams online without an open session (missed: the PUBLISH callback has\n" +
			"not arrived) and open sessions whose stream is offline (stale: PUBLISH_DONE has not arrived).\n" +
			"It reads the journal of the running service, or that in LIVEBRIDGE_DATA_DIR when none runs.\n" +
			"Exit code 0: nothing differs. The service does the same with LIVEBRIDGE_RECONCILE_INTERVAL.",
		Example: "  livebridge callbacks reconcile --region cn-north-4 --domain push.example.com",
		RunE:    func(c *cobra.Command, _ []string) error { return r.run(c) },
	}
	c.Flags().StringSliceVar(&r.domains, "domain", nil, "ingest domains (default: LIVEBRIDGE_DOMAINS)")
	c.Flags().DurationVar(&r.wait, "wait", 15*time.Second,
		"time between both comparisons; less than the holds shows what is only on its way")
	addOutputFlag(c, &r.output, "table", "json")
	return c
}

func (r *reconciliation) run(c *cobra.Command) error {
	s, err := r.env.operatorSettings()
	if err != nil {
		return err
	}
	if r.domains = lowerCase(r.domains); len(r.domains) == 0 {
		r.domains = lowerCase(s.Domains)
	}
	switch {
	case len(r.domains) == 0:
		return &usageError{errors.New("set --domain or LIVEBRIDGE_DOMAINS: the provider lists the streams of one domain")}
	case r.wait < 0:
		return &usageError{fmt.Errorf("--wait %v is negative", r.wait)}
	}
	client, err := r.open()
	if err != nil {
		return err
	}
	var all []reconcile.Difference
	err = r.env.withOperator(c, journal.ReadOnly, func(o admin.Operator) error {
		all, err = r.compare(c.Context(), client, o, s.reconcileOptions().Ignore)
		return err
	})
	if problem := printDifferences(c.OutOrStdout(), all, r.output, err == nil); problem != nil {
		return problem
	}
	if err == nil && len(all) > 0 {
		return errDifferences
	}
	return err
}

// compare returns what differs both times, beside the error of domains that could not be compared both times.
func (r *reconciliation) compare(ctx context.Context, online reconcile.Online, sessions bridge.SessionLister,
	ignore func(string) bool,
) (all []reconcile.Difference, err error) {
	var tracker reconcile.Tracker
	for i := range 2 {
		if i == 1 && !sleep(ctx, r.wait) {
			return nil, ctx.Err()
		}
		s, failed := reconcile.Take(ctx, online, sessions, r.domains, ignore)
		if failed != nil {
			err = failed
		}
		if len(s.Domains) == 0 {
			return nil, err
		}
		s.Now = time.Now()
		all = tracker.Compare(s, r.wait)
	}
	return all, err
}

// sleep waits, and reports false if ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// printDifferences prints one line each.
func printDifferences(w io.Writer, all []reconcile.Difference, output outputFormat, whole bool) error {
	if !output.table(w) {
		return printJSON(w, all)
	}
	if len(all) == 0 && whole {
		fmt.Fprintln(w, "nothing differs")
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(all) > 0 {
		fmt.Fprintln(t, "PROBLEM\tDOMAIN\tAPP\tSTREAM\tBEGUN")
	}
	for _, d := range all {
		begun := "-"
		if !d.Begun.IsZero() {
			begun = d.Begun.UTC().Format(time.DateTime)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", d.Problem, printable(d.Domain), printable(d.App), printable(d.Name), begun)
	}
	return t.Flush()
}
