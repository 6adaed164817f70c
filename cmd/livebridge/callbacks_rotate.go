package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/admin"
	"livebridge/bridge/provider"
	"livebridge/bridge/rotation"
)

// pollInterval is how often instances are asked while a phase of a rotation waits for them.
const pollInterval = 500 * time.Millisecond

// rotate is what the phases of a rotation have in common.
type rotate struct {
	*apiFlags
	kind      bridge.Kind
	key       provider.KeyReference
	instances []string
	wait      time.Duration
}

func (f *apiFlags) rotate() *cobra.Command {
	c := &cobra.Command{
		Use: "rotate", Short: "Change the key of callbacks without rejecting one",
		Long: "Changes the key of callbacks in three phases, each of which can be repeated:\n\n" +
			"  begin   makes a key; you add it to the keys of every instance, beside the old one, and begin waits until\n" +
			"          all report it in force\n" +
			"  switch  registers it at the provider, after a signed probe through the public URL has proved it\n" +
			"  end     waits until the old key is no longer used; then you remove it from the keys\n\n" +
			"Keys stay where you keep them, such as a Kubernetes Secret: only --add-to and --remove-from change a file.\n" +
			"Instances are their admin ports. Keys are shown as their ids, but for a new one that begin prints.",
		Example: "  livebridge callbacks rotate begin record --key-file new.key --instance http://10.0.0.7:9090\n" +
			"  livebridge callbacks rotate switch record 'push.example.com/*' --region cn-north-4 --key-file new.key \\\n" +
			"    --instance http://10.0.0.7:9090\n" +
			"  livebridge callbacks rotate end record --old 3eb1bd43 --instance http://10.0.0.7:9090",
		Args: cobra.ArbitraryArgs, RunE: needsCommand,
	}
	c.AddCommand(f.rotateBegin(), f.rotateSwitch(), f.rotateEnd())
	return c
}

// addFlags adds the flags of a phase.
func (r *rotate) addFlags(c *cobra.Command, wait time.Duration) {
	c.Flags().StringSliceVar(&r.instances, "instance", nil, "URLs of the admin ports of all instances")
	c.Flags().DurationVar(&r.wait, "wait", wait, "how long to wait for the instances")
}

// addKeyFlags adds the flags of the new key.
func (r *rotate) addKeyFlags(c *cobra.Command, file string) {
	c.Flags().StringVar(&r.key.Env, "key-env", "", "name of an environment variable with the new key")
	c.Flags().StringVar(&r.key.File, "key-file", "", file)
}

// setKind parses the argument.
func (r *rotate) setKind(name string) error {
	kind, known := bridge.ParseKind(name)
	if !known || kind == bridge.KindSnapshot {
		return &usageError{fmt.Errorf("%q is not stream, record or rtc-record: only those are signed with a key", name)}
	}
	r.kind = kind
	return nil
}

// checkKeyFlags rejects both flags of a key.
func (r *rotate) checkKeyFlags() error {
	if r.key.Env != "" && r.key.File != "" {
		return &usageError{errors.New("use one of --key-file and --key-env")}
	}
	return nil
}

// read reads every instance. One that does not answer is an error: a key is in force only if it is so everywhere.
func (r *rotate) read(ctx context.Context) (all []admin.Instance, err error) {
	for _, url := range r.instances {
		i, problem := readInstance(ctx, url)
		all, err = append(all, i), errors.Join(err, problem)
	}
	return all, err
}

// poll asks all instances until done, for at most --wait. pending says what is waited for; it is printed whenever it
// changes, and is the error in the end.
func (r *rotate) poll(c *cobra.Command, done func([]admin.Instance) (pending string)) error {
	ctx, cancel := context.WithTimeout(c.Context(), r.wait)
	defer cancel()
	ticks := time.NewTicker(pollInterval)
	defer ticks.Stop()
	for told := ""; ; {
		all, err := r.read(c.Context())
		pending := ""
		if err != nil {
			pending = strings.ReplaceAll(err.Error(), "\n", "; ")
		} else if pending = done(all); pending == "" {
			return nil
		}
		if pending != told {
			fmt.Fprintln(c.ErrOrStderr(), "waiting:", pending)
			told = pending
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %v: %s", r.wait, pending)
		case <-ticks.C:
		}
	}
}

// awaitKey waits until every instance reports a key in force.
func (r *rotate) awaitKey(c *cobra.Command, id string) error {
	return r.poll(c, func(all []admin.Instance) string {
		if missing := rotation.Without(all, r.kind, id); len(missing) > 0 {
			return fmt.Sprintf("the %v key %s is not in force at %s", r.kind, id, strings.Join(missing, ", "))
		}
		return ""
	})
}
