package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"livebridge/bridge/provider"
)

// TestHandbookCallbacksFile: the handbook's file of wanted callbacks is one, with a callback of every kind.
func TestHandbookCallbacksFile(t *testing.T) {
	_, text, _ := strings.Cut(handbook(t, "The provider's side"), "### What must be registered, in a file\n\n```\n")
	text, _, _ = strings.Cut(text, "```")
	f, err := provider.ParseFile([]byte(text))
	if err != nil || len(f.Callbacks) != 4 {
		t.Errorf("%v: %+v\n%s", err, f, text)
	}
}

// TestHandbookCallbacksFlags: the flags that the handbook names are there.
func TestHandbookCallbacksFlags(t *testing.T) {
	flags := make(map[string]bool)
	everyCommand(newRoot(processEnvironment()), func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) { flags[f.Name] = true })
		c.PersistentFlags().VisitAll(func(f *pflag.Flag) { flags[f.Name] = true })
	})
	named := regexp.MustCompile(`--([a-z][a-z-]+)`).FindAllStringSubmatch(handbook(t, "The provider's side"), -1)
	if len(named) < 10 {
		t.Fatalf("%d flags", len(named))
	}
	for _, name := range named {
		if !flags[name[1]] {
			t.Errorf("no command has --%s", name[1])
		}
	}
}
