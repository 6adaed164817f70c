package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"livebridge/bridge"
	"livebridge/bridge/provider"
)

// edit is the flags that change a callback.
type edit struct {
	env      *environment
	callback provider.Callback
	pictures provider.Pictures
	key      provider.KeyReference
	noKey    bool
	output   outputFormat
}

// addFlags adds the flags of a kind.
func (e *edit) addFlags(c *cobra.Command, k bridge.Kind) {
	f := c.Flags()
	f.StringVar(&e.callback.URL, "url", "", "URL that the provider calls, https")
	f.StringVar(&e.key.Env, "key-env", "", "name of an environment variable with the key")
	f.StringVar(&e.key.File, "key-file", "", "`file` with the key; the first of several lines")
	f.BoolVar(&e.noKey, "no-key", false, "register no key: callbacks are not signed")
	switch k {
	case bridge.KindRecord:
		f.StringSliceVar(&e.callback.Events, "events", nil,
			"events (default: all): "+strings.Join(provider.RecordEvents(), ","))
		f.StringVar((*string)(&e.callback.SignType), "sign-type", string(provider.SignHMAC), "HMACSHA256 or MD5")
	case bridge.KindStream:
		f.StringVar((*string)(&e.callback.Area), "call-back-area", "",
			"where the receiver is: mainland_china or outside_mainland_china (default: the provider's)")
	case bridge.KindSnapshot:
		f.IntVar(&e.pictures.Interval, "interval", 10, "seconds between two pictures, 5 to 3600")
		f.BoolVar(&e.pictures.Overwrite, "overwrite", false, "a picture replaces the one before it")
		f.StringVar(&e.pictures.Bucket, "bucket", "", "OBS bucket for the pictures")
		f.StringVar(&e.pictures.Location, "location", "", "region of the bucket (default: --region)")
		f.StringVar(&e.pictures.Object, "object", "", "path in the bucket")
	}
	addOutputFlag(c, &e.output, "table", "json", "yaml")
}

// change returns the registered callback with what the flags say.
func (e *edit) change(f *pflag.FlagSet, registered provider.Callback, region string) (provider.Callback, error) {
	c := registered
	if f.Changed("url") {
		c.URL = e.callback.URL
	}
	if f.Changed("call-back-area") {
		c.Area = e.callback.Area
	}
	e.changeRecord(f, &c)
	e.changePictures(f, &c, region)
	return c, e.changeKey(&c)
}

// changeRecord changes what recordings of Live alone have, with the defaults of a new callback.
func (e *edit) changeRecord(f *pflag.FlagSet, c *provider.Callback) {
	if c.Kind != bridge.KindRecord {
		return
	}
	if f.Changed("sign-type") || c.SignType == "" {
		c.SignType = e.callback.SignType
	}
	if f.Changed("events") {
		c.Events = e.callback.Events
	} else if len(c.Events) == 0 {
		c.Events = provider.RecordEvents()
	}
}

// changePictures changes what snapshots alone have.
func (e *edit) changePictures(f *pflag.FlagSet, c *provider.Callback, region string) {
	if c.Kind != bridge.KindSnapshot {
		return
	}
	p := e.pictures
	if p.Location == "" {
		p.Location = region
	}
	if old := c.Pictures; old != nil {
		p = *old
		if f.Changed("interval") {
			p.Interval = e.pictures.Interval
		}
		if f.Changed("overwrite") {
			p.Overwrite = e.pictures.Overwrite
		}
		for name, field := range map[string][2]*string{
			"bucket": {&p.Bucket, &e.pictures.Bucket}, "location": {&p.Location, &e.pictures.Location},
			"object": {&p.Object, &e.pictures.Object},
		} {
			if f.Changed(name) {
				*field[0] = *field[1]
			}
		}
	}
	c.Pictures = &p
}

