package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"livebridge/bridge/admin"
	"livebridge/bridge/journal"
)

func newHandOver(e *environment) *cobra.Command {
	return &cobra.Command{
		Use: "handover", Short: "Hand what the journal remembers over to replicas, to go on with INTAKE=broker",
		Args: noArguments,
		Long: "Writes what the journal of DATA_DIR remembers into the partitions of the replicas, as the first\n" +
			"replica on that DATA_DIR does by itself. Run it with the settings of the replicas where none of them\n" +
			"will have that DATA_DIR, once the service has stopped and before the first of them starts. One that was\n" +
			"interrupted is run again.",
		Example: "  livebridge journal handover",
		RunE: func(c *cobra.Command, _ []string) error {
			return e.withReplicaSettings(c, runHandOver)
		},
	}
}

// withReplicaSettings calls f with the settings of replicas, of a DATA_DIR on which nothing runs. Its log goes to the
// command's standard error.
func (e *environment) withReplicaSettings(
	c *cobra.Command, f func(context.Context, *settings, *zap.Logger) error,
) error {
	s, err := e.operatorSettings()
	if err != nil {
		return err
	}
	if s.Intake != "broker" {
		return &usageError{settingError("INTAKE", "run the command with the settings of the replicas",
			"is %s, which has no replicas", s.Intake)}
	}
	if client, err := admin.DialControl(s.DataDir); err == nil {
		return errors.Join(&usageError{settingError("DATA_DIR", "stop that one first",
			"%s is in use by a service that runs", s.DataDir)}, client.Close())
	}
	errOut, closeLog := logWriterOf(c.ErrOrStderr())
	defer closeLog()
	log, err := newLog(s, errOut)
	if err != nil {
		return err
	}
	return f(c.Context(), s, log)
}

// handOverGrace is how long the end of a hand-over waits for the broker.
const handOverGrace = 10 * time.Second

func runHandOver(ctx context.Context, s *settings, log *zap.Logger) error {
	t := s.transport()
	j, err := journal.OpenOffline(s.journalOptions(), journal.ReadOnly)
	if errors.Is(err, journal.ErrNoJournal) {
		return &usageError{err}
	}
	if err == nil {
		err = j.Close()
	}
	if err = errors.Join(err, s.checkMemoryReplicas(t), s.checkJournalEmpty(log)); err != nil {
		return err
	}
	shared, err := t.share(ctx, log)
	if err != nil {
		return err
	}
	r := &replica{settings: s, transport: t, log: log}
	err = r.handOver(ctx, shared)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), handOverGrace)
	defer cancel()
	return errors.Join(err, shared.Close(closing))
}
