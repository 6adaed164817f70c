package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"livebridge/bridge/admin"
	"livebridge/bridge/keyring"
	"livebridge/bridge/rotation"
)

// rotationEnd is the last phase.
type rotationEnd struct {
	rotate
	old         string
	idle        time.Duration
	allowUnused bool
	removeFrom  string
}

func (f *apiFlags) rotateEnd() *cobra.Command {
	r := &rotationEnd{rotate: rotate{apiFlags: f}}
	c := &cobra.Command{
		Use: "end KIND", Args: exactlyOne("KIND"),
		Short: "Wait until the old key is no longer used, so that it can be removed",
		Long: "Waits until no instance has verified a callback with the old key for the time of --idle, and one has with\n" +
			"another key since. Then remove the old key from the keys of all instances, and repeat this: it is done\n" +
			"when none reports the old key. With --remove-from it does that itself.",
		Example: "  livebridge callbacks rotate end record --old 3eb1bd43 --instance http://10.0.0.7:9090\n" +
			"  livebridge callbacks rotate end stream --old 3eb1bd43 --remove-from /etc/livebridge/stream.keys \\\n" +
			"    --instance http://127.0.0.1:9090",
		RunE: func(c *cobra.Command, args []string) error {
			if err := errors.Join(r.setKind(args[0]), r.check()); err != nil {
				return err
			}
			return r.run(c)
		},
	}
	r.addFlags(c, time.Hour)
	c.Flags().StringVar(&r.old, "old", "", "id of the old key, as begin, doctor and the metrics show it")
	c.Flags().DurationVar(&r.idle, "idle", 15*time.Minute, "for how long the old key must not have been used")
	c.Flags().BoolVar(&r.allowUnused, "allow-unused", false, "do not wait for a use of another key")
	c.Flags().StringVar(&r.removeFrom, "remove-from", "", "`file` with one key per line that the old key is removed from")
	return c
}

func (r *rotationEnd) check() error {
	r.old = strings.ToLower(strings.TrimPrefix(r.old, "id:"))
	switch {
	case !regexp.MustCompile(`^[0-9a-f]{8}$`).MatchString(r.old):
		return &usageError{errors.New("set --old to the id of the old key, 8 hex digits; never to a key")}
	case len(r.instances) == 0:
		return &usageError{errors.New("set --instance to the admin ports of all instances: they know when the key was used")}
	}
	return nil
}

func (r *rotationEnd) run(c *cobra.Command) error {
	gone, since := false, time.Now()
	err := r.poll(c, func(all []admin.Instance) string {
		u := rotation.UsageOf(all, r.kind, r.old, since, time.Now())
		gone = !u.Active
		return r.pending(u)
	})
	if err != nil || gone && r.removeFrom == "" {
		if gone {
			fmt.Fprintf(c.ErrOrStderr(), "the %v key %s is in force at no instance: the rotation is complete\n", r.kind, r.old)
		}
		return err
	}
	if r.removeFrom == "" {
		fmt.Fprintf(c.ErrOrStderr(), "the %v key %s is no longer used; "+
			"remove it from the keys of every instance, and repeat this\n", r.kind, r.old)
		return nil
	}
	return r.remove(c)
}

// pending says what is waited for before the old key can be removed; empty: nothing.
func (r *rotationEnd) pending(u rotation.Usage) string {
	switch {
	case !u.Active:
		return ""
	case !u.Replaced && !r.allowUnused:
		return fmt.Sprintf("no callback has come signed with another %v key since the last one with %s: "+
			"see livebridge callbacks rotate switch", r.kind, r.old)
	case u.Idle < r.idle:
		return fmt.Sprintf("the %v key %s was used less than %v ago", r.kind, r.old, r.idle)
	}
	return ""
}

// remove removes the old key from the file and waits until no instance reports it.
func (r *rotationEnd) remove(c *cobra.Command) error {
	removed, err := keyring.RemoveKey(r.removeFrom, r.old)
	if err != nil {
		return fmt.Errorf("--remove-from %s: %w", r.removeFrom, err)
	}
	if removed {
		fmt.Fprintf(c.ErrOrStderr(), "key %s is removed from %s\n", r.old, r.removeFrom)
	}
	err = r.poll(c, func(all []admin.Instance) string {
		if still := rotation.With(all, r.kind, r.old); len(still) > 0 {
			return fmt.Sprintf("the %v key %s is still in force at %s", r.kind, r.old, strings.Join(still, ", "))
		}
		return ""
	})
	if err == nil {
		fmt.Fprintf(c.ErrOrStderr(), "the %v key %s is in force at no instance: the rotation is complete\n", r.kind, r.old)
	}
	return err
}
