package main

import (
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
)

func newServe(e *environment) *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Receive callbacks and publish events to Kafka or NATS JetStream (default)", Args: noArguments,
		Example: "  LIVEBRIDGE_STREAM_KEY=0123456789abcdef0123456789abcdef livebridge serve",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := load(e.vars)
			if err != nil {
				return err
			}
			errOut, closeLog := logWriterOf(c.ErrOrStderr())
			defer closeLog()
			signal.Ignore(syscall.SIGPIPE) // it would kill the program when nobody reads standard error any more
			log, err := newLog(s, errOut)
			if err != nil {
				return err
			}
			for _, name := range unknownSettings(e.vars) {
				log.Warn("unknown setting is ignored; see livebridge config", zap.String("setting", name))
			}
			for _, name := range worldReadable(e.vars) {
				log.Warn("secret file is world-readable; restrict it (chmod o-r, or defaultMode 0400 for a Kubernetes Secret)",
					zap.String("setting", name), zap.String("path", e.vars[name]))
			}
			for _, name := range s.quotedSecrets() {
				log.Warn("secret is in quotes, which are part of the value; remove them", zap.String("setting", prefix+name))
			}
			a, err := start(s, log)
			if err != nil {
				return err
			}
			errOut.register(a.registry)
			return a.run(c.Context())
		},
	}
}
