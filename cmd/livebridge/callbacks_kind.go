package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/provider"
)

// kindTexts are the texts of the commands on one kind.
type kindTexts struct {
	short, argument, example string
}

// textsOf returns the texts of a kind: what it is registered for differs.
func textsOf(k bridge.Kind) kindTexts {
	switch k {
	case bridge.KindStream:
		return kindTexts{"Stream status: one callback for a domain", "DOMAIN", "push.example.com"}
	case bridge.KindRecord:
		return kindTexts{"Recordings of Live: callbacks by domain and app", "DOMAIN/APP", "'push.example.com/*'"}
	case bridge.KindSnapshot:
		return kindTexts{"Snapshots: callbacks by domain and app", "DOMAIN/APP", "push.example.com/live"}
	}
	return kindTexts{"Recordings of SparkRTC: one callback for an app", "APP", "5fd6f2e5example"}
}

// kindCommand is the commands on one kind.
type kindCommand struct {
	*apiFlags
	bridge.Kind
	kindTexts
}

func (f *apiFlags) kind(k bridge.Kind) *cobra.Command {
	s := kindCommand{f, k, textsOf(k)}
	c := &cobra.Command{
		Use: k.String(), Short: s.short, Args: cobra.ArbitraryArgs, RunE: needsCommand,
		Example: fmt.Sprintf("  livebridge callbacks %s show --region cn-north-4 %s", k, s.example),
	}
	c.AddCommand(s.show())
	switch k {
	case bridge.KindRecord:
		c.AddCommand(s.list(), s.create(), s.update(), s.delete())
	case bridge.KindSnapshot:
		c.AddCommand(s.list(), s.set(), s.delete())
	case bridge.KindStream:
		c.AddCommand(s.set(), s.delete())
	default:
		c.AddCommand(s.set())
	}
	return c
}

// use returns the line of usage of a verb.
func (s kindCommand) use(verb string) string { return verb + " " + s.argument }

// exampleOf returns an example of a verb; rest are its flags.
func (s kindCommand) exampleOf(verb, rest string) string {
	return strings.TrimRight(fmt.Sprintf("  livebridge callbacks %s %s --region cn-north-4 %s %s",
		s.Kind, verb, s.kindTexts.example, rest), " ")
}

// place parses the argument.
func (s kindCommand) place(text string) (provider.Place, error) {
	p := provider.Place{Kind: s.Kind}
	switch s.Kind {
	case bridge.KindStream:
		p.Domain = strings.ToLower(text)
	case bridge.KindRTCRecord:
		p.App = text
	default:
		domain, app, found := strings.Cut(text, "/")
		if !found || domain == "" || app == "" {
			return p, &usageError{fmt.Errorf("%q is not DOMAIN/APP, such as push.example.com/live; for every app write '%s'",
				text, "push.example.com/*")}
		}
		if p.Domain, p.App = strings.ToLower(domain), app; app == "**" {
			p.App = provider.Wildcard
		}
	}
	return p, nil
}

// open returns a client, and the callback at the place that is the argument.
func (s kindCommand) open(c *cobra.Command, args []string) (*provider.Client, provider.Callback, bool, error) {
	place, err := s.place(args[0])
	if err != nil {
		return nil, provider.Callback{}, false, err
	}
	client, err := s.apiFlags.open()
	if err != nil {
		return nil, provider.Callback{}, false, err
	}
	all, err := client.List(c.Context(), provider.Query(place))
	if err != nil {
		return nil, provider.Callback{}, false, err
	}
	for _, registered := range all {
		if registered.Place == place {
			return client, registered, true, nil
		}
	}
	return client, provider.Callback{Place: place}, false, nil
}

// notRegistered is the error of a command on a callback that is not there.
func notRegistered(p provider.Place) error {
	return fmt.Errorf("%v is not registered; see livebridge callbacks list", p)
}

func (s kindCommand) list() *cobra.Command {
	var output outputFormat
	c := &cobra.Command{
		Use: "list [DOMAIN]...", Short: "List what is registered",
		Example: fmt.Sprintf("  livebridge callbacks %s list --region cn-north-4 push.example.com", s.Kind),
		RunE: func(c *cobra.Command, domains []string) error {
			client, err := s.apiFlags.open()
			if err != nil {
				return err
			}
			if len(domains) == 0 {
				domains = []string{""} // those of all domains, where the API has such a list
			}
			var all []provider.Callback
			for _, domain := range domains {
				some, err := client.List(c.Context(), provider.Query{Kind: s.Kind, Domain: strings.ToLower(domain)})
				if err != nil {
					return err
				}
				all = append(all, some...)
			}
			return printCallbacks(c.OutOrStdout(), all, output)
		},
	}
	addOutputFlag(c, &output, "table", "json", "yaml")
	return c
}

func (s kindCommand) show() *cobra.Command {
	var output outputFormat
	c := &cobra.Command{
		Use: s.use("show"), Short: "Show one callback", Args: exactlyOne(s.argument),
		Example: s.exampleOf("show", ""),
		RunE: func(c *cobra.Command, args []string) error {
			_, registered, found, err := s.open(c, args)
			if err != nil {
				return err
			}
			if !found {
				return notRegistered(registered.Place)
			}
			return printCallback(c.OutOrStdout(), registered, output)
		},
	}
	addOutputFlag(c, &output, "table", "json", "yaml")
	return c
}

func (s kindCommand) delete() *cobra.Command {
	var yes bool
	short := "Delete a callback"
	if s.Kind == bridge.KindSnapshot {
		short = "Switch a callback off; pictures are still taken"
	}
	c := &cobra.Command{
		Use: s.use("delete"), Short: short, Args: exactlyOne(s.argument), Example: s.exampleOf("delete", "--yes"),
		RunE: func(c *cobra.Command, args []string) error {
			client, registered, found, err := s.open(c, args)
			if err != nil {
				return err
			}
			if !found || registered.URL == "" {
				return notRegistered(registered.Place)
			}
			if !yes {
				if err := confirm(c, fmt.Sprintf("delete %v (%s)?", registered.Place, registered.URL)); err != nil {
					return err
				}
			}
			return client.Delete(c.Context(), registered)
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}