// changeKey sets the key. It must be given where the provider does not show the one that is registered, since an update
// may remove it.
func (e *edit) changeKey(c *provider.Callback) error {
	given := 0
	for _, is := range []bool{e.key.Env != "", e.key.File != "", e.noKey} {
		if is {
			given++
		}
	}
	if given > 1 {
		return &usageError{errors.New("use one of --key-file, --key-env and --no-key")}
	}
	if given == 0 {
		if c.KeyHidden {
			return &usageError{errors.New("use --key-file or --key-env: the provider does not show the key of a recording " +
				"callback, and an update without it may remove it (--no-key)")}
		}
		return nil
	}
	c.Key, c.KeyHidden = "", false
	if e.noKey {
		return nil
	}
	key, err := e.env.keyFrom(e.key)
	if err != nil {
		return &usageError{fmt.Errorf("%v: %w", e.key, err)}
	}
	c.Key = key
	return nil
}

// write registers what the flags say with do, and prints the callback.
func (s kindCommand) write(
	c *cobra.Command, e *edit, registered provider.Callback,
	do func(provider.Callback) (provider.Callback, error),
) error {
	wanted, err := e.change(c.Flags(), registered, s.Region)
	if err != nil {
		return err
	}
	if err := wanted.Check(); err != nil {
		return &usageError{fmt.Errorf("%v: %w", wanted.Place, err)}
	}
	warnings(c, &wanted)
	written, err := do(wanted)
	if err != nil {
		return err
	}
	return printCallback(c.OutOrStdout(), written, e.output)
}

func (s kindCommand) create() *cobra.Command {
	e := edit{env: s.env}
	c := &cobra.Command{
		Use: s.use("create"), Short: "Register a callback", Args: exactlyOne(s.argument),
		Example: s.exampleOf("create",
			"\\\n    --url https://bridge.example.com/live/record --key-env LIVEBRIDGE_RECORD_KEY"),
		RunE: func(c *cobra.Command, args []string) error {
			client, registered, found, err := s.open(c, args)
			if err != nil {
				return err
			}
			if found {
				return fmt.Errorf("%v is registered already, for %s: use update", registered.Place, registered.URL)
			}
			return s.write(c, &e, registered, func(w provider.Callback) (provider.Callback, error) {
				return client.Create(c.Context(), w)
			})
		},
	}
	e.addFlags(c, s.Kind)
	return c
}

func (s kindCommand) update() *cobra.Command {
	e := edit{env: s.env}
	c := &cobra.Command{
		Use: s.use("update"), Short: "Change a callback: what no flag names stays, except for the key",
		Args: exactlyOne(s.argument), Example: s.exampleOf("update", "--key-file record.key --events RECORD_OVER"),
		RunE: func(c *cobra.Command, args []string) error {
			client, registered, found, err := s.open(c, args)
			if err != nil {
				return err
			}
			if !found {
				return notRegistered(registered.Place)
			}
			return s.write(c, &e, registered, func(w provider.Callback) (provider.Callback, error) {
				return client.Update(c.Context(), w)
			})
		},
	}
	e.addFlags(c, s.Kind)
	return c
}

func (s kindCommand) set() *cobra.Command {
	e := edit{env: s.env}
	flags := map[bridge.Kind]string{
		bridge.KindStream:    "\\\n    --url https://bridge.example.com/live/stream --key-file stream.key",
		bridge.KindSnapshot:  "\\\n    --url https://bridge.example.com/live/snapshot/TOKEN --bucket pictures",
		bridge.KindRTCRecord: "\\\n    --url https://bridge.example.com/rtc/record --key-env LIVEBRIDGE_RTC_KEY",
	}
	c := &cobra.Command{
		Use: s.use("set"), Short: "Register a callback, or change it: what no flag names stays",
		Args: exactlyOne(s.argument), Example: s.exampleOf("set", flags[s.Kind]),
		RunE: func(c *cobra.Command, args []string) error {
			client, registered, found, err := s.open(c, args)
			if err != nil {
				return err
			}
			return s.write(c, &e, registered, func(w provider.Callback) (provider.Callback, error) {
				if found {
					return client.Update(c.Context(), w)
				}
				return client.Create(c.Context(), w)
			})
		},
	}
	e.addFlags(c, s.Kind)
	return c
}
