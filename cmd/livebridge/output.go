package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// outputFormat is how a command prints its result.
type outputFormat string

// output is a flag with a fixed set of formats. It implements pflag.Value.
type output struct {
	format  *outputFormat
	allowed []string
}

// addOutputFlag adds --output. Without it, method table decides.
func addOutputFlag(c *cobra.Command, format *outputFormat, allowed ...string) {
	usage := fmt.Sprintf("format of the output: %s", oneOf(allowed))
	if c.Name() != "config" {
		usage += " (default: " + allowed[0] + " on a terminal, json elsewhere)"
	}
	c.Flags().VarP(&output{format, allowed}, "output", "o", usage)
}

// String returns the format.
func (o *output) String() string { return string(*o.format) }

// Type returns the name of the flag's argument.
func (o *output) Type() string { return "format" }

// Set sets the format.
func (o *output) Set(text string) error {
	if !slices.Contains(o.allowed, text) {
		return fmt.Errorf("use one of %s", strings.Join(o.allowed, ", "))
	}
	*o.format = outputFormat(text)
	return nil
}

// table reports whether to print for people: as the flag says, otherwise on a terminal.
func (f outputFormat) table(w io.Writer) bool {
	if f == "" {
		return terminal(w)
	}
	return f != "json"
}

// oneOf lists words as a sentence does: "a or b", "a, b or c".
func oneOf(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
