package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"livebridge/bridge/provider"
)

// fileFlags are the flags of commands on a file of wanted callbacks.
type fileFlags struct {
	env     *environment
	path    string
	options provider.PlanOptions
	output  outputFormat
}

func (f *fileFlags) add(c *cobra.Command) {
	c.Flags().StringVarP(&f.path, "file", "f", "", "`file` of the wanted callbacks; - is standard input")
	c.Flags().BoolVar(&f.options.KeepOthers, "keep-others", false, "leave callbacks that the file does not name")
	c.Flags().BoolVar(&f.options.RegisterKeys, "register-keys", false,
		"register the keys of recordings of Live again: the provider does not show which ones it has")
	addOutputFlag(c, &f.output, "table", "json", "yaml")
}

// read reads the file and its keys.
func (f *fileFlags) read(c *cobra.Command) (*provider.File, error) {
	var content []byte
	var err error
	switch f.path {
	case "":
		return nil, &usageError{errors.New("set --file to the file of the wanted callbacks")}
	case "-":
		content, err = io.ReadAll(c.InOrStdin())
	default:
		content, err = os.ReadFile(f.path)
	}
	if err != nil {
		return nil, err
	}
	wanted, err := provider.ParseFile(content)
	if err == nil {
		err = wanted.Resolve(f.env.keyFrom)
	}
	if err != nil {
		return nil, &usageError{fmt.Errorf("%s: %w", f.path, err)}
	}
	return wanted, nil
}

// plan returns the changes from what is registered to what the file wants, and prints them.
func (f *fileFlags) plan(c *cobra.Command, client *provider.Client) ([]provider.Change, error) {
	wanted, err := f.read(c)
	if err != nil {
		return nil, err
	}
	for i := range wanted.Callbacks {
		warnings(c, &wanted.Callbacks[i].Callback)
	}
	registered, err := provider.Registered(c.Context(), client, wanted.Scope())
	if err != nil {
		return nil, err
	}
	changes, err := wanted.Plan(registered, f.options)
	if err != nil {
		return nil, err
	}
	return changes, f.print(c.OutOrStdout(), changes)
}

// shownChange is a change as it is printed.
type shownChange struct {
	Action   provider.Action   `json:"action" yaml:"action"`
	Callback provider.Callback `json:"callback" yaml:"callback"`
	Fields   []shownField      `json:"fields,omitempty" yaml:"fields,omitempty"`
}

type shownField struct {
	Name   string `json:"name" yaml:"name"`
	Before string `json:"before" yaml:"before"`
	After  string `json:"after" yaml:"after"`
}

func (f *fileFlags) print(w io.Writer, changes []provider.Change) error {
	if f.output != "yaml" && f.output.table(w) {
		for _, change := range changes {
			printChange(w, change)
		}
		return nil
	}
	shown := make([]shownChange, 0, len(changes))
	for _, change := range changes {
		s := shownChange{Action: change.Action, Callback: change.Callback}
		for _, field := range change.Fields {
			s.Fields = append(s.Fields, shownField(field))
		}
		shown = append(shown, s)
	}
	if f.output == "yaml" {
		return provider.WriteYAML(w, shown)
	}
	return printJSON(w, shown)
}

// printChange prints a change for people, in the way of a diff.
func printChange(w io.Writer, change provider.Change) {
	c := &change.Callback
	sign := map[provider.Action]string{provider.Create: "+", provider.Update: "~", provider.Delete: "-"}[change.Action]
	fmt.Fprintf(w, "%s %v\n", sign, c.Place)
	if change.Action != provider.Update {
		fmt.Fprintf(w, "    url: %s\n    key: %s\n", printable(c.URL), c.KeyText())
		if len(c.Events) > 0 {
			fmt.Fprintf(w, "    sign_type: %s\n    events: %s\n", c.SignType, strings.Join(c.Events, ", "))
		}
		return
	}
	for _, field := range change.Fields {
		fmt.Fprintf(w, "    %s: %s -> %s\n", field.Name, dash(field.Before), dash(field.After))
	}
}

