package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/keyring"
	"livebridge/bridge/provider"
)

// newCallbacks is the commands on what is registered at the provider.
func newCallbacks(e *environment) *cobra.Command {
	c := &cobra.Command{
		Use: "callbacks", Short: "Register callbacks at the provider, change their keys, and find those that never came",
		Long: "The commands call the provider's API. Credentials are those of its SDK: HUAWEICLOUD_SDK_AK,\n" +
			"HUAWEICLOUD_SDK_SK and, with temporary ones, HUAWEICLOUD_SDK_SECURITY_TOKEN; its profile file; or the agency\n" +
			"of the machine or pod. Keys of callbacks are read from files or the environment, and shown as their ids.",
		Example: "  livebridge callbacks list --region cn-north-4 --domain push.example.com\n" +
			"  livebridge callbacks apply --region cn-north-4 -f callbacks.yaml",
		Args: cobra.ArbitraryArgs, RunE: needsCommand,
	}
	api := &apiFlags{env: e}
	api.add(c)
	c.AddCommand(api.list(), api.apply(), api.diff(), api.export(), api.doctor(), api.rotate(), api.reconcile())
	for _, kind := range bridge.Kinds() {
		c.AddCommand(api.kind(kind))
	}
	return c
}

// apiFlags say how to reach the provider's API.
type apiFlags struct {
	provider.Config
	env *environment
}

func (f *apiFlags) add(c *cobra.Command) {
	flags := c.PersistentFlags()
	flags.StringVar(&f.Region, "region", "", "region of the project, such as cn-north-4; SparkRTC is in cn-north-4 alone"+
		" (default: LIVEBRIDGE_PROVIDER_REGION)")
	flags.StringVar(&f.Project, "project", "", "id of the project (default: LIVEBRIDGE_PROVIDER_PROJECT, "+
		"HUAWEICLOUD_SDK_PROJECT_ID, or the only one)")
	flags.StringVar(&f.Endpoint, "endpoint", "",
		"URL of the API in place of the region's (default: LIVEBRIDGE_PROVIDER_ENDPOINT)")
	flags.DurationVar(&f.Timeout, "timeout", provider.DefaultTimeout, "limit of one request")
}

// open returns a client of the API.
func (f *apiFlags) open() (*provider.Client, error) {
	if f.Timeout <= 0 {
		return nil, &usageError{fmt.Errorf("--timeout %v is not positive", f.Timeout)}
	}
	vars := f.env.vars
	f.Region = cmp.Or(f.Region, vars[prefix+"PROVIDER_REGION"])
	f.Project = cmp.Or(f.Project, vars[prefix+"PROVIDER_PROJECT"])
	f.Endpoint = cmp.Or(f.Endpoint, vars[prefix+"PROVIDER_ENDPOINT"])
	if f.Region == "" && f.Endpoint == "" {
		return nil, &usageError{errors.New("set --region to that of the project, such as cn-north-4, or --endpoint")}
	}
	return provider.Open(f.Config)
}

// scopeFlags are the domains and apps that a command is about.
type scopeFlags struct {
	provider.Scope
	env *environment
}

func (f *scopeFlags) add(c *cobra.Command) {
	c.Flags().StringSliceVar(&f.Domains, "domain", nil,
		"ingest domains (default: LIVEBRIDGE_DOMAINS, or those with a recording callback)")
	c.Flags().StringSliceVar(&f.RTCApps, "rtc-app", nil, "ids of SparkRTC apps")
}

// scope returns the domains and apps, those of the default without flags.
func (f *scopeFlags) scope(c *cobra.Command, client *provider.Client) (provider.Scope, error) {
	s := f.Scope
	if len(s.Domains) == 0 {
		s.Domains = keyList(f.env.vars[prefix+"DOMAINS"])
	}
	if len(s.Domains) == 0 && len(s.RTCApps) == 0 {
		all, err := client.List(c.Context(), provider.Query{Kind: bridge.KindRecord})
		if err != nil {
			return s, err
		}
		domains := make(map[string]bool)
		for _, r := range all {
			domains[r.Domain] = true
		}
		s.Domains = slices.Sorted(maps.Keys(domains))
	}
	return s, nil
}

// registered returns what is registered within the scope.
func (f *apiFlags) registered(c *cobra.Command, scope *scopeFlags) ([]provider.Callback, error) {
	client, err := f.open()
	if err != nil {
		return nil, err
	}
	s, err := scope.scope(c, client)
	if err != nil {
		return nil, err
	}
	return provider.Registered(c.Context(), client, s)
}

func (f *apiFlags) list() *cobra.Command {
	scope := scopeFlags{env: f.env}
	var output outputFormat
	c := &cobra.Command{
		Use: "list", Short: "List what is registered, of every kind", Args: noArguments,
		Example: "  livebridge callbacks list --region cn-north-4 --domain push.example.com --rtc-app 5fd6f2e5example",
		RunE: func(c *cobra.Command, _ []string) error {
			all, err := f.registered(c, &scope)
			if err != nil {
				return err
			}
			return printCallbacks(c.OutOrStdout(), all, output)
		},
	}
	scope.add(c)
	addOutputFlag(c, &output, "table", "json", "yaml")
	return c
}

// keyFrom returns the key behind a reference: the first of the list that a setting of keys is.
func (e *environment) keyFrom(r provider.KeyReference) (provider.Key, error) {
	keys := keyList(e.vars[r.Env])
	if r.File != "" {
		content, err := os.ReadFile(r.File)
		if err != nil {
			return "", err
		}
		if keys, err = keyring.ParseList(content); err != nil {
			return "", err
		}
	}
	if len(keys) == 0 {
		return "", errors.New("is empty: set it to the key")
	}
	return provider.Key(keys[0]), nil
}

// warnings prints what is allowed and not advisable.
func warnings(c *cobra.Command, callback *provider.Callback) {
	warn := func(text string) { fmt.Fprintf(c.ErrOrStderr(), "warning: %v: %s\n", callback.Place, text) }
	if callback.SignType == provider.SignMD5 {
		warn("MD5 signs no field: one captured callback lets anyone forge any other until it expires; use HMACSHA256")
	}
	if callback.Key == "" && callback.Kind != bridge.KindSnapshot {
		warn("without a key callbacks are not signed, and livebridge refuses them unless UNSIGNED=accept")
	}
	if callback.Key != "" && callback.Kind == bridge.KindSnapshot {
		warn("the provider does not document how snapshots are signed: livebridge relies on SNAPSHOT_TOKEN in the URL")
	}
	if strings.HasPrefix(callback.URL, "http://") {
		warn("over plain HTTP callbacks can be read and repeated on the way; use https")
	}
}

// since returns a time as it is shown in tables.
func since(text string) string {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.Format(time.DateTime)
	}
	return printable(text)
}
