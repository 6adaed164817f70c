package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"livebridge/bridge/doctor"
	"livebridge/bridge/probe"
	"livebridge/bridge/provider"
	"livebridge/bridge/signature"
)

func (f *apiFlags) rotateSwitch() *cobra.Command {
	r := &rotate{apiFlags: f}
	var noProbe bool
	c := &cobra.Command{
		Use: "switch KIND PLACE...", Short: "Register the new key at the provider", Args: cobra.ArbitraryArgs,
		Long: "Registers the new key for callbacks: DOMAIN of stream, DOMAIN/APP of record, APP of rtc-record. It changes\n" +
			"nothing unless every instance reports the key in force and a probe that is signed with it is answered\n" +
			"through each registered URL. Repeat it after an error: what has been switched is not harmed.",
		Example: "  livebridge callbacks rotate switch record 'push.example.com/*' --region cn-north-4 \\\n" +
			"    --key-file new.key --instance http://10.0.0.7:9090",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) < 2 {
				return &usageError{fmt.Errorf("%s needs a KIND and one PLACE or more: %s", c.CommandPath(), c.UseLine())}
			}
			if err := errors.Join(r.setKind(args[0]), r.checkKeyFlags()); err != nil {
				return err
			}
			return r.change(c, args[1:], noProbe)
		},
	}
	r.addKeyFlags(c, "`file` with the new key; the first of several lines")
	r.addFlags(c, 10*time.Second)
	c.Flags().BoolVar(&noProbe, "no-probe", false,
		"do not prove the key through the public URLs, which cannot be reached from here")
	return c
}

// change registers the new key for each place, once it is proved for all.
func (r *rotate) change(c *cobra.Command, places []string, noProbe bool) error {
	if r.key == (provider.KeyReference{}) {
		return &usageError{errors.New("set --key-file or --key-env to the new key")}
	}
	key, err := r.env.keyFrom(r.key)
	if err != nil {
		return &usageError{fmt.Errorf("%v: %w", r.key, err)}
	}
	if err := r.checkKey(key); err != nil {
		return err
	}
	if len(r.instances) == 0 && noProbe {
		return &usageError{errors.New("set --instance, or leave --no-probe: nothing would prove that the key is in force")}
	}
	id := signature.KeyID(key.Reveal())
	if err := r.awaitKey(c, id); err != nil {
		return fmt.Errorf("%w; see livebridge callbacks rotate begin", err)
	}
	client, all, err := r.registered(c, places)
	if err != nil {
		return err
	}
	for i := range all {
		if !noProbe {
			err = errors.Join(err, prove(c, &all[i], key))
		}
	}
	if err != nil {
		return fmt.Errorf("nothing is switched: %w", err)
	}
	for i := range all {
		err = errors.Join(err, r.register(c, client, all[i], key))
	}
	return err
}

// registered returns the callbacks at the places that are the arguments.
func (r *rotate) registered(
	c *cobra.Command, places []string,
) (client *provider.Client, all []provider.Callback, err error) {
	s := kindCommand{r.apiFlags, r.kind, textsOf(r.kind)}
	for _, place := range places {
		opened, registered, found, err := s.open(c, []string{place})
		switch {
		case err != nil:
			return nil, nil, err
		case !found:
			return nil, nil, notRegistered(registered.Place)
		}
		client, all = opened, append(all, registered)
	}
	return client, all, nil
}

// prove sends a probe with the new key through the registered URL.
func prove(c *cobra.Command, registered *provider.Callback, key provider.Key) error {
	var s probe.Sender
	p := signature.NewSignedProbe(key.Reveal(), doctor.Claim(s, registered.Place))
	o := s.Send(c.Context(), registered.URL, p)
	if o.Failure == "" {
		return nil
	}
	return fmt.Errorf("%v: a probe with the key %s through the public URL fails (%s: %s); see livebridge callbacks doctor",
		registered.Place, p.Key, o.Failure, o.Detail)
}

// register registers the new key for one callback.
func (r *rotate) register(
	c *cobra.Command, client *provider.Client, callback provider.Callback, key provider.Key,
) error {
	was := callback.KeyText()
	if callback.Key == key {
		fmt.Fprintf(c.ErrOrStderr(), "%v: %s is registered already\n", callback.Place, was)
		return nil
	}
	callback.Key, callback.KeyHidden = key, false
	if _, err := client.Update(c.Context(), callback); err != nil {
		return err
	}
	fmt.Fprintf(c.ErrOrStderr(), "%v: %v is registered, it was %s\n", callback.Place, key, was)
	return nil
}
