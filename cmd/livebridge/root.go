package main

import "github.com/spf13/cobra"

// newRoot makes the command tree. The bare command is serve.
func newRoot() *cobra.Command {
	serve := newServe()
	root := &cobra.Command{
		Use:   "livebridge",
		Short: "Signed live-video callbacks in, ordered CloudEvents out",
		Long: "livebridge takes the callbacks of Huawei Cloud Live and SparkRTC, checks their signatures, answers 200 when they\n" +
			"cannot be lost any more, and publishes each as one CloudEvent to NATS JetStream, in order within each stream.\n" +
			"Settings are environment variables; see `livebridge config`.",
		Example:       serve.Example,
		Args:          noArguments,
		SilenceErrors: true, SilenceUsage: true,
		RunE: serve.RunE,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	root.AddCommand(serve, newDemo(), newSimulate(), newTail(), newCheck(), newVerify(), newQuarantine(), newDeadLetters(), newJournal(),
		newConfig(), newVersion())
	return root
}

// noArguments refuses arguments as wrong usage.
func noArguments(c *cobra.Command, args []string) error {
	if err := cobra.NoArgs(c, args); err != nil {
		return &usageError{err}
	}
	return nil
}
