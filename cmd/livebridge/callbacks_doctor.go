package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/admin"
	"livebridge/bridge/doctor"
	"livebridge/bridge/keyring"
	"livebridge/bridge/probe"
	"livebridge/bridge/provider"
)

// errFindings makes the command fail; what is wrong is printed as findings.
var errFindings = errors.New("something is wrong with the callbacks; see the errors and warnings")

// diagnosis is one run of callbacks doctor.
type diagnosis struct {
	*apiFlags
	scope     scopeFlags
	instances []string
	noProbe   bool
	ignored   []string
	output    outputFormat

	settings *settings
	seen     doctor.Seen
}

func (f *apiFlags) doctor() *cobra.Command {
	d := &diagnosis{apiFlags: f, scope: scopeFlags{env: f.env}}
	c := &cobra.Command{
		Use: "doctor", Short: "Find out why callbacks do not arrive, or are rejected", Args: noArguments,
		Long: "Compares what is registered at the provider with the settings of the service, which must be those of this\n" +
			"command, and sends a signed probe through each registered URL: a POST that livebridge recognizes, answers and\n" +
			"drops. Prints one line for each finding, with what to do. It changes nothing and prints no key.\n" +
			"Exit code 0: nothing is wrong. 1: there are errors or warnings, but for the checks of --ignore.",
		Example: "  livebridge callbacks doctor --region cn-north-4 --env-file /etc/livebridge.env\n" +
			"  livebridge callbacks doctor --region cn-north-4 --instance http://10.0.0.7:9090 --ignore plain_http",
		RunE: func(c *cobra.Command, _ []string) error { return d.run(c) },
	}
	d.scope.add(c)
	c.Flags().StringSliceVar(&d.instances, "instance", nil,
		"URLs of admin ports (default: that of LIVEBRIDGE_ADMIN_LISTEN, if it answers)")
	c.Flags().BoolVar(&d.noProbe, "no-probe", false, "send no probes")
	c.Flags().StringSliceVar(&d.ignored, "ignore", nil, "checks that do not count for the exit code, such as plain_http")
	addOutputFlag(c, &d.output, "table", "json")
	return c
}

func (d *diagnosis) run(c *cobra.Command) (err error) {
	var ignored []doctor.Check
	for _, name := range d.ignored {
		if !slices.Contains(doctor.Checks(), doctor.Check(name)) {
			return &usageError{fmt.Errorf("--ignore %q is none of the checks %v", name, doctor.Checks())}
		}
		ignored = append(ignored, doctor.Check(name))
	}
	if d.settings, err = load(d.env.vars); err != nil {
		return err
	}
	keys, err := keyring.Open(keyring.Options{Config: d.settings.signatures(), Files: d.settings.keyFiles})
	if err != nil {
		return &usageError{err}
	}
	client, err := d.open()
	if err != nil {
		return err
	}
	expected := doctor.Expected{Ring: keys.Ring(), PathPrefix: d.settings.PathPrefix,
		SnapshotToken: d.settings.SnapshotToken}
	d.seen.Now = time.Now()
	d.readInstances(c.Context())
	d.list(c, client, expected)
	if !d.noProbe {
		d.seen.Probes = doctor.Probe(c.Context(), probe.Sender{}, expected, d.seen.Registered)
	}
	all := doctor.Examine(expected, d.seen)
	if err := printFindings(c.OutOrStdout(), all, d.output); err != nil {
		return err
	}
	if doctor.Wrong(all, ignored...) {
		return errFindings
	}
	return nil
}

// readInstances reads what the instances report. One that was not asked for may be absent.
func (d *diagnosis) readInstances(ctx context.Context) {
	at := d.instances
	if len(at) == 0 {
		at = []string{"http://" + reachableAddress(d.settings.AdminListen)}
	}
	for _, url := range at {
		i, err := readInstance(ctx, url)
		switch {
		case err == nil:
			d.seen.Instances = append(d.seen.Instances, i)
		case len(d.instances) > 0:
			d.seen.Missing = append(d.seen.Missing, err)
		}
	}
}

// readInstance reads what one instance reports, within healthTimeout.
func readInstance(ctx context.Context, url string) (admin.Instance, error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	return admin.ReadInstance(ctx, http.DefaultClient, url)
}

// list lists what is registered for the domains and apps. A kind that cannot be listed does not keep the others from
// it, unless nothing answers.
func (d *diagnosis) list(c *cobra.Command, client *provider.Client, expected doctor.Expected) {
	if len(d.scope.RTCApps) == 0 {
		d.scope.RTCApps = expected.Ring.Domains(bridge.KindRTCRecord)
	}
	scope, err := d.scope.scope(c, client)
	if d.failed(err) {
		return
	}
	for i, domain := range scope.Domains {
		scope.Domains[i] = strings.ToLower(domain)
	}
	d.seen.Domains = scope.Domains
	for _, q := range queries(scope) {
		some, err := client.List(c.Context(), q)
		d.seen.Registered = append(d.seen.Registered, some...)
		if d.failed(err) {
			return
		}
	}
}

func queries(s provider.Scope) (all []provider.Query) {
	for _, domain := range s.Domains {
		for _, k := range []bridge.Kind{bridge.KindStream, bridge.KindRecord, bridge.KindSnapshot} {
			all = append(all, provider.Query{Kind: k, Domain: domain})
		}
	}
	for _, app := range s.RTCApps {
		all = append(all, provider.Query{Kind: bridge.KindRTCRecord, App: app})
	}
	return all
}

// failed keeps an error of the API, and reports whether there is no use in asking for more.
func (d *diagnosis) failed(err error) (hopeless bool) {
	if err == nil {
		return false
	}
	d.seen.Failures = append(d.seen.Failures, err)
	var of *provider.Error
	return !errors.As(err, &of) || of.Temporary || of.Status == 0 || of.Status == http.StatusUnauthorized
}

// printFindings prints one line for each finding.
func printFindings(w io.Writer, all []doctor.Finding, output outputFormat) error {
	if !output.table(w) {
		lines := json.NewEncoder(w)
		lines.SetEscapeHTML(false)
		for _, f := range all {
			if err := lines.Encode(f); err != nil {
				return err
			}
		}
		return nil
	}
	if len(all) == 0 {
		fmt.Fprintln(w, "nothing is wrong")
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range all {
		text := f.Problem
		if f.Advice != "" {
			text += "; " + f.Advice
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", f.Level, f.Check, printable(f.Subject), printable(text))
	}
	return t.Flush()
}
