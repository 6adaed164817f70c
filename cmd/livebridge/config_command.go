package main

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/spf13/cobra"

	"livebridge/transports/nats"
)

func newConfig(e *environment) *cobra.Command {
	var output outputFormat
	var try bool
	c := &cobra.Command{
		Use: "config", Short: "Print the effective settings, with secrets masked", Args: noArguments,
		Long: "Prints every setting with its value, where the value is from, its default and what it is for, then the\n" +
			"variables that begin with " + prefix + " and are no setting. Secrets are masked. Mistakes are reported on\n" +
			"standard error. Exit code 0: the settings are valid, 2: they are not.\n\n" +
			"With --check it also tries them: connects to the broker, checks the topic or stream and the right to\n" +
			"publish, measures the disk of DATA_DIR, reads keys and certificates and checks the clock. It publishes and\n" +
			"creates nothing. Exit code 1 if a check fails.",
		Example: "  LIVEBRIDGE_STREAM_KEY_FILE=/run/secrets/stream livebridge config\n" +
			"  livebridge config --env-file livebridge.env --check\n" +
			"  livebridge config --output json | jq '.settings[] | select(.source != \"default\")'",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := readSettings(e.vars)
			shown := configOf(s, e)
			if try && err == nil {
				shown.Checks = s.tryAll(c.Context(), e.vars)
			}
			if printErr := shown.print(c.OutOrStdout(), output); printErr != nil {
				return printErr
			}
			if err != nil {
				return err
			}
			return failedChecks(shown.Checks)
		},
	}
	addOutputFlag(c, &output, "text", "json")
	c.Flags().BoolVar(&try, "check", false, "try the settings: broker, disk, keys, certificates and clock")
	return c
}

// shownConfig is what the command config prints.
type shownConfig struct {
	Settings []shownSetting `json:"settings"`
	Unknown  []string       `json:"unknown"` // variables that are no setting
	Checks   []checkResult  `json:"checks,omitempty"`
}

// shownSetting is one setting as printed.
type shownSetting struct {
	Name        string `json:"name"`
	Value       string `json:"value"`
	Default     string `json:"default"`
	Source      string `json:"source"` // default, environment, or the file that it was read from
	Description string `json:"description"`
}

func configOf(s *settings, e *environment) *shownConfig {
	c := &shownConfig{Unknown: append([]string{}, unknownSettings(e.vars)...)} // an empty list is written as []
	about := descriptions()
	for _, f := range s.fields() {
		shown := shownSetting{Name: prefix + f.name, Value: f.shown(e.vars), Default: f.byDefault, Source: f.origin(e.vars),
			Description: about[f.name]}
		if s.invalid[f.name] {
			shown.Value = e.vars[prefix+f.name]
		}
		if shown.Source == "environment" && e.fromFile[prefix+f.name] {
			shown.Source = "env file " + e.file
		}
		c.Settings = append(c.Settings, shown)
	}
	return c
}

func (c *shownConfig) print(w io.Writer, output outputFormat) error {
	if output == "json" {
		return encodeJSON(w, c)
	}
	for _, s := range c.Settings {
		fmt.Fprintf(w, "# %s\n%s\n\n", s.Description, s.line())
	}
	for _, name := range c.Unknown {
		fmt.Fprintf(w, "# %s is no setting and is ignored\n", name)
	}
	for _, r := range c.Checks {
		fmt.Fprintf(w, "%-7s  %-12s  %s\n", r.Status, r.Name, r.Detail)
	}
	return nil
}

// line returns the setting as NAME=value, with a comment on the value's source.
func (s *shownSetting) line() string {
	text := fmt.Sprintf("%s=%s # %s", s.Name, s.Value, s.Source)
	if s.Source != "default" && s.Default != "" {
		text += ", default " + s.Default
	}
	return text
}

// encodeJSON writes one line of JSON, with characters such as < as they are.
func encodeJSON(w io.Writer, v any) error {
	j := json.NewEncoder(w)
	j.SetEscapeHTML(false)
	return j.Encode(v)
}

func (f field) shown(vars map[string]string) string {
	text := fmt.Sprint(f.value)
	if reflect.ValueOf(f.value).Kind() == reflect.Slice {
		text = strings.ReplaceAll(strings.Trim(text, "[]"), " ", ",")
	}
	switch {
	case f.secret && f.origin(vars) != "default":
		return "(set, not shown)"
	case f.name == "NATS_URL":
		return nats.Redacted(text)
	}
	return text
}

func (f field) origin(vars map[string]string) string {
	switch value, set := vars[prefix+f.name]; {
	case value != "", set && f.value == "":
		return "environment"
	case f.secret && vars[prefix+f.name+"_FILE"] != "":
		return "file " + vars[prefix+f.name+"_FILE"]
	}
	return "default"
}