func (f *apiFlags) apply() *cobra.Command {
	file := fileFlags{env: f.env}
	var yes, dryRun bool
	c := &cobra.Command{
		Use: "apply", Short: "Register what a file wants: create, update and delete callbacks", Args: noArguments,
		Long: "Prints what differs between the file and what is registered for the domains and SparkRTC apps that it\n" +
			"names, asks, and changes it. After a failure run it again: it does what is left. Keys are in environment\n" +
			"variables or files that the file names, never in it.",
		Example: "  livebridge callbacks apply --region cn-north-4 -f callbacks.yaml --dry-run\n" +
			"  livebridge callbacks apply --region cn-north-4 -f callbacks.yaml --yes",
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := f.open()
			if err != nil {
				return err
			}
			changes, err := file.plan(c, client)
			switch {
			case err != nil:
				return err
			case len(changes) == 0:
				fmt.Fprintln(c.ErrOrStderr(), "nothing to change")
				return nil
			case dryRun:
				fmt.Fprintf(c.ErrOrStderr(), "%s would be made\n", counted(len(changes), "change"))
				return nil
			case !yes:
				if err := confirm(c, fmt.Sprintf("make %s at the provider?", counted(len(changes), "change"))); err != nil {
					return err
				}
			}
			return makeChanges(c, client, changes)
		},
	}
	file.add(c)
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only print the changes")
	return c
}

// makeChanges makes changes until one fails.
func makeChanges(c *cobra.Command, r provider.Registry, changes []provider.Change) error {
	for n, change := range changes {
		if err := change.Do(c.Context(), r); err != nil {
			return fmt.Errorf("%d of %s made; run apply again for the rest: %w", n, counted(len(changes), "change"), err)
		}
	}
	fmt.Fprintf(c.ErrOrStderr(), "%s made\n", counted(len(changes), "change"))
	return nil
}

// counted returns a number of things for people.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func (f *apiFlags) diff() *cobra.Command {
	file := fileFlags{env: f.env}
	c := &cobra.Command{
		Use: "diff", Short: "Compare a file with what is registered: exit code 1 if it differs", Args: noArguments,
		Example: "  livebridge callbacks diff --region cn-north-4 -f callbacks.yaml",
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := f.open()
			if err != nil {
				return err
			}
			changes, err := file.plan(c, client)
			if err == nil && len(changes) > 0 {
				err = fmt.Errorf("%s; livebridge callbacks apply makes what is registered what the file says",
					counted(len(changes), "difference"))
			}
			return err
		},
	}
	file.add(c)
	return c
}

func (f *apiFlags) export() *cobra.Command {
	scope := scopeFlags{env: f.env}
	c := &cobra.Command{
		Use: "export", Short: "Write the file of what is registered", Args: noArguments,
		Long: "Writes the file that apply and diff read. It names an environment variable for every key, to be set to the\n" +
			"key that is registered; the provider does not show the keys of recordings of Live.",
		Example: "  livebridge callbacks export --region cn-north-4 --domain push.example.com > callbacks.yaml",
		RunE: func(c *cobra.Command, _ []string) error {
			all, err := f.registered(c, &scope)
			if err != nil {
				return err
			}
			return exported(all).Write(c.OutOrStdout())
		},
	}
	scope.add(c)
	return c
}

// exported returns the file of what is registered.
func exported(all []provider.Callback) *provider.File {
	file := &provider.File{}
	for _, c := range all {
		if c.URL == "" {
			continue
		}
		w := provider.Wanted{Callback: c}
		if c.Key != "" || c.KeyHidden {
			w.KeyFrom = &provider.KeyReference{Env: keyVariable(c.Place)}
		}
		file.Callbacks = append(file.Callbacks, w)
	}
	return file
}

var notOfVariables = regexp.MustCompile(`[^A-Z0-9]+`)

// keyVariable returns the name of the environment variable for the key of a place.
func keyVariable(p provider.Place) string {
	text := strings.ReplaceAll(p.String(), provider.Wildcard, "ALL")
	return "KEY_" + notOfVariables.ReplaceAllString(strings.ToUpper(text), "_")
}
