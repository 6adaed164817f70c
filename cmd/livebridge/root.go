package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// newRoot returns the command tree. Without a subcommand it runs serve.
func newRoot(e *environment) *cobra.Command {
	serve := newServe(e)
	root := &cobra.Command{
		Use:   "livebridge",
		Short: "Receive signed live-video callbacks and publish them as ordered CloudEvents",
		Long: "livebridge receives webhook callbacks from Huawei Cloud Live and SparkRTC, verifies their signatures,\n" +
			"acknowledges each with 200 after a durable commit, and publishes it as one CloudEvent to Kafka or NATS\n" +
			"JetStream, in order within each stream.\n" +
			"\nSettings are environment variables; see livebridge config. They can be read from a file with --env-file,\n" +
			"like that of Docker or systemd; the environment takes precedence.",
		Example:       serve.Example,
		Args:          noArguments,
		SilenceErrors: true, SilenceUsage: true,
		Version: version(), // which makes the flag --version
		RunE:    serve.RunE,
	}
	e.addFlag(root)
	root.SetVersionTemplate("livebridge {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	root.AddCommand(serve, newDemo(e), newSimulate(e), newTail(e), newCheck(), newVerify(e), newQuarantine(e),
		newDeadLetters(e), newJournal(e), newCallbacks(e), newConfig(e), newHealth(e), newVersion())
	return root
}

// noArguments rejects arguments as wrong usage.
func noArguments(c *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case c.HasSubCommands():
		return unknownCommand(c, args[0])
	}
	return &usageError{fmt.Errorf("%s accepts no arguments and got %q", c.CommandPath(), args)}
}
