package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// everyCommand calls f for every command with its full name.
func everyCommand(c *cobra.Command, f func(*cobra.Command)) {
	f(c)
	for _, sub := range c.Commands() {
		if sub.Name() != "help" && sub.Name() != "completion" {
			everyCommand(sub, f)
		}
	}
}

// TestEveryHelp reads every help text: it has an example and fits a terminal, and no word in back quotes has become the
// name of a flag's argument by accident.
func TestEveryHelp(t *testing.T) {
	arguments := []string{"", "file", "lane", "format", "reason", "duration", "int", "uint", "float", "string", "strings",
		"stringArray", "header", "kind", "time"}
	commands := 0
	everyCommand(newRoot(processEnvironment()), func(c *cobra.Command) {
		commands++
		path := strings.Fields(c.CommandPath())[1:]
		out, errOut, code := runCommand(t, append(path, "--help")...)
		if code != exitDone || errOut != "" || !strings.Contains(out, "Examples:") {
			t.Errorf("%s: exit code %d, %s%s", c.CommandPath(), code, errOut, out)
		}
		for _, line := range strings.Split(out, "\n") {
			if len(line) > 150 {
				t.Errorf("%s has a line of %d columns: %s", c.CommandPath(), len(line), line)
			}
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			name, usage := pflag.UnquoteUsage(f)
			if !slices.Contains(arguments, name) || strings.Contains(usage, "`") {
				t.Errorf("%s --%s takes a %q: %s", c.CommandPath(), f.Name, name, usage)
			}
		})
	})
	if commands < 20 {
		t.Errorf("only %d commands", commands)
	}
}
