package main

import (
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"golang.org/x/term"

	"livebridge/bridge/admin"
	"livebridge/bridge/journal"
)

// openOperator reaches the journal in DATA_DIR: through the running service, or by opening it where none runs. Changes
// are logged by the service, or else by this command.
func openOperator(s *settings, mode journal.Mode, log *zap.Logger) (admin.Operator, io.Closer, error) {
	client, err := admin.DialControl(s.DataDir)
	if err == nil {
		return client, client, nil
	}
	if !errors.Is(err, admin.ErrNoService) {
		return nil, nil, err
	}
	if s.Intake == "broker" {
		return nil, nil, &usageError{settingError("INTAKE", "start a replica on this DATA_DIR",
			"is broker, and no replica runs on %s that could answer", s.DataDir)}
	}
	if mode == journal.ReadWrite {
		if err := s.checkMemoryLocal(); err != nil {
			return nil, nil, err
		}
	}
	j, err := journal.OpenOffline(s.journalOptions(), mode)
	if errors.Is(err, journal.ErrNoJournal) {
		return nil, nil, &usageError{err}
	}
	if err != nil {
		return nil, nil, err
	}
	return admin.Audited(j, log), j, nil
}

// withOperator calls f with the journal and closes it. It logs changes to the command's standard error.
func (e *environment) withOperator(c *cobra.Command, mode journal.Mode, f func(admin.Operator) error) error {
	s, err := e.operatorSettings()
	if err != nil {
		return err
	}
	errOut, closeLog := logWriterOf(c.ErrOrStderr())
	defer closeLog()
	log, err := newLog(s, errOut)
	if err != nil {
		return err
	}
	operator, closer, err := openOperator(s, mode, log)
	if err != nil {
		return err
	}
	return errors.Join(f(operator), closer.Close())
}

// terminal reports whether w is a terminal.
func terminal(w io.Writer) bool {
	switch behind := w.(type) {
	case *logWriter:
		w = behind.to
	case *resultWriter:
		w = behind.to
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
