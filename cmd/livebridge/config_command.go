package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"livebridge/transports/nats"
)

func newConfig() *cobra.Command {
	return &cobra.Command{
		Use: "config", Short: "Print the effective settings, with secrets masked", Args: noArguments,
		Example: "  LIVEBRIDGE_STREAM_KEY_FILE=/run/secrets/stream livebridge config",
		RunE: func(c *cobra.Command, _ []string) error {
			vars := environ()
			s, err := load(vars)
			if err != nil {
				return err
			}
			s.print(c.OutOrStdout(), vars)
			return nil
		},
	}
}

// print writes one NAME=value line for each setting, with the value's source.
func (s *settings) print(w io.Writer, vars map[string]string) {
	for _, f := range s.fields() {
		fmt.Fprintf(w, "%s%s=%s # %s\n", prefix, f.name, f.shown(vars), f.origin(vars))
	}
}

func (f field) shown(vars map[string]string) string {
	text := fmt.Sprint(f.value)
	if list, ok := f.value.([]string); ok {
		text = strings.Join(list, ",")
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
