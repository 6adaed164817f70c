package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"livebridge/bridge/provider/providertest"
	"livebridge/bridge/simulator"
)

// simulatedAPI is the provider's API, served beside the simulated streams.
type simulatedAPI struct {
	env    *environment
	listen string
	lost   float64
}

func (a *simulatedAPI) addFlag(c *cobra.Command) {
	c.Flags().StringVar(&a.listen, "with-api", "",
		"address for the provider's API, such as 127.0.0.1:7080: send what is registered there")
	c.Flags().Float64Var(&a.lost, "lost", 0, "fraction of starts that are not sent, with --with-api")
}

// check reports flags that say what the registered callbacks say.
func (a *simulatedAPI) check(c *cobra.Command, s simulator.Config) error {
	for _, name := range []string{"url", "kinds", "log", "count", "connections", "forged", "numbers"} {
		if c.Flags().Changed(name) {
			return fmt.Errorf("--%s has no meaning with --with-api: leave it out", name)
		}
	}
	if a.lost < 0 || a.lost > 1 {
		return fmt.Errorf("--lost %v is not between 0 and 1", a.lost)
	}
	if s.Rate <= 0 || s.Streams < 1 {
		return fmt.Errorf("--rate %v and --streams %d must be positive with --with-api", s.Rate, s.Streams)
	}
	return nil
}

// account returns the account of the environment's credentials, and a made-up one without.
func (a *simulatedAPI) account() providertest.Config {
	vars := func(name, otherwise string) string { return cmp.Or(a.env.vars["HUAWEICLOUD_SDK_"+name], otherwise) }
	return providertest.Config{AccessKey: vars("AK", "simulated"), SecretKey: vars("SK", "simulated"),
		SecurityToken: vars("SECURITY_TOKEN", ""), Project: vars("PROJECT_ID", "simulated")}
}

// run serves the API and plays streams until the duration, which is 0 for no limit, or the command ends.
func (a *simulatedAPI) run(c *cobra.Command, s simulator.Config) (err error) {
	if err := a.check(c, s); err != nil {
		return &usageError{err}
	}
	account := a.account()
	p := providertest.New(account)
	listener, err := net.Listen("tcp", a.listen)
	if err != nil {
		return &usageError{fmt.Errorf("--with-api %s: %w", a.listen, err)}
	}
	server := &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // ends with Close
	defer func() { err = errors.Join(err, server.Close()) }()
	fmt.Fprintf(c.ErrOrStderr(), "API at http://%s, access key %s, project %s: register with livebridge callbacks "+
		"--endpoint http://%[1]s\n", listener.Addr(), account.AccessKey, account.Project)
	p.Lose(func(d providertest.Delivery) bool { return d.Event == "PUBLISH" && rand.Float64() < a.lost })
	return playPushes(c, p, s)
}

// playPushes plays streams and prints how the callbacks were answered.
func playPushes(c *cobra.Command, p *providertest.Provider, s simulator.Config) error {
	ctx := c.Context()
	if s.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.Duration)
		defer cancel()
	}
	answers, lost, other := 0, 0, 0
	var failed error
	p.Play(ctx, providertest.Load{
		Streams: s.Streams, Rate: s.Rate, Seed: s.Seed, Disorder: s.Disorder, Repeat: s.Repeat, Twins: s.Twins,
		Delivered: func(d providertest.Delivery) {
			switch {
			case d.Status == http.StatusOK:
				answers++
			case d.Lost:
				lost++
			case ctx.Err() == nil: // not one that the end of the command has cut off
				other++
				failed = cmp.Or(d.Err, fmt.Errorf("%v %s: status %d", d.Lane, d.Event, d.Status))
			}
		},
	})
	fmt.Fprintf(c.OutOrStdout(), "%s answered 200, %d otherwise, %d lost\n", counted(answers, "callback"), other, lost)
	if failed != nil {
		return fmt.Errorf("the last of %d without a 200: %w", other, failed)
	}
	return nil
}
